"""Images that lie in more than one split: tests that training has seen."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

from .files import UnsafeNameError
from .image_finder import Files, ImageMissingError
from .issues import Action, IssueCode
from .report import ExportReport
from .splits import ImageEntry, SplitIndex, are_splits

_Copies = list[tuple[SplitIndex, ImageEntry]]
_Located = list[tuple[SplitIndex, ImageEntry, str]]
_PIECE = 2**20


def report_leakage(indexes: Sequence[SplitIndex], report: ExportReport) -> None:
    """Reports each source image, and each image file, that is in more than one split.

    Copies by Roboflow are known by their names. Other files that have one name in two
    splits are one source if their bytes are the same.
    """
    if not are_splits([index.num_images for index in indexes]):
        return
    copies: dict[str, _Copies] = {}
    everything: _Copies = []
    for index in indexes:
        for entries in index.images.values():
            everything += [(index, entry) for entry in entries]
    for index, entry in everything:
        if entry.source is not None:
            copies.setdefault(entry.source, []).append((index, entry))
    for source, found in copies.items():
        _report(
            IssueCode.SOURCE_IN_SEVERAL_SPLITS, f"copies of '{source}'", found, report
        )
    for same in _same_files(everything):
        _report(IssueCode.LEAK, "files with the same content", same, report)
        namesakes: dict[str, _Copies] = {}
        for index, entry in same:
            if entry.source is None:
                namesakes.setdefault(entry.file_name, []).append((index, entry))
        for name, found in namesakes.items():
            code = IssueCode.SOURCE_IN_SEVERAL_SPLITS
            _report(code, f"copies of '{name}'", found, report)


def _same_files(copies: _Copies) -> Iterator[_Copies]:
    """Yields files with the same content that lie in several splits.

    Sizes are compared first, then a few bytes, and only what is still the same is read.
    """
    groups: list[_Located] = [list(_located(copies))]
    for key in (_size, _sample, _digest):
        groups = [part for group in groups for part in _parts(group, key)]
    for group in groups:
        yield [(index, entry) for index, entry, _ in group]


def _parts(group: _Located, key: Callable[[Files, str], Any]) -> Iterator[_Located]:
    """Yields the parts of a group that have one key and lie in several splits."""
    by_key: dict[Any, _Located] = {}
    for index, entry, name in group:
        try:
            value = key(index.files.images.files, name)
        except OSError:
            continue
        by_key.setdefault(value, []).append((index, entry, name))
    for part in by_key.values():
        if len({index.name for index, _, _ in part}) > 1:
            yield part


def _located(copies: _Copies) -> Iterator[tuple[SplitIndex, ImageEntry, str]]:
    for index, entry in copies:
        try:
            yield index, entry, index.files.images.find(entry.file_name).name
        except (UnsafeNameError, ImageMissingError):
            continue


def _size(files: Files, name: str) -> int:
    return files.size(name)


def _sample(files: Files, name: str) -> Hashable:
    return files.sample(name)


def _digest(files: Files, name: str) -> bytes:
    digest = blake2b(digest_size=16)
    with files.open(name) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.digest()


def _report(code: IssueCode, what: str, copies: _Copies, report: ExportReport) -> None:
    splits = list(dict.fromkeys(index.name for index, _ in copies))
    if len(splits) < 2:
        return
    for _, entry in copies:
        if code not in entry.codes:
            entry.codes.append(code)
    examples = [
        next(
            f"{index.name}/{e.file_name}" for index, e in copies if index.name == split
        )
        for split in splits
    ]
    report.add(
        code,
        f"{len(copies)} {what} lie in the splits {', '.join(splits)}: "
        f"{', '.join(examples)}",
        Action.KEPT,
        file_name=copies[0][1].file_name,
    )
