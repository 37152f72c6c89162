"""Where the mask files of a dataset's field go."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.core.storage as fos
import numpy as np

from ..documents import (
    all_images,
    dataset_id,
    image_paths_below,
    read_documents,
    read_encoded_documents,
    sample_ids,
)
from ..folders import check_is_inside, dataset_folder, safe_name

# Files that are looked up in the database at once.
_LEFT_AT_ONCE = 1000


def default_mask_dir(dataset: fo.Dataset, mask_field: str) -> Path:
    """Returns the folder of a field's masks: one of this dataset alone.

    The dataset's id is in it, so every file below is of this plugin, also where no
    sample names it any more, and another dataset of the name does not meet it.
    """
    folder = dataset_folder(dataset.name) / "masks" / str(dataset_id(dataset))
    return folder / safe_name(mask_field)


def check_folders(
    dataset: fo.Dataset, output_dir: Path, places: Iterable[str] = ("",)
) -> None:
    """Checks that no link leads files of samples out of the folder they are to be in.

    Args:
        dataset: the whole dataset
        output_dir: the folder
        places: folders in it, each of which has those of the splits

    Raises:
        CocoMaskError: if one does
    """
    splits = [""]
    if dataset.has_field("split"):
        splits += map(_split_folder, all_images(dataset).distinct("split"))
    for place in places:
        for split in splits:
            check_is_inside(output_dir / place / split, output_dir)


def _split_folder(split: Any) -> str:
    """Returns the folder of a split's files; none where there is no split."""
    return safe_name(split) if isinstance(split, str) and split else ""


def remove_left(dataset: fo.Dataset, mask_field: str, names: Sequence[str]) -> None:
    """Removes files that masks had before, such as those of another split.

    Those outside the folder of :func:`default_mask_dir`, and those that are another
    sample's mask by now, stay.

    Args:
        dataset: the whole dataset
        mask_field: the masks' field
        names: the files
    """
    folder = Path(fos.normalize_path(str(default_mask_dir(dataset, mask_field))))
    path = f"{mask_field}.mask_path"
    own = [n for n in names if folder in Path(os.path.abspath(n)).parents]
    for start in range(0, len(own), _LEFT_AT_ONCE):
        some, used = own[start : start + _LEFT_AT_ONCE], set()
        for ids in sample_ids(dataset, {path: {"$in": some}}):
            for document in read_documents(dataset, ids, [path]):
                used.add(document[mask_field]["mask_path"])
        for name in set(some) - used:
            with suppress(OSError):
                os.unlink(name)


class MaskPaths:
    """Gives each sample of a dataset one mask file, and the same one each time.

    A file is ``<output_dir>/<split>/<file name without its last extension>.png``. Only
    the last extension goes, since augmented copies differ behind their common stem.
    Where two samples of the dataset would still share a file, also on a file system
    that ignores case, a hash of the image's path is put behind the name of each; of
    the sample's id as well where both are of one image.

    Args:
        dataset: the whole dataset, also where only a view's masks are computed
        output_dir: the folder of all files
        is_own: whether that is a folder of :func:`default_mask_dir`
    """

    PATHS = ("filepath", "split")

    def __init__(
        self, dataset: fo.Dataset, output_dir: Path, *, is_own: bool = False
    ) -> None:
        self.output_dir = output_dir
        self.is_own = is_own
        self._has_split = dataset.has_field("split")
        self._folders: dict[str, str] = {}
        self._shared, self._doubled, self._images = self._look_at(dataset)

    def path_of(self, document: Mapping[str, Any]) -> Path:
        """Returns the file of a sample.

        Args:
            document: the sample's document, with ``_id``, ``filepath`` and ``split``
        """
        name = self._relative_name(document)
        if _hash(name.lower()) in self._shared:
            filepath = document["filepath"]
            known_by = filepath.encode()
            if self._image_hash(filepath) in self._doubled:
                known_by += document["_id"].binary
            name += "-" + blake2b(known_by, digest_size=6).hexdigest()
        return self.output_dir / f"{name}.png"

    def _relative_name(self, document: Mapping[str, Any]) -> str:
        # Not by pathlib, which takes four times as long, and this is done for all.
        name, _ = os.path.splitext(os.path.basename(document["filepath"]))
        stem = safe_name(name)
        folder = _split_folder(document.get("split")) if self._has_split else ""
        return f"{folder}/{stem}" if folder else stem

    def is_image(self, path: Path) -> bool:
        """Whether a file is the image of a sample, whatever way leads to it."""
        real = self._real_path(str(path))
        if self._has_image(real):
            return True
        # Its folder is a real one: only the file itself may still be a link.
        return os.path.islink(real) and self._has_image(os.path.realpath(real))

    def _has_image(self, path: str) -> bool:
        wanted = np.uint64(_hash(os.path.normcase(path)))
        place = int(np.searchsorted(self._images, wanted))
        return place < len(self._images) and bool(self._images[place] == wanted)

    def _real_path(self, path: str) -> str:
        """Returns a path without links, but for the last part: looked up by folder."""
        folder, name = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        return os.path.join(self._folders[folder], name)

    def _image_hash(self, path: str) -> int:
        return _hash(os.path.normcase(self._real_path(path)))

    def _look_at(self, dataset: fo.Dataset) -> tuple[set[int], set[int], np.ndarray]:
        """Looks at all samples, of all slices of a grouped dataset.

        Eight bytes of each are kept: names would take far more.

        Returns:
            the hashes of the names, and of the images, that more than one sample has;
            and of all images, those of other datasets below the folder too, sorted
        """
        names, images = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
        paths = self.PATHS if self._has_split else self.PATHS[:1]
        for batch in read_encoded_documents(dataset, None, paths, {}, 10_000):
            found = [_hash(self._relative_name(d).lower()) for d in batch]
            names.append(np.array(found, np.uint64))
            found = [self._image_hash(d["filepath"]) for d in batch]
            images.append(np.array(found, np.uint64))
        shared, doubled = _repeated(names), _repeated(images)
        if not self.is_own:
            images.append(self._images_of_others())
        return shared, doubled, np.sort(np.concatenate(images))

    def _images_of_others(self) -> np.ndarray:
        """Returns the hashes of the images below the folder, of all datasets."""
        folders = {str(self.output_dir), os.path.realpath(self.output_dir)}
        found = [
            self._image_hash(path)
            for folder in folders
            for path in image_paths_below(folder)
        ]
        return np.array(found, np.uint64)


def _repeated(hashes: Sequence[np.ndarray]) -> set[int]:
    """Returns the hashes that are there more than once."""
    values, counts = np.unique(np.concatenate(hashes), return_counts=True)
    return set(values[counts > 1].tolist())


def _hash(name: str) -> int:
    data = name.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")
