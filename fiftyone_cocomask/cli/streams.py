"""Where FiftyOne's own words go while a command runs."""

from __future__ import annotations

import io
import sys


class ToStderr(io.TextIOBase):
    """A stream of its own that writes to stderr.

    ``sys.stderr`` itself cannot stand in for stdout: FiftyOne's progress bars set the
    stream of every log handler that writes to stdout's stream, and those that belong
    to stderr have no setter.
    """

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return sys.stderr.encoding

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()

    def fileno(self) -> int:
        return sys.stderr.fileno()
