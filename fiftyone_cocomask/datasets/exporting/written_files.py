"""Files of masks and cut-outs: none is replaced, and what was not written is told."""

from __future__ import annotations

import errno
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...errors import MaskFileError
from ...geometry.png import begin_writing, write_with_others
from ...limits import MAX_NAMED
from ...unfinished import GroupedWrites
from ...words import count
from ..documents import Document


@dataclass(slots=True)
class ExportedFiles:
    """What an export of masks or cut-outs wrote.

    Attributes:
        output_dir: the folder, or None for files beside their images
        files: the number of files written, or there already with the same content
        num_skipped: the number of files that were not written
        skipped: what was not written, at most 1,000 of them, as
            ``{"sample_id", "filepath", "reason"}``
    """

    output_dir: str | None
    files: int = 0
    num_skipped: int = 0
    skipped: list[dict[str, str]] = field(default_factory=list)

    def skip(self, document: Document, reason: str) -> None:
        """Notes that a sample, or a part of it, was not written."""
        self.num_skipped += 1
        if len(self.skipped) >= MAX_NAMED:
            return
        self.skipped.append(
            {
                "sample_id": str(document["_id"]),
                "filepath": document["filepath"],
                "reason": reason,
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as JSON holds it."""
        return asdict(self)

    def summary(self) -> str:
        """Returns a line for a person, and one on what was skipped."""
        place = self.output_dir or "the folders of the images"
        text = f"{count(self.files, 'file')} in {place}"
        if self.skipped:
            first = self.skipped[0]
            text += (
                f"\nNot written: {self.num_skipped:,}; the first is "
                f"{first['filepath']}: {first['reason']}"
            )
        return text


class FileWriter:
    """Writes each file once; no two samples share one."""

    def __init__(self, report: ExportedFiles, writes: GroupedWrites) -> None:
        begin_writing()
        self._report = report
        self._writes = writes
        self._written: set[int] = set()

    def write(self, document: Document, path: Path, data: bytes) -> bool:
        """Writes a file, unless there is another; returns whether that was tried."""
        key = hash(str(path).lower())
        if key in self._written:
            self._report.skip(document, f"another sample was written to {path}")
            return False
        try:
            if path.exists() and (path.is_dir() or path.read_bytes() != data):
                reason = f"{path} is there already with other content"
                self._report.skip(document, reason)
                return False
        except OSError as error:
            self._tell_error(error, document, path)
            return False
        self._written.add(key)
        names = {name: document[name] for name in ("_id", "filepath")}

        def done(error: MaskFileError | None) -> None:
            if error is None:
                self._report.files += 1
            else:
                self._tell_error(error, names, path)

        write_with_others(self._writes, path, data, done)
        return True

    def _tell_error(self, error: BaseException, document: Document, path: Path) -> None:
        """Notes what is in the way of one file alone: a name that is too long.

        Raises:
            MaskFileError: if it is in the way of all
        """
        cause = error.__cause__ or error
        if getattr(cause, "errno", None) != errno.ENAMETOOLONG:
            if isinstance(error, MaskFileError) or not isinstance(error, OSError):
                raise error
            raise MaskFileError(f"The file {path} cannot be read: {error}") from error
        self._report.skip(document, f"{path} cannot be written: name too long")
