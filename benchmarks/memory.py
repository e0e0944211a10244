"""What a call takes at its peak beyond what the process holds already, by the kernel's own count (Linux)."""

import ctypes
import gc
import re
from collections.abc import Callable
from pathlib import Path

PROCESS = Path("/proc/self")
CALLS = 2


def peak_extra(run: Callable[[], object]) -> int | None:
    """Bytes, results included; None where the kernel does not count.

    What earlier calls freed goes back to the kernel first. Otherwise it would be taken again without being counted:
    the C library keeps freed blocks below its threshold, which rises up to 32 MiB.
    """
    if not (PROCESS / "clear_refs").exists():
        return None
    return max(_peak_extra(run) for _ in range(CALLS))


def _peak_extra(run: Callable[[], object]) -> int:
    gc.collect()
    _give_back()
    (PROCESS / "clear_refs").write_text("5")  # the peak begins anew at what is held now
    before = _status("VmRSS")
    run()
    return _status("VmHWM") - before


def _give_back() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it, and needs it
    if trim is not None:
        trim(0)


def _status(field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB", (PROCESS / "status").read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"{PROCESS / 'status'} has no line {field}")
    return int(found[1]) * 1024
