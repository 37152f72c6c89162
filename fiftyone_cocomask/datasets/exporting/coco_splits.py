"""The splits of an export to COCO: what is known of them first, and their JSONs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ...coco.attributes import decode_key
from ...coco.classes import SplitClasses, add_new_classes, class_name
from ...coco.layout import DEFAULT_SPLIT
from ...coco.originals import AnnotationForm
from ...coco.writing import CocoWriter, Ids
from ...fiftyone_types import SampleCollection
from ..documents import Document, aggregate_documents, backing_dataset
from ..import_base.base import BASE_FIELD
from .coco_fields import LabelFields
from .coco_folder import ExportFolder
from .coco_images import json_object
from .coco_labels import LabelWriter

_SPLIT_TAGS = ("train", "valid", "val", "validation", "test")


@dataclass(slots=True)
class Split:
    """One split as it is written.

    Attributes:
        name: its name
        folder: its folder
        place: the same from the export's folder, with ``/``; empty for that itself
        writer: writes its JSON
        header: all of its JSON but images and annotations
        classes: its categories
        labels: makes its annotations
        labels_from: makes those of images that the import had in another split
        image_ids: gives its images ids
        annotation_ids: gives its annotations ids
    """

    name: str
    folder: Path
    place: str
    writer: CocoWriter
    header: dict[str, Any]
    classes: SplitClasses
    labels: LabelWriter
    labels_from: Callable[[Any], LabelWriter]
    image_ids: Ids
    annotation_ids: Ids

    def labels_of(self, document: Document) -> LabelWriter:
        """Returns what makes annotations of a sample.

        What the import kept goes by the form of the split that it was in then.
        """
        return self.labels_from((document.get(BASE_FIELD) or {}).get("split"))

    def finish(self) -> None:
        """Writes the JSON, which :meth:`CocoWriter.publish` gives its name."""
        self.header["categories"] = self.classes.entries
        self.writer.finish(self.header)


@dataclass(slots=True)
class _Known:
    """What is known of the samples before any is written.

    Attributes:
        classes: the classes that their labels have
        image_ids: by split the largest id of an image
        annotation_ids: by split the largest id of an annotation
        came_from: by split the splits that the import had its images in
    """

    classes: list[str] = field(default_factory=list)
    image_ids: dict[str, int | None] = field(default_factory=dict)
    annotation_ids: dict[str, int | None] = field(default_factory=dict)
    came_from: dict[str, set[str]] = field(default_factory=dict)


class Splits:
    """The splits of a dataset or view.

    Args:
        samples: the images
        fields: where their labels are
        info: what the import kept of the export, if there was one
    """

    def __init__(
        self, samples: SampleCollection, fields: LabelFields, info: Mapping[str, Any]
    ) -> None:
        self._fields = fields
        self._info = info
        dataset = backing_dataset(samples)
        self._has_field = dataset.has_field("split")
        self._wanted = {
            name: value
            for value, name in (dataset.default_mask_targets or {}).items()
            if value > 0
        }
        self._known = self._look_ahead(samples)

    def name_of(self, document: Document) -> str:
        """Returns the split of a sample."""
        split = document.get("split") if self._has_field else None
        if split is None:
            # As of images that a person has added to those of an import.
            split = [t for t in set(document.get("tags") or ()) if t in _SPLIT_TAGS]
        return _split_name(split)

    @property
    def names(self) -> list[str]:
        """The names of the splits."""
        return sorted(self._known.image_ids)

    def begin(
        self,
        target: ExportFolder,
        folders: Mapping[str, Path],
        splits: dict[str, Split],
    ) -> None:
        """Begins the JSONs.

        Args:
            target: the export's folder
            folders: the folder of each split
            splits: takes each split that was begun, so that all can be discarded
        """
        infos = self._info.get("splits")
        infos = infos if isinstance(infos, Mapping) else {}
        infos = {decode_key(name): facts for name, facts in infos.items()}
        counts = (self._info.get("report") or {}).get("counts") or {}
        described = {name: self._described_by(name, infos) for name in self.names}
        known = {name: infos.get(key) for name, key in described.items()}
        forms = {name: _form(info) for name, info in infos.items()}
        headers = {name: _header(info) for name, info in known.items()}
        classes = {
            name: SplitClasses(header["categories"], _labels_of(known[name]))
            for name, header in headers.items()
        }
        add_new_classes(classes, self._known.classes, self._wanted)
        target.begin()
        for name, header in headers.items():
            form = _form(known[name])
            with target.errors():
                writer = CocoWriter(
                    target.json_of(folders[name]), is_ordered=form.has_places
                )
            labels = LabelWriter(self._fields, classes[name], form)
            splits[name] = Split(
                name,
                folders[name],
                target.place_of(folders[name]),
                writer,
                header,
                classes[name],
                labels,
                _labels_from(labels, described[name], forms),
                Ids(self._known.image_ids[name]),
                Ids(
                    self._known.annotation_ids[name],
                    keep_repeated=bool(counts.get("duplicate_annotation_id")),
                ),
            )

    def _described_by(self, split: str, infos: Mapping[str, Any]) -> str:
        """Returns the split whose JSON says what there is to say of one's images.

        That of a split which the export did not have is the one that its images came
        from: training programs number classes by the list, so the lists stay alike.
        """
        if split in infos or not infos:
            return split
        candidates = [*sorted(self._known.came_from[split]), min(infos)]
        return next(name for name in candidates if name in infos)

    def _look_ahead(self, samples: SampleCollection) -> _Known:
        known = _Known()
        as_lists = [_as_list(path) for path in self._fields.paths]
        tags = {"$setIntersection": ["$tags", list(_SPLIT_TAGS)]}
        key: Any = {"$ifNull": [tags, []]}
        if self._has_field:
            key = {"$ifNull": ["$split", key]}
        ids = [{"$max": _of_each(values, "coco_id")} for values in as_lists]
        labels = {"$setUnion": [_of_each(values, "label") for values in as_lists]}
        read = {"key": key, "image": "$coco_id", "id": {"$max": ids}, "labels": labels}
        read["from"] = f"${BASE_FIELD}.split"
        largest = {"image": {"$max": "$image"}, "id": {"$max": "$id"}}
        largest["from"] = {"$addToSet": "$from"}
        (found,) = aggregate_documents(
            samples,
            [
                {"$project": read},
                {
                    "$facet": {
                        "splits": [{"$group": {"_id": "$key", **largest}}],
                        "classes": [
                            {"$unwind": "$labels"},
                            {"$group": {"_id": "$labels"}},
                        ],
                    }
                },
            ],
        )
        for split in found["splits"]:
            name = _split_name(split["_id"])
            before = known.came_from.setdefault(name, set())
            before.update(each for each in split["from"] if isinstance(each, str))
            for ids_of, value in (
                (known.image_ids, split["image"]),
                (known.annotation_ids, split["id"]),
            ):
                numbers = [ids_of.get(name), value]
                own = [int(number) for number in numbers if isinstance(number, int)]
                ids_of[name] = max(own, default=None)
        known.classes = sorted({class_name(each["_id"]) for each in found["classes"]})
        return known


def _split_name(value: Any) -> str:
    """Returns the split that a value of the field, or tags for splits, mean."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    if isinstance(value, str) and value.strip():
        return value
    return DEFAULT_SPLIT


