"""The files that a JSON's names mean."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from ..words import printable, shortened_name
from .file_index import MANY, FileIndex, composed, folded, folded_stem, last_part
from .files import (
    FolderFiles,
    LinkLeadsOutError,
    UnsafeNameError,
    checked_name,
    is_image_name,
)
from .spellings import Parts, spellings
from .split_folders import SplitFolders, SplitPlace, image_folders
from .zips import ZipFiles

Files = FolderFiles | ZipFiles

_EXAMPLES = 3
# Masks are called as their images, and other things than images lie beside them.
_NOT_OF_IMAGES = frozenset(
    {
        "masks",
        "mask",
        "labels",
        "label",
        "annotations",
        "annotation",
        "segmentation",
        "segmentations",
        "segmentationclass",
        "segmentationobject",
        "panoptic",
        "gt",
        "ground_truth",
        "groundtruth",
    }
)


class ImageMissingError(LookupError):
    """No file of the export is the one that a file name means."""


@dataclass(frozen=True, slots=True)
class FoundImage:
    """The file that a name means.

    Attributes:
        name: the file's name in the export
        is_in_place: whether it lies where the name says
        difference: how its own name differs from the one in the JSON, or None
    """

    name: str
    is_in_place: bool
    difference: str | None = None


class ImageFinder:
    """Finds the files that a split's JSON names.

    Args:
        files: the files of the export, or of the folder of images
        index: the same files by parts of their names
        place: where the split is among them
        folders: the folders of all splits
    """

    def __init__(
        self,
        files: Files,
        index: FileIndex,
        place: SplitPlace,
        folders: SplitFolders | None = None,
    ) -> None:
        self.files = files
        self.place = place
        self._index = index
        self._splits = folders or SplitFolders([place])
        self._listed: Iterable[str] = ()

    def expect(self, file_names: Iterable[str]) -> None:
        """Takes note of all names that will be looked for.

        A file that one of them names exactly is not taken for another that has nearly
        its name.
        """
        self._listed = list(file_names)

    def find(self, file_name: str) -> FoundImage:
        """Returns the file that a JSON names.

        The name counts from the JSON's folder, from ``images/`` or the split's folder
        below it, or from any folder if there is one file of that name. Where there is
        none, it may be written as other systems and URLs write it; then differ in case;
        then in the image's extension. Only files of the export are found.

        Raises:
            UnsafeNameError: if the name leads out of the export and no file of the
                export has its last part, or if it is a link that does
            ImageMissingError: if there is no such file, or several could be it
        """
        unsafe: UnsafeNameError | None = None
        try:
            exact = self._exact(file_name)
        except LinkLeadsOutError:
            raise
        except UnsafeNameError as error:
            exact, unsafe = None, error
        if exact is not None:
            return exact
        ways = spellings(file_name)
        for in_scope in (self._is_below_base, self._is_anywhere):
            for level in (_same_name, _same_but_case, _same_but_extension):
                for way in ways:
                    look = _Look(way, level, in_scope)
                    found = self._one_of(look, by_custom=unsafe is None)
                    if found is not None:
                        return FoundImage(
                            found, _is_tail(file_name, found), level.difference
                        )
        for way in ways:
            self._refuse_link(way)
        if unsafe is not None:
            raise unsafe
        if self._reserved:
            raise ImageMissingError("there is no such file in the export")
        raise ImageMissingError(
            f"there is no such file in {self.files.root}, nor any other that the JSON "
            "lists; if they are elsewhere, also give the folder of the images"
        )

    def owns(self, name: str) -> bool:
        """Whether a file lies in this split's folders."""
        return self._is_below_base(name)

    @cached_property
    def _folders(self) -> list[str]:
        """The folders to look in, ``""`` or ending in ``/``."""
        return [
            folder
            for folder in image_folders(self.place, self._index)
            if self._splits.is_own(folder.rstrip("/"), self.place)
        ]

    @cached_property
    def _base(self) -> str:
        return f"{self.place.base}/" if self.place.base else ""

    @cached_property
    def _refused_links(self) -> dict[str, str]:
        """The links that lead out of the export, by their last parts."""
        return {composed(last_part(name)): name for name in self.files.refused_links}

    @cached_property
    def _reserved(self) -> frozenset[str]:
        """The files that some entry names exactly."""
        found = set()
        for file_name in self._listed:
            try:
                exact = self._exact(file_name)
            except UnsafeNameError:
                continue
            if exact is not None:
                found.add(exact.name)
        return frozenset(found)

    def _exact(self, file_name: str) -> FoundImage | None:
        """Returns the file at the very place that a name says.

        Raises:
            UnsafeNameError: if the name leads out of the export
        """
        names = self.files.names
        if self._base + file_name in names:
            return FoundImage(self._base + file_name, True)
        inside = self._inside(file_name)
        if inside is not None:
            return FoundImage(inside, True)
        name = checked_name(file_name)
        for folder in self._folders:
            if folder + name in names:
                return FoundImage(folder + name, name == file_name.removeprefix("./"))
            if folder + name in self.files.refused_links:
                raise LinkLeadsOutError(self._where_link_leads(folder + name))
        if self._base + name in self.files:
            return FoundImage(self._base + name, True)
        return None

    def _inside(self, file_name: str) -> str | None:
        """Returns the name of a file whose whole path a JSON gives."""
        root = f"{self.files.root}{os.sep}"
        if not file_name.startswith(root):
            return None
        name = file_name[len(root) :].replace(os.sep, "/")
        return name if name in self.files.names else None

    def _one_of(self, look: _Look, *, by_custom: bool) -> str | None:
        """Returns the one of several files that is where a name says.

        In a folder where images are by custom, or else the one that shares most folders
        with the name.

        Raises:
            ImageMissingError: if that is true of several
        """
        candidates = self._candidates(look)
        if len(candidates) > 1 and by_custom:
            candidates = self._by_custom(look) or candidates
        if len(candidates) > 1:
            most = max(_shared_folders(look.way, name) for name in candidates)
            candidates = [n for n in candidates if _shared_folders(look.way, n) == most]
        if len(candidates) > 1:
            listed = ", ".join(map(shortened_name, candidates[:_EXAMPLES]))
            more = len(candidates) - _EXAMPLES
            listed += f" and {more:,} more" if more > 0 else ""
            raise ImageMissingError(f"several files could be it: {listed}")
        return candidates[0] if candidates else None

    def _candidates(self, look: _Look) -> list[str]:
        for near in self._index.nearest_first(look.way, look.level.key):
            found = self._fitting(near, look)
            if found:
                return found
        return []

    def _by_custom(self, look: _Look) -> list[str]:
        for folder in self._folders:
            place = [*folder.split("/")[:-1], *look.way]
            found = self._fitting(self._index.at(place, look.level.key), look)
            if found:
                return found
        return []

    def _fitting(self, names: list[str], look: _Look) -> list[str]:
        """Returns those of some files that may be meant, at most :data:`MANY`."""
        level = look.level
        fitting = (
            name
            for name in names
            if level.fits(name)
            and look.in_scope(name)
            and (level is _same_name or name not in self._reserved)
        )
        return list(islice(fitting, MANY))

    def _is_below_base(self, name: str) -> bool:
        return name.startswith(self._base) and self._is_anywhere(name)

    def _is_anywhere(self, name: str) -> bool:
        return self._splits.is_own(name.rpartition("/")[0], self.place)

    def _refuse_link(self, way: Parts) -> None:
        name = self._refused_links.get(composed(way[-1]))
        if name is not None:
            raise LinkLeadsOutError(self._where_link_leads(name))

    def _where_link_leads(self, name: str) -> str:
        real = printable(os.path.realpath(self.files.path(name)))
        return f"it is a link that leads out of the export, to {real}"


