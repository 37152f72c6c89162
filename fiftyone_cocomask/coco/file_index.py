"""The files of an export by parts of their names, to find those that a JSON means."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from .files import is_image_name

# So many files of one name are looked at one by one.
MANY = 50
_MAX_TAIL = 8


class FileIndex:
    """Files by their folders and by the last parts of their names.

    What it looks up is put together when it is first asked for: most exports need none
    of it.

    Args:
        names: the names of all files, relative and with ``/``
    """

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self._by_tail: dict[int, dict[str, list[str]]] = {}

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

    def nearest_first(
        self, names: list[str], way: Sequence[str]
    ) -> Iterator[list[str]]:
        """Yields files of one name, first those that share most folders with another.

        Args:
            names: the files
            way: the folders of the name, and the last part
        """
        if len(names) > MANY:
            for number in range(min(len(way), _MAX_TAIL), 1, -1):
                yield self._with_tail(number).get(_tail(way[-number:]), [])
        yield names

    def _with_tail(self, number: int) -> dict[str, list[str]]:
        """Returns the files by so many of their last parts."""
        if number not in self._by_tail:
            self._by_tail[number] = _grouped(
                (name for name in self.names if name.count("/") >= number - 1),
                lambda name: _tail(name.rsplit("/", number)[-number:]),
            )
        return self._by_tail[number]

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


def _tail(parts: Sequence[str]) -> str:
    """Returns what the ends of two names have in common that are the same."""
    return "/".join([*map(folded, parts[:-1]), composed(parts[-1])])


def _grouped(names: Iterable[str], key: object) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        groups.setdefault(key(name), []).append(name)  # type: ignore[operator]
    return groups
