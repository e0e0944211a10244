"""The `losslab` command: runs a command of the lab and tells an error in three lines."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from losslab.lab.backend import LAB_EXTRA
from losslab.lab.errors import INTERRUPTED, Exit, LabError, did_you_mean


def main() -> None:
    """Run the command line of this process and exit with the command's code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line; return its exit code. An error is three lines on stderr, and with --debug its traceback."""
    try:
        from losslab.lab.commands import app

        return int(app(list(arguments), prog_name="losslab", standalone_mode=False) or Exit.OK)
    except KeyboardInterrupt:
        error = INTERRUPTED
    except Exception as cause:
        error = _told(cause, arguments)
        if "--debug" in arguments:
            traceback.print_exc()
    print(error, file=sys.stderr)
    return int(error.exit_code)


def _told(cause: Exception, arguments: Sequence[str]) -> LabError:
    """Tell any exception in three lines."""
    if isinstance(cause, LabError):
        return cause
    if hasattr(cause, "format_message"):  # typer's usage errors, which come from click or from its own copy of it
        return _usage_error(cause, arguments)
    if isinstance(cause, ModuleNotFoundError):
        return LabError(f"{cause.name} is not installed", "the command line needs it", LAB_EXTRA, Exit.ENVIRONMENT)
    if isinstance(cause, OSError):
        return LabError(str(cause), "the system refused", "check the path, the space and the rights", Exit.ENVIRONMENT)
    return LabError(
        f"{type(cause).__name__}: {cause}",
        "this is a mistake in losslab itself",
        "run again with --debug and report the traceback",
        Exit.ENVIRONMENT,
    )


def _usage_error(cause: Any, arguments: Sequence[str]) -> LabError:
    context: Any = getattr(cause, "ctx", None)
    command = context.command_path if context is not None else "losslab"
    what = re.sub(r"\s*(\(Possible options:.*\)|Did you mean.*)$", "", cause.format_message()).rstrip(".")
    help_line = f"{command} --help shows what there is"
    usage = " ".join(context.get_usage().split()) if context is not None else "an option stands before its value"
    if what.startswith("No such option"):
        known = [word for parameter in context.command.params for word in parameter.opts]
        return LabError(what, f"{command} has no such option", did_you_mean(cause.option_name, known, help_line))
    if wrong := re.search(r"No such command '(.*)'", what):
        known = list(context.command.commands)
        return LabError(what, f"the commands are {', '.join(known)}", did_you_mean(wrong[1], known, help_line))
    parameter = getattr(cause, "param", None)
    if parameter is not None and (value := _value_of(parameter.opts[0], arguments)) is not None:
        return LabError(f"bad value '{value}' for {parameter.opts[0]}", cause.message, help_line)
    return LabError(what, usage, help_line)


def _value_of(option: str, arguments: Sequence[str]) -> str | None:
    """Return what was typed for an option, as `--option value` or `--option=value`."""
    for argument, following in zip(arguments, [*arguments[1:], None], strict=True):
        if argument == option:
            return following
        if argument.startswith(f"{option}="):
            return argument.partition("=")[2]
    return None
