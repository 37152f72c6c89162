"""A dataset or view written back as the COCO export that Roboflow takes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import fiftyone as fo
import fiftyone.core.utils as fou

from ...arguments import checked
from ...coco.attributes import decode_key
from ...coco.classes import SplitClasses, add_new_classes, class_name
from ...coco.compared import FILEPATH, LABEL_ID, SAMPLE_ID
from ...coco.document import normal_id
from ...coco.frames import TurnedBack
from ...coco.images import ImageFileError, read_header
from ...coco.layout import DEFAULT_SPLIT
from ...coco.originals import AnnotationForm
from ...coco.uploading import uploader_warning
from ...coco.writing import CocoWriter, Ids
from ...errors import CocoMaskError
from ..documents import (
    Document,
    aggregate_documents,
    backing_dataset,
    explain_database_errors,
    read_documents,
    stream_documents,
)
from ..importing.base import BASE_FIELD, Change
from ..labels import OBJECT_LISTS, object_fields
from ..memory import frozen_heap
from ..owned_fields import field_owner
from ..parallel.ahead import one_ahead
from .coco_folder import ExportFolder, Images, ImageUnavailableError
from .coco_geometry import Area, LabelFields, Masks
from .coco_labels import Gone, LabelWriter, Loss, Written
from .coco_report import CocoExportReport

_SPLIT_TAGS = ("train", "valid", "val", "validation", "test")
_COUNTED = {
    Change.UNCHANGED: "unchanged",
    Change.EDITED: "edited",
    Change.RELABELLED: "relabelled",
    Change.ADDED: "added",
}
_BAR_STEP = 20
_IMPORTED_FIELDS = ("segmentations", "detections")


@explain_database_errors()
@checked
def export_roboflow_coco(
    samples: fo.Dataset | fo.DatasetView,
    output_dir: str | Path,
    *,
    label_field: str = "segmentations",
    box_field: str = "detections",
    images: Images = "copy",
    area: Area = "mask",
    masks: Masks = "rle",
    overwrite: bool = False,
    progress: Any = None,
) -> CocoExportReport:
    """Writes a dataset or view as an export that Roboflow and COCO's readers take.

    A folder for each split with ``_annotations.coco.json`` beside its images, one
    folder where there are no splits. An export that was imported and not changed comes
    back as it was: ids, categories, licences, attributes, boxes, areas, and the numbers
    of each segmentation. What was edited since is written as it is now.

    Example::

        import fiftyone_cocomask as fcm

        report = fcm.export_roboflow_coco(dataset, "/path/to/export")
        print(report.summary())

    Args:
        samples: the dataset or view; of a grouped dataset, its active slice. A view
            that filters labels leaves the others out
        output_dir: the folder to write to
        label_field: the objects: Polylines, or Detections with or without masks
        box_field: the field of the same objects' boxes, as the import makes it. Used
            where the labels of both have the ids of their annotations
        images: ``"copy"``, ``"link"`` (hard links, else copies) or ``"none"``
        area: ``area`` of new and edited objects: ``"mask"`` is their pixels, ``"box"``
            what Roboflow writes, width times height of the box
        masks: instance masks of Detections as ``"rle"``, or as ``"polygons"`` along
            the edges of their pixels
        overwrite: whether ``output_dir`` may hold files already. JSONs of earlier
            exports are replaced then, images never
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Returns:
        a :class:`CocoExportReport`

    Raises:
        CocoMaskError: if an argument does not fit, or the folder cannot be written to
        DatabaseError: if MongoDB goes away; run the same call again
    """
    _check_choice("images", images, Images)
    _check_choice("area", area, Area)
    _check_choice("masks", masks, Masks)
    _check_samples(samples)
    fields = _label_fields(samples, label_field, box_field, area, masks)
    export = _Export(samples, fields, output_dir, images, overwrite=overwrite)
    with ExitStack() as stack:
        stack.callback(export.discard)
        stack.enter_context(frozen_heap())
        bar = fou.ProgressBar(total=len(samples), progress=progress, iters_str="images")
        stack.enter_context(bar)
        for number, document in enumerate(export.documents(), start=1):
            export.add(document)
            # Drawing it for each image would take a tenth of the time.
            if not number % _BAR_STEP:
                bar.update(_BAR_STEP)
        bar.update(number % _BAR_STEP)
        return export.finish()


def write_for_comparison(
    samples: fo.Dataset | fo.DatasetView, output_dir: Path, label_field: str
) -> None:
    """Writes JSONs whose entries say which samples and labels they were made of.

    Args:
        samples: the dataset or view
        output_dir: an empty folder
        label_field: the objects

    Raises:
        CocoMaskError: if an argument does not fit
    """
    _check_samples(samples)
    fields = _label_fields(samples, label_field, _IMPORTED_FIELDS[1], "mask", "rle")
    export = _Export(samples, fields, output_dir, "none", overwrite=True, with_ids=True)
    with ExitStack() as stack:
        stack.callback(export.discard)
        stack.enter_context(frozen_heap())
        for document in export.documents():
            export.add(document)
        export.finish()


@dataclass(slots=True)
class _Split:
    """One split as it is written.

    Attributes:
        name: its name
        folder: its folder
        place: the same from the export's folder, with ``/``; empty for that itself
        writer: writes its JSON
        header: all of its JSON but images and annotations
        classes: its categories
        labels: makes its annotations
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
    image_ids: Ids
    annotation_ids: Ids


