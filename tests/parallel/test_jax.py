"""losslab.parallel on JAX: four devices on the CPU, which JAX makes only when it starts."""

import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent

jax = pytest.importorskip("jax", reason="jax is not installed")


def test_properties_of_several_devices():
    if not hasattr(jax, "shard_map") or not hasattr(jax.lax, "pcast"):
        pytest.skip(f"jax {jax.__version__} has no shard_map that says what varies over an axis")
    environment = {
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "JAX_ENABLE_X64": "1",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=4 --xla_backend_optimization_level=0",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "suite" / "jax_devices.py")]
    done = subprocess.run(command, cwd=HERE.parents[1], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
