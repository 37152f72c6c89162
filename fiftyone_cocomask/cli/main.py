"""The commands put together: arguments in, text or JSON and an exit code out."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

from ..errors import CocoMaskError
from ..version import __version__
from ..words import printable_lines
from . import (
    coco_commands,
    dataset_commands,
    export_commands,
    figure_command,
    issue_commands,
    program_commands,
    report_command,
)
from .interrupts import INTERRUPTED, end_at_once_with, ended_while_loading
from .option_names import in_options
from .outcome import Outcome, say
from .streams import ToStderr

FAILED = 1

_EXIT_CODES = """\
exit codes:
  0    done; `check` found no errors; `diff` found no difference
  1    an error, told on stderr: nothing of what was asked could be done; `check`
       found errors, `diff` differences; or what --strict looks for
  2    the arguments are wrong; of `diff`, an error
  130  Ctrl-C

Results go to stdout, everything else to stderr.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: the words behind the program's name, ``sys.argv``'s by default

    Returns:
        the exit code, as ``--help`` explains it

    Raises:
        SystemExit: with code 2 if the arguments are wrong
    """
    options = _parser().parse_args(arguments)

    def say_stopped() -> None:
        # The terminal has shown ^C and is still on that line, or on that of a bar.
        say(f"\nStopped. {options.on_interrupt.format_map(vars(options))}")

    try:
        # FiftyOne logs and draws its bars on stdout, which is for results.
        with redirect_stdout(ToStderr()), ended_while_loading(say_stopped):
            outcome = options.run(options)
    except KeyboardInterrupt:
        say_stopped()
        return INTERRUPTED
    except Exception as error:
        explained = _explained(error)
        if not isinstance(explained, (CocoMaskError, OSError)):
            raise
        said = in_options(printable_lines(str(explained)), vars(options))
        print(f"error: {said}", file=sys.stderr)
        return getattr(options, "failure_code", FAILED)
    _print(outcome, as_json=getattr(options, "json", False))
    if outcome.nothing:
        say(f"error: {outcome.nothing}")
    return FAILED if outcome.failed or outcome.nothing else 0


def run() -> int:
    """Runs a command as the program, of which it is all.

    Returns:
        the exit code
    """
    code = main()
    end_at_once_with(code)
    return code


class _Parser(argparse.ArgumentParser):
    """A parser that repeats arguments as they can be printed, and nothing else."""

    def _print_message(self, message: str, file: Any = None) -> None:
        super()._print_message(printable_lines(message or ""), file)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="fiftyone-cocomask",
        description="Roboflow COCO exports to exact masks and mask evaluations.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")
    export_commands.add_to(commands)
    coco_commands.add_diff_to(commands)
    dataset_commands.add_to(commands)
    issue_commands.add_to(commands)
    figure_command.add_to(commands)
    report_command.add_to(commands)
    program_commands.add_to(commands)
    return parser


def _explained(error: Exception) -> Exception:
    """Returns a sentence in place of what MongoDB or FiftyOne raise about it."""
    # Without FiftyOne, as in a check, there is no database.
    if "fiftyone" not in sys.modules:
        return error
    from ..datasets.database_errors import explain_database_errors

    try:
        with explain_database_errors():
            raise error
    except Exception as explained:
        return explained


def _print(outcome: Outcome, *, as_json: bool) -> None:
    """Prints to stdout, whatever it can show, and whoever stops reading it."""
    text = json.dumps(outcome.data, indent=2) if as_json else outcome.text
    text = printable_lines(text)
    if not text:
        return
    try:
        encoding = sys.stdout.encoding or "utf-8"
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except BrokenPipeError:
        # As in `check ... | head`. Python flushes again at exit, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
