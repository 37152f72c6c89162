"""The errors that this package raises for what a user can put right.

Each message is one sentence that names the file, field or option at fault.
"""

from __future__ import annotations

from .words import printable


class CocoMaskError(Exception):
    """Base class: a wrong argument, or a dataset that does not fit a request."""

    def __str__(self) -> str:
        # Names in messages are other people's: they stay text, on one line.
        return printable(super().__str__())


class ExportError(CocoMaskError):
    """A path that is not a readable COCO export."""


class MaskFileError(CocoMaskError, OSError):
    """A mask file that cannot be read or written."""
