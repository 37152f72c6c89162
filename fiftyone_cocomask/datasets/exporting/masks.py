"""Masks and cut-outs of a dataset as files for other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import fiftyone.core.storage as fos
import fiftyone.core.utils as fou
import numpy as np

from ...arguments import checked
from ...choices import Values
from ...errors import CocoMaskError, MaskFileError
from ...fiftyone_types import SampleCollection
from ...geometry.decoding import read_image
from ...geometry.objects import Canvas
from ...geometry.patches import Patch, patch_box
from ...unfinished import GroupedWrites
from ..database_errors import explain_database_errors
from ..documents import (
    Document,
    backing_dataset,
    num_samples,
    root_dataset,
    stream_documents,
)
from ..folders import safe_name
from ..label_fields import check_has_masks, draws_lines, is_mask_field, object_list_path
from ..labels import geometry_paths, label_documents, mask_objects
from ..masks.field import mask_options
from ..masks.files import MaskPaths, check_folders
from ..masks.stored import has_mask, read_array
from ..targets import checked_samples
from .mask_values import MaskValues, value_table
from .written_files import ExportedFiles, FileWriter


@explain_database_errors()
@checked
def export_masks(
    samples: fo.Dataset | fo.DatasetView,
    mask_field: str,
    output_dir: str | Path | None = None,
    *,
    beside_images: bool = False,
    suffix: str = "_mask",
    values: Values = "binary",
    per_class: bool = False,
    progress: Any = None,
) -> ExportedFiles:
    """Writes masks as PNG files: by default 255 wherever a mask is not 0.

    A file is ``<output_dir>/<split>/<image's name without its last extension>
    <suffix>.png``, or the same beside the image. A file that is there with other
    content is not replaced but reported.

    Args:
        samples: the dataset or view
        mask_field: a ``Segmentation`` field
        output_dir: the folder of the files
        beside_images: whether to write them beside the images instead
        suffix: what to put behind the images' names
        values: ``"binary"`` for 0 and 255, ``"class"`` for the class values of semantic
            masks, ``"instance"`` for the numbers of instance masks, as stored (16 bits
            where 8 do not hold them). A table beside the masks says what they mean:
            ``classes.csv`` or ``instances.csv``, with a number where the folder has
            one of other masks. Labels that were changed since a mask was drawn are not
            named: compute the masks again first
        per_class: whether to write a 0/255 mask for each class that an image has, in a
            folder for each class; needs semantic masks
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Returns:
        an :class:`ExportedFiles`

    Raises:
        CocoMaskError: if an argument does not fit
        MaskFileError: if a file cannot be written
    """
    samples = checked_samples(samples)
    check_has_masks(backing_dataset(samples), mask_field)
    if (output_dir is None) != beside_images:
        raise CocoMaskError(
            "Give either output_dir= or beside_images=True to say where masks go"
        )
    if "/" in suffix or "\\" in suffix:
        raise CocoMaskError(f"suffix must be a part of a file name, not {suffix!r}")
    meaning = MaskValues.of_field(
        backing_dataset(samples), mask_field, values, per_class
    )
    if beside_images and meaning.has_table:
        raise CocoMaskError(
            "values= and per_class= need output_dir=, since a table lies beside the "
            "masks"
        )
    report = ExportedFiles(None if output_dir is None else _absolute(output_dir))
    folder = Path(report.output_dir or "")
    if not beside_images:
        places = ["", *meaning.folders().values()] if per_class else [""]
        check_folders(backing_dataset(samples), folder, places)
    paths = MaskPaths(backing_dataset(samples), folder)

    def path_of(document: Document) -> Path:
        if beside_images:
            image = Path(document["filepath"])
            return image.with_name(f"{image.stem}{suffix}.png")
        path = paths.path_of(document)
        return path.with_name(f"{path.stem}{suffix}.png")

    read = [*_sample_paths(samples), f"{mask_field}.mask", f"{mask_field}.mask_path"]
    numbered = meaning.numbered(samples, mask_field)
    with GroupedWrites() as writes, value_table(folder, meaning) as table:
        files = FileWriter(report, writes)
        for document in _documents(samples, read, progress):
            mask = _mask_of(document, mask_field, report)
            if mask is None:
                continue
            path = path_of(document)
            try:
                made = list(meaning.files(mask))
            except MaskFileError as error:
                report.skip(document, str(error))
                continue
            for place, data in made:
                target = folder / place / path.relative_to(folder) if place else path
                if files.write(document, target, data) and table is not None:
                    name = target.relative_to(folder).as_posix()
                    objects = numbered(document["_id"])
                    table.write(meaning.instances(objects, mask, name))
    report.files += meaning.has_table
    return report


@explain_database_errors()
@checked
def export_cutouts(
    samples: fo.Dataset | fo.DatasetView,
    label_or_mask_field: str,
    output_dir: str | Path,
    *,
    crop: bool = True,
    progress: Any = None,
) -> ExportedFiles:
    """Writes objects, or whole foregrounds, as RGBA PNG files.

    Everything else is transparent. Of a label field each object is written, as
    ``<split>/<image's name>_<number>_<class>.png``; of a mask field each image's
    foreground, as ``<split>/<image's name>.png``.

    Args:
        samples: the dataset or view
        label_or_mask_field: a field of Polylines, Detections with masks, or a
            ``Segmentation``
        output_dir: the folder of the files
        crop: whether to leave only the rectangle around the foreground
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Returns:
        an :class:`ExportedFiles`

    Raises:
        CocoMaskError: if the field does not fit
        MaskFileError: if a file cannot be written
    """
    name = label_or_mask_field
    samples = checked_samples(samples)
    report = ExportedFiles(_absolute(output_dir))
    dataset, folder = backing_dataset(samples), Path(str(report.output_dir))
    check_folders(dataset, folder)
    paths = MaskPaths(dataset, folder)
    patches: Callable[[Document, int, int], Iterator[tuple[str, Patch]]]
    if is_mask_field(samples, name):
        read = [f"{name}.mask", f"{name}.mask_path"]

        def patches(document: Document, height: int, width: int) -> Any:
            return _foreground(document, name, (height, width), report)
    else:
        object_list_path(samples, name)
        read = geometry_paths(samples, name)
        rasterizer = _rasterizer_of(samples, name)
        lines = draws_lines(root_dataset(samples), name)

        def patches(document: Document, height: int, width: int) -> Any:
            canvas = Canvas(height, width, rasterizer)
            return _objects(document, name, canvas, lines, report)

    with GroupedWrites() as writes:
        files = FileWriter(report, writes)
        for document in _documents(samples, [*_sample_paths(samples), *read], progress):
            image = read_image(document["filepath"], cv2.IMREAD_COLOR)
            if image is None:
                report.skip(document, "its image cannot be read")
                continue
            base = paths.path_of(document)
            for ending, patch in patches(document, *image.shape[:2]):
                if patch.area:
                    path = base.with_name(f"{safe_name(base.stem + ending)}.png")
                    files.write(document, path, _rgba_png(image, patch, crop))
                else:
                    what = f"object {ending.strip('_')}" if ending else "its mask"
                    report.skip(document, f"{what} has no foreground pixel")
    return report


def _documents(
    samples: SampleCollection, paths: list[str], progress: Any
) -> Iterator[Document]:
    with fou.ProgressBar(total=num_samples(samples), progress=progress) as bar:
        for batch in stream_documents(samples, paths):
            for document in batch:
                yield document
                bar.update()


def _sample_paths(samples: SampleCollection) -> list[str]:
    return [path for path in MaskPaths.PATHS if samples.has_field(path)]


def _mask_of(
    document: Document, mask_field: str, report: ExportedFiles
) -> np.ndarray | None:
    """Returns a sample's mask, or None, which is then reported."""
    mask = document.get(mask_field) or {}
    if not has_mask(mask):
        report.skip(document, f"it has no mask in '{mask_field}'")
        return None
    try:
        return read_array(mask)
    except MaskFileError as error:
        report.skip(document, str(error))
        return None


