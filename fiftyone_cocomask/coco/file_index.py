"""The files of an export by parts of their names, to find those that a JSON means."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cached_property

from .files import is_image_name


class FileIndex:
    """Files by their folders and by the last parts of their names.

    What it looks up is put together when it is first asked for: most exports need none
    of it.

    Args:
        names: the names of all files, relative and with ``/``
    """

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    @cached_property
    def folders(self) -> frozenset[str]:
        """All folders that hold files at any depth; ``""`` is the outermost."""
        found = {""}
        for folder in {name.rpartition("/")[0] for name in self.names}:
            while folder not in found:
                found.add(folder)
                folder = folder.rpartition("/")[0]
        return frozenset(found)

    @cached_property
    def image_folders(self) -> frozenset[str]:
        """The folders that hold images at any depth."""
        return FileIndex(frozenset(filter(is_image_name, self.names))).folders

    @cached_property
    def _folders_by_folded(self) -> dict[str, list[str]]:
        return _grouped(self.folders, folded)

    @cached_property
    def _by_last(self) -> dict[str, list[str]]:
        return _grouped(self.names, lambda name: composed(last_part(name)))

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        return _grouped(self.names, lambda name: folded_stem(last_part(name)))

    def folders_like(self, folder: str) -> list[str]:
        """Returns the folders whose paths differ from one in nothing but case."""
        if not folder:
            return [folder]
        return self._folders_by_folded.get(folded(folder), [])

    def with_last_part(self, last: str) -> list[str]:
        """Returns the files whose names end in this part.

        macOS writes accents as characters of their own, JSONs rarely do: both are
        compared composed.
        """
        return self._by_last.get(composed(last), [])

    def with_stem(self, last: str) -> list[str]:
        """Returns the files that are named so but for case and an image's extension."""
        return self._by_stem.get(folded_stem(last), [])


def last_part(name: str) -> str:
    """Returns a name without its folders."""
    return name.rpartition("/")[2]


def composed(name: str) -> str:
    """Returns a name with its accents as one character each."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def folded(name: str) -> str:
    """Returns what names that differ only in case have in common."""
    return composed(name).casefold()


def folded_stem(last: str) -> str:
    """Returns a folded name without the extension of an image."""
    stem = last.rpartition(".")[0] if is_image_name(last) else ""
    return folded(stem or last)


def _grouped(names: Iterable[str], key: object) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        groups.setdefault(key(name), []).append(name)  # type: ignore[operator]
    return groups
