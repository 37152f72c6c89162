"""The files of an export by parts of their names, to find those that a JSON means."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from .files import is_image_name

# So many files of one name are looked at one by one.
MANY = 50
_MAX_TAIL = 8

# Returns what a last part of a name has in common with others.
Key = Callable[[str], str]


class FileIndex:
    """Files by their folders and by the last parts of their names.

    What it looks up is put together when it is first asked for: most exports need none
    of it.

    Args:
        names: the names of all files, relative and with ``/``
    """

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self._tails: dict[tuple[int | None, Key], dict[str, list[str]]] = {}

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
        groups: dict[str, list[str]] = {}
        for folder in sorted(self.folders):
            groups.setdefault(folded(folder), []).append(folder)
        return groups

    def folders_like(self, folder: str) -> list[str]:
        """Returns the folders whose paths differ from one in nothing but case."""
        if not folder:
            return [folder]
        return self._folders_by_folded.get(folded(folder), [])

    def nearest_first(self, way: Sequence[str], key: Key) -> Iterator[list[str]]:
        """Yields files of one name, first those that share most folders with another.

        Args:
            way: the folders of the name, and the last part
            key: what the last parts of their names have in common
        """
        names = self._with_tail(way[-1:], key)
        if len(names) > MANY:
            for number in range(min(len(way), _MAX_TAIL), 1, -1):
                yield self._with_tail(way[-number:], key)
        yield names

    def at(self, way: Sequence[str], key: Key) -> list[str]:
        """Returns the files at a place, case of folders apart.

        Args:
            way: the folders from the outermost on, and the last part
            key: what the last parts of their names have in common
        """
        return self._by_tail(None, key).get(_tail(way, key), [])

    def _with_tail(self, way: Sequence[str], key: Key) -> list[str]:
        return self._by_tail(len(way), key).get(_tail(way, key), [])

    def _by_tail(self, number: int | None, key: Key) -> dict[str, list[str]]:
        """Returns the files by so many of their last parts, or by all of them."""
        if (number, key) not in self._tails:
            ways = ((name, name.split("/")) for name in sorted(self.names))
            groups: dict[str, list[str]] = {}
            for name, way in ways:
                if number is None or len(way) >= number:
                    tail = _tail(way[-number:] if number else way, key)
                    groups.setdefault(tail, []).append(name)
            self._tails[number, key] = groups
        return self._tails[number, key]


def last_part(name: str) -> str:
    """Returns a name without its folders."""
    return name.rpartition("/")[2]


def composed(name: str) -> str:
    """Returns a name with its accents as one character each.

    macOS writes accents as characters of their own, JSONs rarely do.
    """
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def folded(name: str) -> str:
    """Returns what names that differ only in case have in common."""
    return composed(name).casefold()


def folded_stem(last: str) -> str:
    """Returns a folded name without the extension of an image."""
    stem = last.rpartition(".")[0] if is_image_name(last) else ""
    return folded(stem or last)


def _tail(parts: Sequence[str], key: Key) -> str:
    """Returns what the ends of two names have in common that are the same."""
    return "/".join([*map(folded, parts[:-1]), key(parts[-1])])
