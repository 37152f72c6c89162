"""What an export to COCO is asked to write: its samples, and the fields of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import fiftyone as fo

from ...choices import Area, Masks
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..documents import (
    backing_dataset,
    has_samples,
    is_generated,
    serialized,
    ungrouped_samples,
)
from ..import_base.base import DEFAULT_FIELDS, Fields
from ..import_base.fields import written_as
from ..import_base.info import export_info, fields_of
from ..label_fields import OBJECT_LISTS, object_fields
from ..label_lists import LabelList, boxes_beside
from ..owned_fields import field_owner

# Stages of views that choose samples and leave their labels alone.
_STAGES_OF_SAMPLES = frozenset(
    {
        "Exclude", "ExcludeBy", "ExcludeFields", "Exists", "Limit", "Match",
        "MatchFrames", "MatchLabels", "MatchTags", "Select", "SelectBy",
        "SelectFields", "Shuffle", "Skip", "SortBy", "SortBySimilarity", "Take",
    }
)  # fmt: skip
# Behind the key of an evaluation of FiftyOne's: the attributes that it gives labels.
_OF_EVALUATION = ("", "_id", "_iou")


@dataclass(frozen=True, slots=True)
class LabelFields:
    """Where labels are, and how they are written.

    Attributes:
        label_field: the field of the objects
        label_list: the list that it keeps them in; None where it is one label
        box_field: the field of the same objects' boxes, if there is one
        box_list: the list that it keeps them in
        written_as: what the import's two fields were called when it wrote these, by
            which its base goes; None if none did, or it left no base
        is_imported: whether an import wrote both of these fields
        area: what ``area`` is of new and edited objects
        masks: how instance masks are written
        owned: the names of attributes that evaluations wrote, which stay here
        has_lone_boxes: whether boxes that belong to no object are objects too
    """

    label_field: str
    label_list: str | None
    box_field: str | None
    box_list: str | None
    written_as: Fields | None
    is_imported: bool
    area: Area
    masks: Masks
    owned: frozenset[str]
    has_lone_boxes: bool = True

    @property
    def paths(self) -> list[str]:
        """The paths of the labels, of the objects first."""
        paths = [list_path(self.label_field, self.label_list)]
        if self.box_field is not None:
            paths.append(list_path(self.box_field, self.box_list))
        return paths


def check_choice(option: str, value: Any, choices: Any) -> None:
    """Checks that a value is one of a ``Literal``'s."""
    known = get_args(choices)
    if value not in known:
        listed = ", ".join(repr(choice) for choice in known[:-1])
        raise CocoMaskError(
            f"{option} must be {listed} or {known[-1]!r}, not {value!r}"
        )


def images_of(
    samples: SampleCollection,
) -> tuple[fo.Dataset | fo.DatasetView, str | None]:
    """Returns the images of a dataset or view: of a grouped one, those of all slices.

    Returns:
        the images, and what is to be said of the slices that are not among them

    Raises:
        CocoMaskError: if there are none
    """
    if not isinstance(samples, (fo.Dataset, fo.DatasetView)):
        raise CocoMaskError(
            f"samples must be a dataset or view, not {type(samples).__name__}"
        )
    if is_generated(samples):
        raise CocoMaskError(
            "samples is a view of patches, clips or frames; give the view of the "
            "images that it was made of"
        )
    samples = ungrouped_samples(samples)
    if not has_samples(samples):
        raise CocoMaskError(f"There are no samples in {samples.name or 'the view'}")
    if samples.media_type == "image":
        return samples, None
    found = samples.media_type
    if found == "group":
        slices = samples.group_media_types
        if "image" in slices.values():
            return _images_of_groups(samples, slices)
        found = f"{', '.join(sorted(set(slices.values())))} slices of groups, no"
    raise CocoMaskError(
        f"'{backing_dataset(samples).name}' holds {found} samples; a COCO export "
        "holds images"
    )


def _images_of_groups(
    samples: SampleCollection, slices: dict[str, str]
) -> tuple[fo.Dataset | fo.DatasetView, str | None]:
    images = [name for name, media_type in slices.items() if media_type == "image"]
    others = [name for name in slices if name not in images]
    if isinstance(samples, fo.DatasetView):
        stages = {stage["_cls"].rpartition(".")[2] for stage in serialized(samples)}
        active = samples.group_slice
        # FiftyOne takes the other slices from the dataset, with labels that the view
        # has filtered or changed in the active one.
        if active in images and not stages <= _STAGES_OF_SAMPLES and len(images) > 1:
            left = ", ".join(name for name in slices if name != active)
            return samples, (
                f"Only slice '{active}' of the groups was written, as the view changes "
                f"its labels; not {left}"
            )
    said = None
    if others:
        kinds = ", ".join(f"'{name}' ({slices[name]})" for name in others)
        said = f"A COCO export holds images; these slices were left out: {kinds}"
    return samples.select_group_slices(images), said


