"""What a command returns and says."""

from __future__ import annotations

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


def bar() -> bool | None:
    """Returns an SDK function's ``progress``: no bar where it would fill a log.

    In a terminal it is as FiftyOne's configuration says.
    """
    return None if sys.stderr.isatty() else False


def say(sentence: str) -> None:
    """Tells a person on stderr what is going on."""
    print(printable_lines(sentence), file=sys.stderr, flush=True)