@dataclass(frozen=True, slots=True)
class _Level:
    """How far a file's name may be from the one in the JSON.

    Attributes:
        key: what the last parts of both have in common
        fits: whether a file may be meant at all
        difference: what differs, in words
    """

    key: Callable[[str], str]
    fits: Callable[[str], bool] = lambda name: True
    difference: str | None = None


def _is_image(name: str) -> bool:
    """Whether a file is an image by its name and folders, and no mask of one."""
    folders = map(folded, name.split("/")[:-1])
    return is_image_name(name) and _NOT_OF_IMAGES.isdisjoint(folders)


_same_name = _Level(composed)
_same_but_case = _Level(folded, difference="upper and lower case")
_same_but_extension = _Level(folded_stem, _is_image, "the extension")


@dataclass(frozen=True, slots=True)
class _Look:
    """A look for the file of a name.

    Attributes:
        way: the folders of the name, and its last part
        level: how far the file's name may be from it
        in_scope: whether a file is where it is looked for
    """

    way: Parts
    level: _Level
    in_scope: Callable[[str], bool]


def _shared_folders(way: Parts, name: str) -> int:
    """Returns the number of folders that the ends of two names share."""
    shared = 0
    for ours, theirs in zip(way[-2::-1], name.split("/")[-2::-1], strict=False):
        if folded(ours) != folded(theirs):
            break
        shared += 1
    return shared


def _is_tail(file_name: str, found: str) -> bool:
    return f"/{found}".endswith(f"/{file_name}")
