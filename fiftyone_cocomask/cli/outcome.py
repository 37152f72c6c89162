"""What a command returns, and the options that commands share."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import Any

from ..words import printable_lines


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command found or did.

    Attributes:
        text: what people are shown
        data: the same as JSON can hold it
        failed: whether the exit code says that something is wrong
        nothing: why nothing was done of what was asked for, empty if something was
    """

    text: str
    data: dict[str, Any]
    failed: bool = False
    nothing: str = ""


def add_output_options(parser: argparse.ArgumentParser, strict: str) -> None:
    """Adds ``--json`` and ``--strict``.

    Args:
        parser: the command's parser
        strict: what ``--strict`` makes a failure, for its help
    """
    parser.add_argument(
        "--json", action="store_true", help="print JSON instead of a table"
    )
    parser.add_argument(
        "--strict", action="store_true", help=f"exit with 1 also {strict}"
    )


def on_interrupt(parser: argparse.ArgumentParser, sentence: str) -> None:
    """Sets what a command says on Ctrl-C: what is kept, and how to go on.

    Args:
        parser: the command's parser
        sentence: what to say; ``{name}`` stands for the option of that name
    """
    parser.set_defaults(on_interrupt=sentence)


def bar() -> bool | None:
    """Returns an SDK function's ``progress``: no bar where it would fill a log.

    In a terminal it is as FiftyOne's configuration says.
    """
    return None if sys.stderr.isatty() else False


def say(sentence: str) -> None:
    """Tells a person on stderr what is going on."""
    print(printable_lines(sentence), file=sys.stderr, flush=True)
