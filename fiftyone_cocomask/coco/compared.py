"""An export as a comparison reads it: images by name, objects when they are asked for.

Image files need not be there: JSONs can be compared alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from ..geometry.objects import MaskObject
from ..limits import size_problem
from .annotations import AnnotationReader
from .categories import Categories
from .check import ExportReader
from .counted_issues import Notes
from .document import Raw, decode, normal_id
from .files import UnsafeNameError
from .frames import Frame
from .image_finder import ImageMissingError
from .images import ImageFileError, read_header
from .reading import json_size
from .records import Annotation, Box, CocoId, ImageRecord
from .report import ExportReport
from .splits import ImageEntry, SplitIndex, entries_at

# Of exports that are made of a dataset to be compared: where an entry came from. In
# exports of others these keys mean nothing: they could name any file.
SAMPLE_ID = "fiftyone_sample_id"
LABEL_ID = "fiftyone_label_id"
FILEPATH = "fiftyone_filepath"

# The size of an image of which neither JSON nor file tell one.
UNKNOWN_SIZE = (4096, 4096)
_DECIMALS = 6
# So many are written. Rounded to them first, a number that is nearly half way to the
# next one is rounded the same way before and after it was written.
_WRITTEN_DECIMALS = 9


@dataclass(slots=True)
class ComparedObject:
    """An annotation in a comparison.

    Attributes:
        annotation_id: its id
        label: its class
        is_crowd: whether it marks a crowd
        geometry: its pixels; a rectangle where it has a box only
        key: bytes that are the same for the very same shapes
        box: its box, rounded
        attributes: what else it carries
        label_id: the id of the label that it was made of
        has_shape: whether it has polygons or an RLE, and is not a box alone
    """

    annotation_id: CocoId | None
    label: str
    is_crowd: bool
    geometry: MaskObject
    key: bytes
    box: tuple[float, ...]
    attributes: dict[str, Any]
    label_id: str | None
    has_shape: bool

    @property
    def is_rle(self) -> bool:
        """Whether its shape is an RLE: pixels, which a polygon can have as well."""
        return self.geometry.rle is not None


class ComparedImage:
    """An image of an export that is compared.

    There is one of each image of both exports, so it holds what tells images apart, and
    where its annotations are.

    Attributes:
        split: its split
        file_name: its file name
        source: what the copies of its source have in common; None for no copy
        sample_id: the id of the sample that it was made of
        size: the width and height that its annotations count, in pixels
    """

    __slots__ = (
        "_filepath",
        "_parts",
        "_split",
        "coco_id",
        "file_name",
        "sample_id",
        "size",
        "source",
    )

    def __init__(self, split: _Split, entries: list[ImageEntry]) -> None:
        self._split = split
        first = entries[0]
        self.file_name = first.file_name
        self.source = first.source
        values = decode(first.raw)
        self.coco_id = first.coco_id
        own = values if split.is_of_dataset else {}
        self.sample_id: str | None = own.get(SAMPLE_ID)
        self._filepath: str | None = own.get(FILEPATH)
        self._parts = [(e.coco_id, _as_range(e.annotations.places)) for e in entries]
        size = json_size(values) or self._size_of_file() or UNKNOWN_SIZE
        # Most images have one size, which is kept once.
        self.size: tuple[int, int] = split.sizes.setdefault(size, size)

    @property
    def split(self) -> str:
        """The name of its split."""
        return self._split.name

    @property
    def num_annotations(self) -> int:
        """The number of its annotations."""
        return sum(len(places) for _, places in self._parts)

    def is_spelled_as(self, other: ComparedImage) -> bool:
        """Whether its annotations are byte for byte another one's."""
        return (
            self.size == other.size
            and len(self._parts) == len(other._parts)
            and self._split.labels == other._split.labels
            and all(
                mine[0] == theirs[0] and len(mine[1]) == len(theirs[1])
                for mine, theirs in zip(self._parts, other._parts, strict=True)
            )
            and all(
                bytes(mine) == bytes(theirs)
                for mine, theirs in zip(self._raws(), other._raws(), strict=True)
            )
        )

    def labels(self) -> Counter[str]:
        """Returns the number of its annotations of each class."""
        found: Counter[str] = Counter()
        for raw in self._raws():
            value = decode(raw)
            category_id = value.get("category_id") if isinstance(value, dict) else 0
            found[self._split.categories.get(normal_id(category_id)).name] += 1
        return found

    def _raws(self) -> Iterator[Raw]:
        for _, places in self._parts:
            yield from entries_at(self._split.texts, places)

    def objects(self, size: tuple[int, int] | None = None) -> list[ComparedObject]:
        """Returns its annotations that can be used.

        Args:
            size: the width and height of the image to count pixels of; its own by
                default
        """
        width, height = size or self.size
        record = ImageRecord(
            self.split, self.coco_id, self.file_name, Path(), width, height, 3, 0, "",
            [], self.file_name,
        )  # fmt: skip
        counted = self.size
        if size_problem(*counted) is not None:
            # No image has it, so nothing was drawn in it either.
            counted = width, height
        frame = Frame(*counted, width, height)
        # What is wrong with an export is said by a check, not here.
        split = self._split
        reader = AnnotationReader(
            split.name, split.categories, split.repeated_ids, ExportReport(""), Notes()
        )
        for _, places in self._parts:
            reader.read(entries_at(split.texts, places), record, frame)
        return [
            _object(annotation, has_label_id=split.is_of_dataset)
            for annotation in record.annotations
        ]

    def open(self) -> IO[bytes] | None:
        """Opens its file; None if there is none."""
        with suppress(OSError, UnsafeNameError, ImageMissingError, ImageFileError):
            if self._filepath is not None:
                return open(self._filepath, "rb")
            finder = self._split.finder
            return finder.files.open(finder.find(self.file_name).name)
        return None

    def _size_of_file(self) -> tuple[int, int] | None:
        file = self.open()
        if file is None:
            return None
        with file, suppress(ImageFileError, OSError):
            header = read_header(file)
            return header.width, header.height
        return None


