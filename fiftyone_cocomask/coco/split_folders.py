"""Which folders of an export are which split's: where a split looks for its images."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .file_index import FileIndex, folded, last_part

# The names that splits have by custom, and which of them mean the same.
_KINDS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "dev": "valid",
    "test": "test",
    "testing": "test",
}
# Folders for JSONs, beside which those of images lie.
ANNOTATION_FOLDERS = frozenset(
    {
        "annotations",
        "annotation",
        "annots",
        "anns",
        "ann",
        "labels",
        "label",
    }
)
IMAGE_FOLDERS = (
    "images",
    "image",
    "imgs",
    "img",
    "data",
    "jpegimages",
    "pictures",
    "photos",
    "frames",
)
_YEAR = re.compile(r"[-_. ]*\d*$")


def is_split_name(name: str) -> bool:
    """Whether a folder of this name is a split: ``train``, ``Valid``, ``test2017``."""
    return _kind(folded(name)) is not None


def _kind(name: str) -> str | None:
    return _KINDS.get(_YEAR.sub("", name))


def is_annotation_folder(folder: str) -> bool:
    """Whether a folder is one for JSONs by its name."""
    return folded(last_part(folder)) in ANNOTATION_FOLDERS


@dataclass(frozen=True, slots=True)
class SplitPlace:
    """Where a split is.

    Attributes:
        name: the split's name
        base: the folder that its names count from, ``""`` for the outermost
    """

    name: str
    base: str


class SplitFolders:
    """The folders of all splits: no split takes the images of another.

    The base of a split, and all below it, is its own, except where another split has
    its base. Nor are folders its own that are named for another split, where both
    share a base, or where their names say so: ``train`` takes nothing from ``valid``.

    Args:
        places: where the splits are
    """

    def __init__(self, places: Iterable[SplitPlace]) -> None:
        self._names: dict[str, set[str]] = {}
        for place in places:
            names = self._names.setdefault(place.base, set())
            names.add(folded(last_part(place.name)))

    def is_own(self, folder: str, place: SplitPlace) -> bool:
        """Whether a split may look for images in a folder."""
        own = folded(last_part(place.name))
        is_named_so = False
        while folder:
            if folder == place.base:
                return True
            name = folded(last_part(folder))
            is_named_so = is_named_so or name == own
            if folder in self._names:
                return False
            if not is_named_so and self._is_named_for_another(name, own, place):
                return False
            folder = folder.rpartition("/")[0]
        return True

    def _is_named_for_another(self, name: str, own: str, place: SplitPlace) -> bool:
        kind, own_kind = _kind(name), _kind(own)
        if kind is None:
            return False
        is_siblings = name in self._names.get(place.base, ())
        return is_siblings or (own_kind is not None and kind != own_kind)


def base_of_json(folder: str, index: FileIndex) -> str:
    """Returns the folder that the names of images in a JSON count from.

    The JSON's own, or the next one around it that holds images: ``Images/`` is beside
    ``Annotations/``.

    Args:
        folder: the JSON's folder
        index: the files of the export
    """
    while folder and (
        is_annotation_folder(folder) or folder not in index.image_folders
    ):
        folder = folder.rpartition("/")[0]
    return folder


def image_folders(place: SplitPlace, index: FileIndex) -> list[str]:
    """Returns the folders that a split's images lie in by custom, the likeliest first.

    Returns:
        folders that exist, ``""`` or ending in ``/``
    """
    last = last_part(place.name)
    names = ["", "images", last, f"{last}/images", f"images/{last}"]
    names += [*IMAGE_FOLDERS, *(f"{last}/{name}" for name in IMAGE_FOLDERS)]
    names += [f"{name}/{last}" for name in IMAGE_FOLDERS]
    if not is_split_name(last):
        names.append("train")
    found: dict[str, None] = {}
    for name in names:
        wanted = "/".join(part for part in (place.base, name) if part)
        for folder in index.folders_like(wanted):
            found[f"{folder}/" if folder else ""] = None
    return list(found)