def label_fields(
    samples: SampleCollection,
    label_field: str,
    box_field: str,
    area: Area,
    masks: Masks,
) -> LabelFields:
    """Returns where the labels of samples are.

    Raises:
        CocoMaskError: if ``label_field`` does not hold objects
    """
    dataset = backing_dataset(samples)
    shown = samples.get_field_schema()
    # Boxes that a view hides are those of its objects all the same.
    schema = {**dataset.get_field_schema(), **shown}
    if box_field not in schema or _is_of_others(dataset, label_field, box_field):
        box_field = own_box_field(samples, label_field)
    lists = {}
    for name in (label_field, box_field):
        of_name = shown if name == label_field else schema
        found = of_name.get(name) if isinstance(name, str) else None
        kind = getattr(found, "document_type", None)
        if kind in OBJECT_LISTS:
            lists[name] = OBJECT_LISTS[kind]
    if label_field not in lists and box_field in lists and box_field in shown:
        # A dataset of boxes only, unless their polygons have another name by now.
        if label_field != DEFAULT_FIELDS[0] or _has_polygons_of_boxes(samples):
            raise _no_such_field(samples, label_field)
        label_field = box_field
    if label_field not in lists:
        raise _no_such_field(samples, label_field)
    imported = fields_of(export_info(dataset, label_field))
    flat = dataset.get_field_schema(flat=True)
    has_boxes = (
        box_field in lists
        # Detections have boxes of their own.
        and lists[label_field] == "polylines"
        and lists[box_field] == "detections"
        and all(
            f"{list_path(name, lists[name])}.coco_id" in flat
            for name in (label_field, box_field)
        )
    )
    is_of_boxes = lists[label_field] == "detections"
    names = written_as(
        dataset,
        (None, label_field)
        if is_of_boxes
        else (label_field, box_field if has_boxes else None),
    )
    prefixes = [f"{list_path(name, lists[name])}." for name in lists]
    owned = {
        path.rpartition(".")[2]
        for path, found in flat.items()
        if path.startswith(tuple(prefixes)) and field_owner(found)
    }
    # What FiftyOne's own evaluations write on labels, on the ground truth's too.
    keys = dataset.list_evaluations(type="detection")
    owned |= {f"{key}{end}" for key in keys for end in _OF_EVALUATION}
    return LabelFields(
        label_field,
        lists[label_field],
        box_field if has_boxes else None,
        lists[box_field] if has_boxes else None,
        names,
        has_boxes and (names is not None or (label_field, box_field) == imported),
        area,
        masks,
        frozenset(owned),
    )


def own_box_field(samples: SampleCollection, label_field: str) -> str:
    """Returns the field of boxes that an import wrote beside one of polylines.

    It is the usual one where there is none.
    """
    dataset = backing_dataset(samples)
    if label_field not in object_fields(dataset):
        return DEFAULT_FIELDS[1]
    boxes = boxes_beside(dataset, LabelList.of_field(dataset, label_field))
    return DEFAULT_FIELDS[1] if boxes is None else boxes.field


def _is_of_others(dataset: fo.Dataset, label_field: str, box_field: str) -> bool:
    """Whether an import wrote boxes with other labels than these."""
    return (
        written_as(dataset, (label_field, box_field)) is None
        and written_as(dataset, (None, box_field)) is not None
    )


def list_path(field_name: str, list_name: str | None) -> str:
    """Returns the path of a field's labels."""
    return f"{field_name}.{list_name}" if list_name else field_name


def _has_polygons_of_boxes(samples: SampleCollection) -> bool:
    """Whether a field has polygons of annotations, as an import has written them."""
    return any(
        samples.has_field(f"{name}.polylines.coco_id")
        for name in samples.get_field_schema(embedded_doc_type=fo.Polylines)
    )


def _no_such_field(samples: SampleCollection, label_field: Any) -> CocoMaskError:
    fitting = object_fields(samples)
    has = f"it has {', '.join(fitting)}" if fitting else "it has none"
    return CocoMaskError(
        f"Dataset '{backing_dataset(samples).name}' has no field {label_field!r} of "
        f"Polylines or Detections; {has}"
    )