def _foreground(
    document: Document, name: str, size: tuple[int, int], report: ExportedFiles
) -> Iterator[tuple[str, Patch]]:
    mask = _mask_of(document, name, report)
    if mask is None:
        return
    if mask.shape != size:
        report.skip(document, f"its mask has {mask.shape} pixels, its image {size}")
        return
    yield "", Patch(0, 0, mask != 0)


def _objects(
    document: Document, name: str, canvas: Canvas, lines: bool, report: ExportedFiles
) -> Iterator[tuple[str, Patch]]:
    value = document.get(name)
    objects = mask_objects(value, canvas.width, canvas.height, lines=lines)
    for item in objects:
        yield _ending(item.index, item.label), canvas.patch(item.geometry)
    drawable = {item.index for item in objects}
    for index, label in enumerate(label_documents(value)):
        if index not in drawable:
            ending = _ending(index, label.get("label")).strip("_")
            report.skip(document, f"object {ending} has no shape that can be drawn")


def _ending(index: int, label: str | None) -> str:
    return f"_{index}_{safe_name(label)}" if label else f"_{index}"


def _rgba_png(image: np.ndarray, patch: Patch, crop: bool) -> bytes:
    """Returns an image as a PNG in which all but a patch is transparent."""
    box = patch_box(patch) if crop else None
    if box is None:
        alpha = np.zeros(image.shape[:2], np.uint8)
        alpha[patch.window] = patch.mask * np.uint8(255)
    else:
        x, y, width, height = box
        image = image[y : y + height, x : x + width]
        top, left = y - patch.y, x - patch.x
        inside = patch.mask[top : top + height, left : left + width]
        alpha = inside * np.uint8(255)
    # Colours that nobody sees are not part of a cut-out.
    rgba = np.dstack([image * (alpha[..., None] > 0), alpha])
    return cv2.imencode(".png", rgba)[1].tobytes()


def _rasterizer_of(samples: SampleCollection, label_field: str) -> Any:
    """Returns the rasterizer of the masks that were drawn from a label field."""
    for name in samples.get_field_schema():
        options = mask_options(samples, name)
        # Fields of evaluations have notes too, of other kinds.
        if options and options.get("label_field") == label_field:
            return options.get("rasterizer", "coco")
    return "coco"


def _absolute(path: str | Path) -> str:
    if not isinstance(path, (str, Path)) or not str(path).strip():
        raise CocoMaskError(f"output_dir must be a folder, not {path!r}")
    return fos.normalize_path(str(path))
