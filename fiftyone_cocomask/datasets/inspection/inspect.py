"""One sample looked at closely: its pictures, areas, hidden objects and issues."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou
import numpy as np
from bson import ObjectId
from bson.errors import InvalidId

from ...errors import CocoMaskError
from ...geometry.draw import object_areas
from ...geometry.png import mask_strips
from ...words import agree, part_of
from ..documents import Document, all_images, read_documents
from ..import_base.info import export_info
from ..issues.rules import MaskIssue
from ..label_fields import check_has_masks, mask_fields, object_fields
from ..label_lists import ANNOTATION_IDS, LabelList
from ..masks.field import class_names, mask_options
from ..masks.options import MaskOptions
from ..measuring.measure import (
    NO_LABEL,
    LabelFigures,
    MaskFigures,
    drawing_options,
    drawn_figures,
    measure_labels,
    measure_mask,
)
from ..measuring.reading import SampleReader, SampleRecord
from .issues import sample_issues
from .pictures import (
    MAX_DECODED_BYTES,
    draw_pictures,
    image_header,
    mask_thumbnail,
    read_thumbnail,
    strip_rows,
)
from .result import ClassArea, MaskState, ObjectArea, SampleInspection

# Counting what objects hide of each other takes arrays of the image's size: of larger
# images it is told only where it was counted when the mask was drawn.
_MAX_DRAWN_PIXELS = 2**26

_NAMES = ("split", "file_name", "import_issues")
_ATTRIBUTES = (*ANNOTATION_IDS, "tags")
_DEFAULT_OPTIONS = MaskOptions()


def label_field_of(dataset: fo.Dataset, mask_field: str | None) -> str | None:
    """Returns the field of the objects that a mask field's masks are of.

    That is the one they were drawn from, where that is known; else the first field of
    Polylines, which are objects always, or of Detections, which may be.
    """
    fields = object_fields(dataset)
    made = mask_options(dataset, mask_field) if mask_field is not None else None
    if made is not None and made["label_field"] in fields:
        return str(made["label_field"])
    schema = dataset.get_field_schema()
    polylines = [
        name
        for name in fields
        if schema[name].document_type in (fo.Polylines, fo.Polyline)
    ]
    return next(iter([*polylines, *fields]), None)


def inspect_sample(
    dataset: fo.Dataset, sample_id: str, mask_field: str | None = None
) -> SampleInspection:
    """Looks at one sample: reads its image, its mask and its labels, and nothing else.

    Args:
        dataset: the dataset
        sample_id: the sample's id
        mask_field: the field of the mask; by default the first one that there is

    Returns:
        a :class:`SampleInspection`; a mask that is not there or cannot be read is told
        in its ``problem``

    Raises:
        CocoMaskError: if there is no such sample or field, or it is not an image
    """
    if mask_field is None:
        mask_field = next(iter(mask_fields(dataset)), None)
    else:
        check_has_masks(dataset, mask_field)
    label_field = label_field_of(dataset, mask_field)
    record = _read(dataset, sample_id, mask_field, label_field)
    found = SampleInspection(
        str(record.sample_id), record.filepath, mask_field, label_field
    )
    found.issues = sample_issues(
        record.values.get("import_issues") or [],
        export_info(dataset, label_field).get("report") or {},
        record.values.get("split"),
        record.values.get("file_name"),
    )
    image = _look_at_image(found, record)
    names = class_names(dataset, mask_field) if mask_field is not None else None
    mask = _look_at_mask(found, record, by_value=names is not None)
    labels = _look_at_labels(found, record, _options(dataset, mask_field, label_field))
    found.classes = _class_areas(found, mask, labels, names)
    if mask is not None and labels is not None:
        _compare(found, mask, labels)
    thumbnail = None if mask is None else _mask_thumbnail(found, record)
    found.pictures = draw_pictures(
        image, thumbnail, by_value=_has_classes(thumbnail, names)
    )
    return found


def _read(
    dataset: fo.Dataset, sample_id: str, mask_field: str | None, label_field: str | None
) -> SampleRecord:
    try:
        ids = [ObjectId(sample_id)]
    except (InvalidId, TypeError):
        ids = []
    documents = read_documents(dataset, ids, ["_media_type"])
    if not documents:
        raise CocoMaskError(
            f"Dataset '{dataset.name}' has no sample {sample_id} any more; open another"
        )
    media_type = documents[0].get("_media_type")
    if media_type not in ("image", None):
        raise CocoMaskError(
            f"This sample is of media type {media_type}; masks are of images, so open "
            "a sample that is an image"
        )
    samples = all_images(dataset)
    labels = None if label_field is None else LabelList.of_field(dataset, label_field)
    reader = SampleReader(
        samples.select(sample_id), mask_field, labels, _NAMES, _ATTRIBUTES
    )
    return next(reader.batches())[0]


def _options(
    dataset: fo.Dataset, mask_field: str | None, label_field: str | None
) -> MaskOptions:
    if mask_field is None or label_field is None:
        return _DEFAULT_OPTIONS
    return drawing_options(dataset, mask_field, label_field)


def _look_at_image(found: SampleInspection, record: SampleRecord) -> np.ndarray | None:
    """Returns the thumbnail of the image, and finds out its size."""
    try:
        header = image_header(record.filepath)
        size = (header.width, header.height)
        found.size = record.size = record.size or size
        if found.size != size:
            found.notes.append(
                f"The image has {_by(size)} pixels, but the sample's metadata says "
                f"{_by(found.size)}; compute the metadata again"
            )
        return read_thumbnail(record.filepath, header)
    except CocoMaskError as error:
        found.size = record.size
        found.notes.append(str(error))
        return None


def _look_at_mask(
    found: SampleInspection, record: SampleRecord, *, by_value: bool
) -> MaskFigures | None:
    """Counts the mask's pixels, or says why it cannot be shown."""
    if found.mask_field is None:
        found.state = MaskState.NO_FIELD
        return None
    mask = record.mask
    if not mask or (mask.get("mask") is None and not mask.get("mask_path")):
        found.state = MaskState.NONE
        found.problem = f"This sample has no mask in '{found.mask_field}'"
        return None
    try:
        if mask.get("mask") is None:
            _check_size(mask["mask_path"])
        figures = measure_mask(mask, found.size, by_value=by_value)
    except CocoMaskError as error:
        found.state = MaskState.UNREADABLE
        message = str(error)
        found.problem = message[:1].upper() + message[1:]
        return None
    found.foreground_px = figures.foreground_px
    found.coverage = figures.foreground_px / figures.mask_px
    return figures


