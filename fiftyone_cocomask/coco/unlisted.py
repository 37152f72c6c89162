"""Image files that no JSON of the export lists."""

from __future__ import annotations

from collections.abc import Container, Sequence

from ..words import agree, count
from .files import is_image_name
from .issues import Action, IssueCode
from .layout import SplitFiles
from .report import ExportReport

_EXAMPLES = 3


def report_unlisted(
    splits: Sequence[SplitFiles],
    read: Sequence[SplitFiles],
    listed: set[str],
    report: ExportReport,
) -> None:
    """Reports the image files of the splits that were read and that none of them lists.

    Args:
        splits: all splits of the export
        read: those that were read
        listed: the files that they list
        report: where the issues go
    """
    by_base: dict[str, list[SplitFiles]] = {}
    for split in splits:
        by_base.setdefault(split.images.place.base, []).append(split)
    names_read = {split.name for split in read}
    whole = {
        base
        for base, of_base in by_base.items()
        if all(split.name in names_read for split in of_base)
    }
    found: dict[str, list[str]] = {}
    for name in sorted(splits[0].images.files.names if splits else ()):
        if is_image_name(name) and name not in listed:
            base = _nearest(name, by_base)
            owners = (s for s in by_base.get(base, ()) if s.images.owns(name))
            owner = next(owners, None)
            if owner is None:
                continue
            if base in whole or all(s.name in names_read for s in (owner, *owners)):
                found.setdefault(owner.name, []).append(name)
    for split_name, names in found.items():
        report.unlisted += len(names)
        report.add(
            IssueCode.UNLISTED_FILES,
            f"{count(len(names), 'image file')} {agree(len(names), 'is', 'are')} not "
            f"in the JSON: {', '.join(names[:_EXAMPLES])}",
            Action.KEPT,
            split=split_name,
        )


def _nearest(name: str, bases: Container[str]) -> str:
    """Returns the innermost base around a file, or ``""``."""
    folder = name.rpartition("/")[0]
    while folder and folder not in bases:
        folder = folder.rpartition("/")[0]
    return folder
