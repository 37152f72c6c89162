"""Sources whose copies lie in more than one split: tests that training has seen."""

from __future__ import annotations

from collections.abc import Sequence

from .files import UnsafeNameError
from .image_finder import ImageMissingError
from .issues import Action, IssueCode
from .report import ExportReport
from .splits import ImageEntry, SplitIndex

_Copies = list[tuple[SplitIndex, ImageEntry]]


def report_leakage(indexes: Sequence[SplitIndex], report: ExportReport) -> None:
    """Reports each source image that is in more than one split.

    Copies by Roboflow are known by their names. Other files that have one name in two
    splits are one image if their bytes are the same.
    """
    if len(indexes) < 2:
        return
    copies: dict[str, _Copies] = {}
    namesakes: dict[str, _Copies] = {}
    for index in indexes:
        for entries in index.images.values():
            for entry in entries:
                if entry.source is not None:
                    copies.setdefault(entry.source, []).append((index, entry))
                else:
                    namesakes.setdefault(entry.file_name, []).append((index, entry))
    for source, found in copies.items():
        _report_if_leaking(source, found, report)
    for name, found in namesakes.items():
        if len(found) > 1 and _are_same_bytes(found):
            _report_if_leaking(name, found, report)


def _report_if_leaking(source: str, copies: _Copies, report: ExportReport) -> None:
    splits = list(dict.fromkeys(index.name for index, _ in copies))
    if len(splits) < 2:
        return
    for _, entry in copies:
        entry.codes.append(IssueCode.SOURCE_IN_SEVERAL_SPLITS)
    examples = [
        next(
            f"{index.name}/{e.file_name}" for index, e in copies if index.name == split
        )
        for split in splits
    ]
    report.add(
        IssueCode.SOURCE_IN_SEVERAL_SPLITS,
        f"{len(copies)} copies of '{source}' lie in the splits {', '.join(splits)}: "
        f"{', '.join(examples)}",
        Action.KEPT,
        file_name=copies[0][1].file_name,
    )


def _are_same_bytes(copies: _Copies) -> bool:
    """Whether files are there and all the same; sizes are compared first."""
    places = []
    for index, entry in copies:
        finder = index.files.images
        try:
            places.append((finder.files, finder.find(entry.file_name).name))
        except (UnsafeNameError, ImageMissingError):
            return False
    try:
        if len({files.size(name) for files, name in places}) > 1:
            return False
        return len({files.read(name) for files, name in places}) == 1
    except OSError:
        return False