def _check_size(path: str) -> None:
    """Checks that a mask can be decoded without taking all memory.

    Raises:
        CocoMaskError: if it cannot, or is not there
    """
    header = image_header(path, "mask")
    bytes_per_pixel = 2 if header.mode.startswith("I") else 1
    width, height = header.width, header.height
    if width * height * bytes_per_pixel > MAX_DECODED_BYTES:
        raise CocoMaskError(
            f"The mask {path} of {width:,} x {height:,} pixels is too large to be shown"
        )


def _look_at_labels(
    found: SampleInspection, record: SampleRecord, options: MaskOptions
) -> LabelFigures | None:
    """Counts the objects' pixels; None where there are no objects or no size."""
    if found.label_field is None or found.size is None or not record.label_ids:
        return None
    try:
        figures = drawn_figures(record, options)
        if figures is None and math.prod(found.size) > _MAX_DRAWN_PIXELS:
            figures = _own_areas(record, found.size, options)
            found.notes.append(
                "In an image this large, what objects hide of each other is shown only "
                "while its mask is up to date with its labels"
            )
        if figures is None:
            figures = measure_labels(record.label(), *found.size, options, record.boxes)
    except CocoMaskError as error:
        found.notes.append(f"The objects are not measured: {error}")
        return None
    found.objects = _object_areas(record, figures)
    if _is_drawn(figures):
        found.overlap_px = figures.overlap_px
    without = figures.px.count(None)
    if without:
        found.notes.append(
            f"{part_of(without, len(figures.px), 'label')} in '{found.label_field}' "
            f"{agree(without, 'has', 'have')} no outline, so no area"
        )
    return figures


def _is_drawn(figures: LabelFigures) -> bool:
    """Whether it is known what is visible of the labels."""
    return any(px is not None for px in figures.visible_px)


def _own_areas(
    record: SampleRecord, size: tuple[int, int], options: MaskOptions
) -> LabelFigures:
    """Returns the labels' own areas; what is visible of them is not known."""
    width, height = size
    number = len(record.label_ids)
    figures = LabelFigures(
        labels=record.attributes["label"],
        px=[None] * number,
        visible_px=[None] * number,
        image_px=width * height,
    )
    items = options.objects(record.label(), width, height)
    areas = object_areas(
        [item.geometry for item in items], height, width, options.rasterizer
    )
    for item, area in zip(items, areas, strict=True):
        figures.px[item.index] = int(area)
    return figures