@dataclass(slots=True)
class _Known:
    """What is known of the samples before any is written.

    Attributes:
        splits: the splits that they have
        classes: the classes that their labels have
        image_ids: by split the largest id of an image
        annotation_ids: by split the largest id of an annotation
    """

    splits: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    image_ids: dict[str, int | None] = field(default_factory=dict)
    annotation_ids: dict[str, int | None] = field(default_factory=dict)


class _Export:
    """An export while it is written."""

    def __init__(
        self,
        samples: Any,
        fields: LabelFields,
        output_dir: str | Path,
        images: Images,
        *,
        overwrite: bool,
        with_ids: bool = False,
    ) -> None:
        self._with_ids = with_ids
        self._samples = samples
        self._dataset = backing_dataset(samples)
        self._fields = fields
        self._images = images
        info = self._dataset.info.get("coco")
        self._info: Mapping[str, Any] = info if isinstance(info, Mapping) else {}
        self._has_split = self._dataset.has_field("split")
        self._target = ExportFolder(output_dir, self._sources(), overwrite=overwrite)
        self.report = CocoExportReport(str(self._target.path))
        self._known = self._look_ahead()
        self._splits: dict[str, _Split] = {}
        self._missing: dict[Any, list[Gone]] = {}
        self._begin()

    def documents(self) -> Iterator[Document]:
        """Yields the documents of the samples."""
        fields = self._fields
        paths = ["filepath", "tags", "metadata", "file_name", "coco_id", "split"]
        paths += ["coco_original", BASE_FIELD]
        paths = [path for path in paths if self._dataset.has_field(path)]
        paths.append("coco_id_text")
        paths += [f for f in (fields.label_field, fields.box_field) if f is not None]
        for batch in one_ahead(stream_documents(self._samples, paths)):
            yield from batch
            self._count_missing()

    def add(self, document: Document) -> None:
        """Writes a sample: its image, its entry, its annotations."""
        split = self._splits[self._split_of(document)]
        filepath = document["filepath"]
        place = {"sample_id": str(document["_id"]), "filepath": filepath}
        size = _size_of(document)
        if size is None:
            self.report.lose("its size is not known: the file cannot be read", **place)
            return
        original = _json_object(document.get("coco_original"))
        turned = _turned_back(original.get("orientation"), size)
        name = self._target.name_for(split.folder, document.get("file_name"), filepath)
        if self._images != "none":
            try:
                name = self._target.put(filepath, split.folder, name, self._images)
                self.report.files_copied += 1
            except ImageUnavailableError as error:
                self.report.lose(f"its image cannot be read: {error}", **place)
        entry = _image_entry(document, name, size, turned, original, split.image_ids)
        if self._with_ids:
            entry |= {SAMPLE_ID: place["sample_id"], FILEPATH: filepath}
        warning = uploader_warning(name, split.place)
        if warning is not None:
            self.report.warn(warning)
        entries: list[dict[str, Any]] = []
        places: list[int | None] = []
        for found in split.labels.annotations(document, size, turned):
            if isinstance(found, Written):
                entries.append(self._annotation(split, found, entry["id"], place))
                places.append(found.place)
            elif isinstance(found, Loss):
                self.report.lose(found.reason, label_id=str(found.label_id), **place)
            else:
                self._missing.setdefault(document["_id"], []).append(found)
        with self._target.errors():
            split.writer.add(entry, entries, places)

    def finish(self) -> CocoExportReport:
        """Writes the JSONs and gives them their names."""
        report = self.report
        with self._target.errors():
            for split in self._splits.values():
                split.header["categories"] = split.classes.entries
                split.writer.finish(split.header)
            for split in self._splits.values():
                split.writer.publish()
        self._target.end()
        for name, split in self._splits.items():
            writer = split.writer
            report.splits[name] = {
                "images": writer.num_images,
                "annotations": writer.num_annotations,
            }
            report.images += writer.num_images
            report.annotations += writer.num_annotations
        self._warn_of_others()
        self._lose_what_the_import_lost()
        return report

    def discard(self) -> None:
        """Removes what was begun and not finished."""
        for split in self._splits.values():
            split.writer.discard()

    def _annotation(
        self, split: _Split, found: Written, image_id: Any, place: dict[str, str]
    ) -> dict[str, Any]:
        """Returns the entry of an annotation, and counts it."""
        if found.lost:
            self.report.lose(
                f"JSON cannot hold its attributes {', '.join(found.lost)}",
                label_id=str(found.label_id),
                **place,
            )
        own_id = found.coco_id
        if type(own_id) is not int:
            own_id = normal_id(own_id)
        identifier: Any = split.annotation_ids.own(own_id)
        if identifier == own_id:
            identifier = found.coco_id
        counted = _COUNTED[found.change]
        setattr(self.report, counted, getattr(self.report, counted) + 1)
        if found.has_rle:
            self.report.warn(
                "Some annotations are RLE, which COCO's readers take; whether Roboflow "
                "keeps RLE is not documented. Polygons are safe there"
            )
        entry = {"id": identifier, "image_id": image_id, **found.entry}
        if self._with_ids:
            entry[LABEL_ID] = str(found.label_id)
        return entry

    def _sources(self) -> list[Path]:
        """Returns the folders that the dataset's exports came from."""
        path = self._info.get("path")
        if not isinstance(path, str) or not path or not os.path.isdir(path):
            return []
        return [Path(path)]

    def _look_ahead(self) -> _Known:
        fields = self._fields
        known = _Known()
        lists = [_list_path(fields.label_field, fields.label_list)]
        if fields.box_field is not None:
            lists.append(_list_path(fields.box_field, fields.box_list))
        as_lists = [_as_list(path) for path in lists]
        tags = {"$setIntersection": ["$tags", list(_SPLIT_TAGS)]}
        key = "$split" if self._has_split else {"$ifNull": [tags, []]}
        ids = [{"$max": _of_each(values, "coco_id")} for values in as_lists]
        labels = {"$setUnion": [_of_each(values, "label") for values in as_lists]}
        read = {"key": key, "image": "$coco_id", "id": {"$max": ids}, "labels": labels}
        largest = {"image": {"$max": "$image"}, "id": {"$max": "$id"}}
        (found,) = aggregate_documents(
            self._samples,
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
            name = self._split_name(split["_id"])
            for ids_of, value in (
                (known.image_ids, split["image"]),
                (known.annotation_ids, split["id"]),
            ):
                numbers = [ids_of.get(name), value]
                own = [int(number) for number in numbers if isinstance(number, int)]
                ids_of[name] = max(own, default=None)
        known.splits = sorted(known.image_ids)
        known.classes = sorted({class_name(each["_id"]) for each in found["classes"]})
        return known

    def _split_of(self, document: Document) -> str:
        if self._has_split:
            return self._split_name(document.get("split"))
        return self._split_name(
            [t for t in document.get("tags") or () if t in _SPLIT_TAGS]
        )

    def _split_name(self, value: Any) -> str:
        """Returns the split that a value of the field, or tags for splits, mean."""
        if isinstance(value, list):
            value = value[0] if len(value) == 1 else None
        if isinstance(value, str) and value.strip():
            return value
        return DEFAULT_SPLIT

    def _begin(self) -> None:
        infos = self._info.get("splits")
        infos = infos if isinstance(infos, Mapping) else {}
        infos = {decode_key(name): facts for name, facts in infos.items()}
        counts = (self._info.get("report") or {}).get("counts") or {}
        headers = {name: _header(infos.get(name)) for name in self._known.splits}
        classes = {
            name: SplitClasses(header["categories"], _labels_of(infos.get(name)))
            for name, header in headers.items()
        }
        targets = self._dataset.default_mask_targets or {}
        wanted = {name: value for value, name in targets.items() if value > 0}
        add_new_classes(classes, self._known.classes, wanted)
        is_only = len(headers) == 1
        folders = {
            name: self._target.folder_of(name, is_only=is_only) for name in headers
        }
        self._target.begin()
        for name, header in headers.items():
            form = AnnotationForm.from_dict((infos.get(name) or {}).get("form") or {})
            with self._target.errors():
                writer = CocoWriter(
                    self._target.json_of(folders[name]), is_ordered=form.has_places
                )
            self._splits[name] = _Split(
                name,
                folders[name],
                self._target.place_of(folders[name]),
                writer,
                header,
                classes[name],
                LabelWriter(self._fields, classes[name], form),
                Ids(self._known.image_ids.get(name)),
                Ids(
                    self._known.annotation_ids.get(name),
                    keep_repeated=bool(counts.get("duplicate_annotation_id")),
                ),
            )

    def _count_missing(self) -> None:
        """Counts annotations without labels: deleted ones, or left out by the view."""
        missing, self._missing = self._missing, {}
        if not missing:
            return
        fields = self._fields
        present: dict[Any, set[bytes]] = {}
        if isinstance(self._samples, fo.DatasetView):
            lists = [(fields.label_field, fields.label_list)]
            if fields.box_field is not None:
                lists.append((fields.box_field, fields.box_list))
            paths = [f"{_list_path(*each)}._id" for each in lists]
            for document in read_documents(self._dataset, list(missing), paths):
                present[document["_id"]] = {
                    label["_id"].binary
                    for name, list_name in lists
                    for label in (document.get(name) or {}).get(list_name) or []
                }
        for sample_id, gone in missing.items():
            there = present.get(sample_id, set())
            for annotation in gone:
                if any(label_id.endswith(annotation.id_end) for label_id in there):
                    self.report.left_out += 1
                else:
                    self.report.deleted += 1

    def _warn_of_others(self) -> None:
        written = {split.writer.path for split in self._splits.values()}
        others = self._target.other_jsons(written)
        if others:
            self.report.warn(
                f"{self._target.path} still holds {', '.join(others[:3])} of an "
                "earlier export"
            )

    def _lose_what_the_import_lost(self) -> None:
        """Adds what the import itself could not keep, with its reasons."""
        if not self._fields.is_imported:
            return
        report = self._info.get("report") or {}
        for issue in report.get("issues") or []:
            is_here = issue.get("split") in (None, *self._splits)
            is_lost = issue.get("action") in ("dropped", "box_only")
            # A box that never had a shape is written as what it was.
            is_lost = is_lost and issue.get("code") != "segmentation_missing"
            if is_lost and is_here:
                what = "left it out" if issue["action"] == "dropped" else "kept its box"
                self.report.lose(
                    f"the import {what}: {issue.get('message')}",
                    file_name=issue.get("file_name"),
                    annotation_id=issue.get("annotation_id"),
                    split=issue.get("split"),
                )


def _check_choice(option: str, value: Any, choices: Any) -> None:
    known = get_args(choices)
    if value not in known:
        listed = ", ".join(repr(choice) for choice in known[:-1])
        raise CocoMaskError(
            f"{option} must be {listed} or {known[-1]!r}, not {value!r}"
        )


def _check_samples(samples: Any) -> None:
    if not isinstance(samples, (fo.Dataset, fo.DatasetView)):
        raise CocoMaskError(
            f"samples must be a dataset or view, not {type(samples).__name__}"
        )
    if getattr(samples, "_is_generated", False):
        raise CocoMaskError(
            "samples is a view of patches, clips or frames; give the view of the "
            "images that it was made of"
        )
    if not len(samples):
        raise CocoMaskError(f"There are no samples in {samples.name or 'the view'}")
    if samples.media_type != "image" and not (
        samples.media_type == "group"
        and samples.group_media_types.get(samples.group_slice) == "image"
    ):
        raise CocoMaskError(
            f"'{backing_dataset(samples).name}' holds {samples.media_type} samples; a "
            "COCO export holds images"
        )


def _label_fields(
    samples: Any, label_field: str, box_field: str, area: Area, masks: Masks
) -> LabelFields:
    schema = samples.get_field_schema()
    lists = {}
    for name in (label_field, box_field):
        found = schema.get(name) if isinstance(name, str) else None
        kind = getattr(found, "document_type", None)
        if kind in OBJECT_LISTS:
            lists[name] = OBJECT_LISTS[kind]
    if label_field not in lists and box_field in lists:
        # A dataset of boxes only.
        if label_field != _IMPORTED_FIELDS[0]:
            raise _no_such_field(samples, label_field)
        label_field = box_field
    if label_field not in lists:
        raise _no_such_field(samples, label_field)
    stored = (backing_dataset(samples).info.get("coco") or {}).get("fields")
    imported = tuple(stored) if isinstance(stored, list) else _IMPORTED_FIELDS
    flat = samples.get_field_schema(flat=True)
    has_boxes = (
        box_field in lists
        and box_field != label_field
        and lists[box_field] == "detections"
        and all(
            f"{_list_path(name, lists[name])}.coco_id" in flat
            for name in (label_field, box_field)
        )
    )
    prefixes = [f"{_list_path(name, lists[name])}." for name in lists]
    owned = {
        path.rpartition(".")[2]
        for path, found in flat.items()
        if path.startswith(tuple(prefixes)) and field_owner(found)
    }
    return LabelFields(
        label_field,
        lists[label_field],
        box_field if has_boxes else None,
        lists[box_field] if has_boxes else None,
        has_boxes and (label_field, box_field) == imported,
        area,
        masks,
        frozenset(owned),
    )


def _no_such_field(samples: Any, label_field: Any) -> CocoMaskError:
    fitting = object_fields(samples)
    has = f"it has {', '.join(fitting)}" if fitting else "it has none"
    return CocoMaskError(
        f"Dataset '{backing_dataset(samples).name}' has no field {label_field!r} of "
        f"Polylines or Detections; {has}"
    )


def _list_path(field_name: str, list_name: str | None) -> str:
    return f"{field_name}.{list_name}" if list_name else field_name


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


def _header(info: Any) -> dict[str, Any]:
    """Returns the top of a split's JSON, with what readers insist on."""
    found = info if isinstance(info, Mapping) else {}
    header = _json_object(found.get("header"))
    if not header:
        header = {key: found.get(key) for key in ("info", "licenses", "categories")}
    ordered = {"info": {}, "licenses": [], "categories": [], **header}
    for key, kind in (("info", dict), ("licenses", list), ("categories", list)):
        # Roboflow's uploader fails without them.
        if not isinstance(ordered[key], kind):
            ordered[key] = kind()
    return ordered


def _labels_of(info: Any) -> list[tuple[Any, str]]:
    found = info.get("labels") if isinstance(info, Mapping) else None
    return [(pair[0], pair[1]) for pair in found or [] if len(pair) == 2]


def _json_object(text: Any) -> dict[str, Any]:
    if not isinstance(text, str):
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _size_of(document: Document) -> tuple[int, int] | None:
    metadata = document.get("metadata") or {}
    width, height = metadata.get("width"), metadata.get("height")
    if isinstance(width, int) and isinstance(height, int) and min(width, height) > 0:
        return width, height
    try:
        with open(document["filepath"], "rb") as file:
            header = read_header(file)
    except (OSError, ImageFileError):
        return None
    return header.width, header.height


def _turned_back(orientation: Any, size: tuple[int, int]) -> TurnedBack | None:
    if orientation not in (5, 6, 7, 8):
        return None
    width, height = size
    return TurnedBack(height, width, orientation)


def _image_entry(
    document: Document,
    name: str,
    size: tuple[int, int],
    turned: TurnedBack | None,
    original: Mapping[str, Any],
    ids: Ids,
) -> dict[str, Any]:
    coco_id = document.get("coco_id")
    coco_id = document.get("coco_id_text") if coco_id is None else int(coco_id)
    width, height = size if turned is None else (turned.width, turned.height)
    identifier = ids.own(coco_id)
    entry = {"id": identifier, "file_name": name, "width": width, "height": height}
    rest = original.get("rest")
    rest = rest if isinstance(rest, dict) else {}
    for key, value in rest.items():
        if key == "id" and normal_id(value) != identifier:
            continue
        if key != "file_name":
            entry[key] = value
    for key in original.get("without") or ():
        if key not in rest:
            entry.pop(key, None)
    return entry
