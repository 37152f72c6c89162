"""The files that a JSON's names mean."""

from __future__ import annotations

import unicodedata

from .files import FolderFiles, UnsafeNameError, checked_name, is_image_name
from .zips import ZipFiles

Files = FolderFiles | ZipFiles

SPLIT_NAMES = frozenset({"train", "training", "valid", "val", "validation", "test"})


class ImageMissingError(LookupError):
    """No file of the export is the one that a file name means."""


class ImageFinder:
    """Finds the files that a split's JSON names.

    Args:
        files: the files of the export
        base: the folder to start from, ``""`` or ending in ``/``
        split: the split's name
        taken: the names and folders of all splits: in those of others, nothing is
            looked for
        folder: the split's own folder
    """

    def __init__(
        self,
        files: Files,
        base: str,
        split: str,
        taken: frozenset[str] = frozenset(),
        folder: str = "",
    ) -> None:
        self.files = files
        self._base = base
        self._taken = taken
        self._own = frozenset({split, folder})
        last = split.rpartition("/")[2]
        folders = ["", "images/", f"{last}/", f"{last}/images/", f"images/{last}/"]
        if last not in SPLIT_NAMES:
            folders += ["train/", "data/"]
        self._folders = [
            base + folder
            for folder in dict.fromkeys(folders)
            if not self._is_of_another((base + folder).rstrip("/"))
        ]
        self._by_basename: dict[str, list[str]] | None = None

    def find(self, file_name: str) -> tuple[str, bool]:
        """Returns the name of the file that a JSON names.

        The name counts from the JSON's folder, from ``images/`` or the split's folder
        below it, or from any folder below it if there is one file of that name.

        Returns:
            the file's name in the export, and whether it lies where its name says

        Raises:
            UnsafeNameError: if the name leads out of the export
            ImageMissingError: if there is no such file
        """
        name = checked_name(file_name)
        for folder in self._folders:
            if folder + name in self.files.names:
                return folder + name, name == file_name.removeprefix("./")
            if folder + name in self.files.refused_links:
                raise UnsafeNameError("it is a link that leads out of the export")
        if self._base + name in self.files:
            return self._base + name, True
        candidates = self._candidates(name)
        if len(candidates) == 1:
            return candidates[0], candidates[0].endswith("/" + file_name)
        if candidates:
            raise ImageMissingError(
                f"several files could be it: {', '.join(candidates[:3])}"
            )
        raise ImageMissingError("there is no such file in the export")

    def unlisted(self, listed: set[str]) -> list[str]:
        """Returns the images of this split's folders that the JSON does not list."""
        return sorted(
            name
            for name in self.files.names
            if is_image_name(name) and name not in listed and self._in_scope(name)
        )

    def _candidates(self, name: str) -> list[str]:
        """Returns the files that end like a name, or else have its last part.

        macOS writes accents as characters of their own, JSONs rarely do: both sides
        are compared composed.
        """
        if self._by_basename is None:
            self._by_basename = {}
            for known in sorted(self.files.names):
                if self._in_scope(known):
                    key = _composed(known.rpartition("/")[2])
                    self._by_basename.setdefault(key, []).append(known)
        wanted = _composed(name)
        found = self._by_basename.get(wanted.rpartition("/")[2], [])
        return [k for k in found if f"/{_composed(k)}".endswith(f"/{wanted}")] or found

    def _in_scope(self, name: str) -> bool:
        if not name.startswith(self._base):
            return False
        folders = name[len(self._base) :].split("/")[:-1]
        return not any(
            self._is_of_another(self._base + "/".join(folders[: depth + 1]))
            or self._is_of_another(folder)
            for depth, folder in enumerate(folders)
        )

    def _is_of_another(self, folder: str) -> bool:
        return folder in self._taken and folder not in self._own


def _composed(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFC", name)
