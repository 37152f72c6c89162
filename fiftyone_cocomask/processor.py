"""Masks of a COCO JSON's images, one at a time, without a database."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from .arguments import check_argument, checked, shown
from .coco.check import ExportReader
from .coco.files import UnsafeNameError, checked_name
from .coco.records import ImageRecord
from .errors import CocoMaskError, MaskFileError
from .geometry.decoding import read_image
from .geometry.draw import draw_objects
from .geometry.objects import MaskObject, is_drawable
from .geometry.png import is_picture, read_mask, write_mask
from .geometry.rle import check_rle
from .geometry.runs import RleError
from .limits import MAX_PIXELS

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class COCOProcessor:
    """Makes the binary masks of the images that a COCO JSON lists.

    Masks are those of a loop of ``cv2.fillPoly`` over truncated coordinates, united
    over an image's annotations. For exact areas use
    :func:`compute_masks <fiftyone_cocomask.compute_masks>`.

    Example::

        from fiftyone_cocomask import COCOProcessor

        processor = COCOProcessor("export/train/_annotations.coco.json", "export/train")
        path = processor.process_image(0)
        figure = processor.visualize("export/train/a.jpg", path)

    Args:
        coco_annotation_file: the COCO JSON
        image_dir: the folder of the images; masks are written beside them

    Raises:
        ExportError: if there is no such file, or it is not a COCO JSON
        CocoMaskError: if there is no such folder
    """

    @checked
    def __init__(self, coco_annotation_file: str | Path, image_dir: str | Path) -> None:
        self.image_dir = Path(image_dir).expanduser()
        if not self.image_dir.is_dir():
            raise CocoMaskError(f"image_dir is not a folder: {image_dir}")
        self._images: dict[Any, ImageRecord] = {}
        with ExportReader(coco_annotation_file, image_dir=self.image_dir) as reader:
            for record in reader.images():
                self._images[record.coco_id] = record
        self.report = reader.report
        self._image_keys: set[str] = set()
        self._users_of: dict[str, set[str]] = {}
        self._files: dict[str, Path] = {}
        root = os.path.realpath(self.image_dir)
        for record in self._images.values():
            image = self.image_dir / os.path.relpath(record.path, root)
            self._files[record.file_name] = image
            self._image_keys |= {_key(image), _key(record.path)}
            short = _key(_beside(image, image.stem))
            self._users_of.setdefault(short, set()).add(_key(image))

    @property
    def image_ids(self) -> list[Any]:
        """The ids of the images that can be processed, as in the JSON."""
        return list(self._images)

    def create_binary_mask(
        self,
        segmentation: Sequence[Sequence[float]] | Mapping[str, Any],
        image_height: int,
        image_width: int,
    ) -> np.ndarray:
        """Returns the mask of one annotation.

        Args:
            segmentation: the JSON's segmentation: a list of rings x, y, x, y, ... or
                an RLE
            image_height: the height of the image, in pixels
            image_width: its width

        Returns:
            a uint8 array of shape (image_height, image_width) of 0 and 1

        Raises:
            CocoMaskError: if it cannot be drawn
        """
        image_height = check_argument("image_height", image_height, int)
        image_width = check_argument("image_width", image_width, int)
        if min(image_height, image_width) < 1 or (
            image_height * image_width > MAX_PIXELS
        ):
            raise CocoMaskError(
                f"An image of {image_width} x {image_height} pixels cannot have a "
                f"mask; it takes 1 to {MAX_PIXELS:,}"
            )
        item = _mask_object(segmentation, image_height, image_width)
        return _union([item], image_height, image_width)

    def save_mask(self, mask: np.ndarray, image_info: Mapping[str, Any]) -> str:
        """Writes a mask beside its image, as 0 and 255.

        Beside the file that was found for it, where the JSON names another place. The
        file has the image's name without its last extension, and ``_mask.png``:
        augmented copies, which differ behind their common stem, do not share one. Where
        two images of the JSON would share a file, as ``a.png`` and ``a.jpg``, or it is
        an image of the JSON itself, the whole name is in it: ``a.jpg_mask.png``. An
        image is never replaced.

        Args:
            mask: an array of shape (height, width), 0 where there is background
            image_info: the image's entry in the JSON, with its ``file_name``

        Returns:
            the path of the file

        Raises:
            CocoMaskError: if ``file_name`` leads out of the folder
            MaskFileError: if the file cannot be written, or is an image
        """
        if not isinstance(image_info, Mapping):
            raise CocoMaskError(
                f"image_info must be an image's entry in the JSON, not "
                f"{shown(image_info)}"
            )
        check_argument("mask", mask, np.ndarray)
        path = self._mask_path(self._file_of(str(image_info.get("file_name") or "")))
        write_mask(path, mask, binary=True)
        return str(path)

    def _file_of(self, file_name: str) -> Path:
        """Returns the file of an image: the one that was found for its name, if any."""
        if file_name in self._files:
            return self._files[file_name]
        try:
            return self.image_dir / checked_name(file_name)
        except UnsafeNameError as error:
            raise CocoMaskError(
                f"image_info has a file_name that is refused: {error}"
            ) from error

    def _mask_path(self, image: Path) -> Path:
        """Returns where the mask of an image goes.

        Raises:
            MaskFileError: if every place is an image
        """
        short = _beside(image, image.stem)
        taken = self._users_of.get(_key(short), set()) - {_key(image)}
        for path in (short, _beside(image, image.name)):
            if not (path == short and taken) and not self._is_image(path):
                return path
        raise MaskFileError(f"The mask of {image} would replace an image")

    def _is_image(self, path: Path) -> bool:
        # Unlike Path's, it says False of what is too long to be a name.
        is_file = os.path.isfile(path)
        return _key(path) in self._image_keys or (is_file and is_picture(path))

    def process_image(self, image_id: Any) -> str:
        """Writes the mask of an image's annotations beside it.

        Args:
            image_id: the image's ``id`` in the JSON

        Returns:
            the path of the mask

        Raises:
            CocoMaskError: if no image that can be used has this id
            MaskFileError: if the file cannot be written
        """
        try:
            record = self._images.get(image_id)
        except TypeError:
            # It cannot be hashed, as lists and what has them cannot.
            record = None
        if record is None:
            raise CocoMaskError(self._why_not(image_id))
        objects = [
            MaskObject(rings=tuple(annotation.rings), rle=annotation.rle)
            for annotation in record.annotations
        ]
        mask = _union(objects, record.height, record.width)
        return self.save_mask(mask, {"file_name": record.file_name})

    def visualize(
        self, image: str | Path | np.ndarray, mask_save_path: str | Path
    ) -> Figure:
        """Returns a figure of an image and its mask, side by side.

        Args:
            image: the image's path, or an array of shape (height, width, 3), RGB
            mask_save_path: the path of its mask

        Returns:
            a matplotlib figure

        Raises:
            CocoMaskError: if the image cannot be read
            MaskFileError: if the mask cannot be read
        """
        from matplotlib.figure import Figure

        picture = _rgb(image) if isinstance(image, (str, Path)) else image
        figure = Figure(figsize=(12, 6), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.imshow(picture)
        left.set_title("Image")
        right.imshow(read_mask(mask_save_path), cmap="gray", vmin=0, vmax=255)
        right.set_title("Mask")
        for axes in (left, right):
            axes.axis("off")
        return figure

    def _why_not(self, image_id: Any) -> str:
        is_id = isinstance(image_id, (int, str, np.integer))
        for issue in self.report.issues if is_id else ():
            if issue.image_id == image_id and issue.annotation_id is None:
                return f"Image {shown(image_id)} cannot be processed: {issue.message}"
        return f"The JSON has no image with the id {shown(image_id)}"


def _beside(image: Path, stem: str) -> Path:
    return image.with_name(f"{stem}_mask.png")


def _key(path: Path) -> str:
    """Returns what is the same for paths that may be one file."""
    return os.path.normpath(path).casefold()


def _mask_object(segmentation: Any, height: int, width: int) -> MaskObject:
    if isinstance(segmentation, Mapping):
        try:
            rle = check_rle(segmentation)
        except RleError as error:
            raise CocoMaskError(f"The RLE cannot be drawn: {error}") from error
        if list(rle["size"]) != [height, width]:
            raise CocoMaskError(
                f"The RLE is {rle['size'][1]} x {rle['size'][0]} pixels, the image "
                f"{width} x {height}"
            )
        return MaskObject(rle=rle)
    try:
        rings = tuple(np.array(ring, float).reshape(-1, 2) for ring in segmentation)
    except (TypeError, ValueError, OverflowError) as error:
        raise CocoMaskError(
            "The segmentation is neither an RLE nor a list of rings x, y, x, y, ..."
        ) from error
    if not all(is_drawable(ring) for ring in rings):
        raise CocoMaskError(
            "The segmentation holds numbers that are out of range for any image"
        )
    return MaskObject(rings=rings)


def _union(objects: Sequence[MaskObject], height: int, width: int) -> np.ndarray:
    values = [1] * len(objects)
    return draw_objects(objects, height, width, rasterizer="opencv", values=values).mask


def _rgb(path: str | Path) -> np.ndarray:
    image = read_image(path, cv2.IMREAD_COLOR)
    if image is None:
        raise CocoMaskError(f"The image {path} cannot be read")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
