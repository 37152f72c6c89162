"""Image files that no JSON of the export lists."""

from __future__ import annotations

from collections.abc import Sequence

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
    found: dict[str, list[str]] = {}
    for name in sorted(splits[0].images.files.names if splits else ()):
        if is_image_name(name) and name not in listed:
            owners = [s for s in _nearest(name, by_base) if s.images.owns(name)]
            if owners and all(split.name in names_read for split in owners):
                found.setdefault(owners[0].name, []).append(name)
    for split_name, names in found.items():
        report.unlisted += len(names)
        report.add(
            IssueCode.UNLISTED_FILES,
            f"{len(names):,} image files are not in the JSON: "
            f"{', '.join(names[:_EXAMPLES])}",
            Action.KEPT,
            split=split_name,
        )


def _nearest(name: str, by_base: dict[str, list[SplitFiles]]) -> list[SplitFiles]:
    """Returns the splits that have the innermost base around a file."""
    folder = name.rpartition("/")[0]
    while folder and folder not in by_base:
        folder = folder.rpartition("/")[0]
    return by_base.get(folder, [])