def _header(info: Any) -> dict[str, Any]:
    """Returns the top of a split's JSON, with what readers insist on."""
    found = info if isinstance(info, Mapping) else {}
    header = json_object(found.get("header"))
    if not header:
        header = {key: found.get(key) for key in ("info", "licenses", "categories")}
    ordered = {"info": {}, "licenses": [], "categories": [], **header}
    for key, kind in (("info", dict), ("licenses", list), ("categories", list)):
        # Roboflow's uploader fails without them.
        if not isinstance(ordered[key], kind):
            ordered[key] = kind()
    return ordered


def _labels_from(
    own: LabelWriter, split: str, forms: Mapping[str, AnnotationForm]
) -> Callable[[Any], LabelWriter]:
    """Returns what makes annotations of images by the split that they were in before.

    Args:
        own: makes those of images that were in this split
        split: its name
        forms: the form of each split; there may be one for each image
    """

    @cache
    def labels_from(before: Any) -> LabelWriter:
        if before == split or before not in forms:
            return own
        return own.of_form(forms[before])

    return labels_from


def _form(info: Any) -> AnnotationForm:
    found = info.get("form") if isinstance(info, Mapping) else None
    return AnnotationForm.from_dict(found or {})


def _labels_of(info: Any) -> list[tuple[Any, str]]:
    found = info.get("labels") if isinstance(info, Mapping) else None
    return [(pair[0], pair[1]) for pair in found or [] if len(pair) == 2]


def _as_list(path: str) -> Document:
    """Returns an expression of the labels at a path, as a list."""
    value = f"${path}"
    single = {"$cond": [{"$eq": [{"$type": value}, "object"]}, [value], []]}
    return {"$cond": [{"$isArray": value}, value, single]}


def _of_each(labels: Document, name: str) -> Document:
    return {
        "$map": {
            "input": labels,
            "as": "label",
            "in": {"$ifNull": [f"$$label.{name}", None]},
        }
    }