def _object_areas(record: SampleRecord, figures: LabelFigures) -> list[ObjectArea]:
    ids, texts, tags = (record.attributes[name] for name in _ATTRIBUTES)
    objects = []
    for index, label_id in enumerate(record.label_ids):
        coco_id = ids[index] if ids[index] is not None else texts[index]
        px, label = figures.px[index], figures.labels[index]
        objects.append(
            ObjectArea(
                label_id=str(label_id),
                name=str(index + 1 if coco_id is None else coco_id),
                label=NO_LABEL if label is None else label,
                px=px,
                visible_px=figures.visible_px[index],
                ratio=(px or 0) / figures.image_px,
                issues=_issues_of(tags[index]),
            )
        )
    # What a person came for is in sight, also a tiny object of hundreds.
    return sorted(objects, key=lambda item: (not item.issues, -(item.px or 0)))


def _issues_of(tags: Any) -> tuple[str, ...]:
    """Returns the issues that tags of a label name, as searches set them."""
    known = {issue.value for issue in MaskIssue}
    named = (str(tag).rpartition(":")[2] for tag in tags or [] if ":" in str(tag))
    return tuple(dict.fromkeys(name for name in named if name in known))


def _class_areas(
    found: SampleInspection,
    mask: MaskFigures | None,
    labels: LabelFigures | None,
    names: dict[int, str] | None,
) -> list[ClassArea]:
    """Returns the area of each class: in the mask, where its values are classes."""
    visible: dict[str, int | None] = {}
    values: dict[str, int] = {}
    in_mask = mask is not None and any(v in (names or {}) for v in mask.values)
    if mask is not None and in_mask:
        for value, count in mask.values.items():
            name = (names or {}).get(value, str(value))
            visible[name] = (visible.get(name) or 0) + count
            values.setdefault(name, value)
        total = mask.mask_px
    elif labels is not None:
        visible.update(labels.visible_by_class())
        total = labels.image_px
    else:
        return []
    objects: dict[str, list[int]] = {}
    for item in found.objects:
        if item.px is not None:
            objects.setdefault(item.label, []).append(item.px)
    areas = []
    for name in dict.fromkeys([*visible, *objects]):
        # A class of which nothing is in a mask of classes has no pixel there.
        seen = visible.get(name, 0 if in_mask else None)
        px = sum(objects[name]) if name in objects else None
        areas.append(
            ClassArea(
                name=name,
                value=values.get(name),
                objects=len(objects[name]) if name in objects else None,
                px=px,
                visible_px=seen,
                ratio=(px or 0 if seen is None else seen) / total,
            )
        )
    return sorted(areas, key=lambda area: -area.ratio)


def _compare(found: SampleInspection, mask: MaskFigures, labels: LabelFigures) -> None:
    """Notes that a mask is not what its labels would make."""
    if (
        _is_drawn(labels)
        and mask.mask_px == labels.image_px
        and mask.foreground_px != labels.drawn_px
    ):
        found.notes.append(
            f"The mask covers {mask.foreground_px:,} px, the objects of "
            f"'{found.label_field}' {labels.drawn_px:,} px: it is out of date, or was "
            "not drawn from them. Compute masks again"
        )


def _mask_thumbnail(found: SampleInspection, record: SampleRecord) -> np.ndarray:
    mask: Document = record.mask or {}
    if mask.get("mask") is not None:
        array = fou.deserialize_numpy_array(mask["mask"])
        height, width = array.shape
        strips: Iterable[np.ndarray] = [array]
    else:
        header = image_header(mask["mask_path"], "mask")
        height, width = header.height, header.width
        strips = mask_strips(mask["mask_path"], strip_rows(width, height))
    if found.size not in (None, (width, height)):
        found.notes.append(
            f"The mask has {_by((width, height))} pixels, the image "
            f"{_by(found.size)}; it is shown stretched"
        )
    return mask_thumbnail(strips, width, height)


def _has_classes(mask: np.ndarray | None, names: dict[int, str] | None) -> bool:
    """Whether the values of a mask tell classes or objects apart."""
    if mask is None:
        return False
    values = np.unique(mask[mask > 0]).tolist()
    return len(values) > 1 or any(value in (names or {}) for value in values)


def _by(size: tuple[int, int] | None) -> str:
    return "unknown" if size is None else f"{size[0]:,} x {size[1]:,}"