class _Split:
    """What the images of a split have in common.

    Attributes:
        name: its name
        is_of_dataset: whether its entries say which samples and labels they are
        categories: its categories
        labels: their labels by id
        repeated_ids: the ids that several annotations have
        finder: finds image files
        texts: all annotations, undecoded
        sizes: the sizes that images have
    """

    def __init__(
        self, index: SplitIndex, categories: Categories, *, is_of_dataset: bool
    ) -> None:
        self.name = index.name
        self.is_of_dataset = is_of_dataset
        self.categories = categories
        self.labels = {c.id: c.name for c in categories.all()}
        self.repeated_ids = index.repeated_ids
        self.finder = index.files.images
        self.texts = index.annotation_texts
        self.sizes: dict[tuple[int, int], tuple[int, int]] = {}


class ComparedExport:
    """An export that is compared; a context manager.

    Args:
        path: the export's folder, its ``.zip``, or a COCO JSON file
        name: what to call it; its own name by default
        is_of_dataset: whether it was made of a dataset, to be compared, so that its
            entries say which samples and labels they are

    Attributes:
        name: what it is called
        images: its images, by split and file name
        classes: its classes that annotations use

    Raises:
        ExportError: if the path is not a COCO export
    """

    def __init__(
        self, path: str | Path, name: str | None = None, *, is_of_dataset: bool = False
    ) -> None:
        self._reader = ExportReader(path)
        self.name = name or self._reader.name
        self.classes = self._reader.classes
        self.images: dict[tuple[str, str], ComparedImage] = {}
        for index, categories in self._reader.take_indexes():
            split = _Split(index, categories, is_of_dataset=is_of_dataset)
            for entries in index.take_images():
                image = ComparedImage(split, entries)
                self.images[image.split, image.file_name] = image

    def __enter__(self) -> ComparedExport:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._reader.__exit__(error_type, error, traceback)


def is_same_file(old: ComparedImage, new: ComparedImage) -> bool | None:
    """Whether two images have files of the same content; None if one has none."""
    first, second = old.open(), new.open()
    if first is None or second is None:
        for file in (first, second):
            if file is not None:
                file.close()
        return None
    with first, second:
        sizes = [file.seek(0, 2) for file in (first, second)]
        if sizes[0] != sizes[1]:
            return False
        first.seek(0)
        second.seek(0)
        return all(
            a == b for a, b in zip(_pieces(first), _pieces(second), strict=False)
        )


def _as_range(places: Sequence[int]) -> Sequence[int]:
    """Returns ascending places as a range, which takes no memory, if they follow on."""
    if places and places[-1] - places[0] == len(places) - 1:
        return range(places[0], places[-1] + 1)
    return places


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(2**18):
        yield piece


def _object(annotation: Annotation, *, has_label_id: bool) -> ComparedObject:
    attributes = dict(annotation.attributes)
    label_id = attributes.pop(LABEL_ID, None) if has_label_id else None
    box = annotation.box or (0.0, 0.0, 0.0, 0.0)
    return ComparedObject(
        annotation.coco_id,
        annotation.label,
        bool(annotation.iscrowd),
        _geometry(annotation, box),
        _key(annotation, box),
        tuple(_rounded(np.array(box)).tolist()),
        attributes,
        label_id,
        annotation.rle is not None or bool(annotation.rings),
    )


def _geometry(annotation: Annotation, box: Box) -> MaskObject:
    if annotation.rle is not None:
        return MaskObject(rle=annotation.rle)
    if annotation.rings:
        return MaskObject(rings=tuple(annotation.rings))
    x, y, w, h = box
    return MaskObject(
        rings=(np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]]),)
    )


def _key(annotation: Annotation, box: Box) -> bytes:
    if annotation.rle is not None:
        rle: Mapping[str, Any] = annotation.rle
        return f"{rle['size']} {rle['counts']}".encode()
    if annotation.rings:
        return b"|".join(_opened(ring).tobytes() for ring in annotation.rings)
    return b"box" + _rounded(np.array(box)).tobytes()


def _opened(ring: np.ndarray) -> np.ndarray:
    """Returns a ring rounded, and without the points that close it."""
    rounded: np.ndarray = _rounded(ring)
    while len(rounded) > 3 and (rounded[0] == rounded[-1]).all():
        rounded = rounded[:-1]
    return rounded


def _rounded(values: np.ndarray) -> np.ndarray:
    found: np.ndarray = values.round(_WRITTEN_DECIMALS).round(_DECIMALS) + 0.0
    return found
