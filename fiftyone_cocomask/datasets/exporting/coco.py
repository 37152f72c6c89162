"""A dataset or view written back as the COCO export that Roboflow takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou

from ...arguments import checked
from ...choices import Area, Images, Masks
from ...coco.compared import FILEPATH, LABEL_ID, SAMPLE_ID
from ...coco.document import normal_id
from ...coco.uploading import uploader_warning
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ...words import shortened_name
from ..database_errors import explain_database_errors
from ..documents import (
    Document,
    backing_dataset,
    num_samples,
    read_documents,
    showing,
    stream_documents,
)
from ..import_base.base import BASE_FIELD
from ..import_base.info import export_info
from ..importing.states import Change
from ..memory import frozen_heap
from ..parallel.ahead import one_ahead
from .coco_fields import (
    LabelFields,
    check_choice,
    images_of,
    label_fields,
    own_box_field,
)
from .coco_folder import ImageUnavailableError
from .coco_images import (
    area_factor,
    image_entry,
    json_object,
    size_of,
    turned_back,
)
from .coco_labels import Gone, Loss, Written
from .coco_losses import ImportLosses
from .coco_output import output_folder, refuse_folders_of_images
from .coco_report import CocoExportReport
from .coco_splits import Split, Splits

_COUNTED = {
    Change.EDITED: "edited",
    Change.RELABELLED: "relabelled",
    Change.ADDED: "added",
}
_BAR_STEP = 20
# What tells which image of the export a sample is, and what the import wrote on it.
_OWN_FIELDS = ("file_name", "coco_id", "split", "coco_original", BASE_FIELD)
_TEXT_ID = "coco_id_text"


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
        samples: the dataset or view; of a grouped dataset, the images of all slices
            (``samples.select_group_slices(...)`` chooses some). A view that filters
            labels leaves the others out
        output_dir: the folder to write to
        label_field: the objects: Polylines, or Detections with or without masks
        box_field: the field of the same objects' boxes, as the import makes it; if
            there is none of this name, or an import wrote it with other objects, the
            one that it wrote with these. Used where the labels of both have the ids of
            their annotations
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
    check_choice("images", images, Images)
    check_choice("area", area, Area)
    check_choice("masks", masks, Masks)
    samples, warning = images_of(samples)
    fields = label_fields(samples, label_field, box_field, area, masks)
    export = _Export(samples, fields, output_dir, images, overwrite=overwrite)
    if warning is not None:
        export.report.warn(warning)
    total = num_samples(samples)
    bar = fou.ProgressBar(total=total, progress=progress, iters_str="images")
    with bar:
        return export.write(bar.update)


def folder_problem(
    samples: fo.Dataset | fo.DatasetView, output_dir: str, *, overwrite: bool
) -> str | None:
    """Returns why an export cannot go into a folder, as far as that is seen at once.

    Args:
        samples: the dataset or view
        output_dir: the folder
        overwrite: whether it may hold files already
    """
    try:
        output_folder(backing_dataset(samples), output_dir, overwrite=overwrite)
    except CocoMaskError as error:
        return str(error)
    return None


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
    samples, _ = images_of(samples)
    box_field = own_box_field(samples, label_field)
    fields = label_fields(samples, label_field, box_field, "mask", "rle")
    if not fields.is_imported:
        # The boxes are those of another field's objects, of which this one lacks some.
        fields = replace(fields, has_lone_boxes=False)
    export = _Export(samples, fields, output_dir, "none", overwrite=True, with_ids=True)
    export.write(lambda number: None)


class _Export:
    """An export while it is written."""

    def __init__(
        self,
        samples: SampleCollection,
        fields: LabelFields,
        output_dir: str | Path,
        images: Images,
        *,
        overwrite: bool,
        with_ids: bool = False,
    ) -> None:
        self._with_ids = with_ids
        own = [*_OWN_FIELDS, _TEXT_ID, *filter(None, [fields.box_field])]
        # A view may hide fields so that a person sees less.
        self._samples = samples = showing(samples, own)
        self._dataset = backing_dataset(samples)
        self._fields = fields
        self._images = images
        self._info = export_info(self._dataset, fields.label_field)
        self._target = output_folder(self._dataset, output_dir, overwrite=overwrite)
        self.report = CocoExportReport(str(self._target.path))
        self._ahead = Splits(samples, fields, self._info)
        self._splits: dict[str, Split] = {}
        self._missing: dict[Any, list[Gone]] = {}
        self._warned: set[str] = set()
        known = self._info if fields.is_imported else {}
        self._lost = ImportLosses(known, is_view=isinstance(samples, fo.DatasetView))

    def write(self, progress: Callable[[int], None]) -> CocoExportReport:
        """Writes the export whole, or leaves no JSON of it.

        Args:
            progress: called with the number of images since the last call
        """
        with ExitStack() as stack:
            stack.callback(self._discard)
            stack.enter_context(frozen_heap())
            folders = self._target.folders_of(self._ahead.names)
            if self._target.holds_something():
                refuse_folders_of_images(self._samples, folders.values())
            self._ahead.begin(self._target, folders, self._splits)
            number = 0
            for number, document in enumerate(self._documents(), start=1):
                self._add(document)
                # Drawing it for each image would take a tenth of the time.
                if not number % _BAR_STEP:
                    progress(_BAR_STEP)
            progress(number % _BAR_STEP)
            return self._finish()

    def _documents(self) -> Iterator[Document]:
        """Yields the documents of the samples."""
        fields = self._fields
        paths = ["filepath", "tags", "metadata", *_OWN_FIELDS]
        paths = [path for path in paths if self._dataset.has_field(path)]
        paths.append(_TEXT_ID)
        paths += [f for f in (fields.label_field, fields.box_field) if f is not None]
        for batch in one_ahead(stream_documents(self._samples, paths)):
            yield from batch
            self._count_missing()

    def _add(self, document: Document) -> None:
        """Writes a sample: its image, its entry, its annotations."""
        self._lost.note(document)
        filepath = document["filepath"]
        place = {"sample_id": str(document["_id"]), "filepath": filepath}
        split = self._splits.get(self._ahead.name_of(document))
        size = size_of(document)
        if split is None or size is None:
            unknown = "its size is not known: the file cannot be read"
            moved = "it was moved to a new split while the export was written"
            self.report.lose(moved if split is None else unknown, **place)
            return
        original = json_object(document.get("coco_original"))
        turned = turned_back(original.get("orientation"), size)
        name = self._target.name_for(split.folder, document.get("file_name"), filepath)
        if self._images != "none":
            try:
                name = self._target.put(filepath, split.folder, name, self._images)
                self.report.files_copied += 1
            except ImageUnavailableError as error:
                self.report.lose(f"its image cannot be read: {error}", **place)
        entry = image_entry(document, name, size, turned, original, split.image_ids)
        if self._with_ids:
            entry |= {SAMPLE_ID: place["sample_id"], FILEPATH: filepath}
        warning = uploader_warning(name, split.place)
        if warning is not None and warning not in self._warned:
            self._warned.add(warning)
            self.report.warn(f"{warning}, such as {shortened_name(name)}")
        entries: list[dict[str, Any]] = []
        places: list[int | None] = []
        labels = split.labels_of(document)
        factor = area_factor(original.get("counted"), size)
        for found in labels.annotations(document, size, turned, entry["id"], factor):
            if isinstance(found, Written):
                entries.append(self._annotation(split, found, place))
                # Places in another JSON's list say nothing in this one's.
                places.append(found.place if labels is split.labels else None)
            elif isinstance(found, Loss):
                self.report.lose(found.reason, label_id=str(found.label_id), **place)
            else:
                self._missing.setdefault(document["_id"], []).append(found)
        with self._target.errors():
            split.writer.add(entry, entries, places)

    def _finish(self) -> CocoExportReport:
        """Writes the JSONs and gives them their names."""
        report = self.report
        self._target.finish_images()
        with self._target.errors():
            for split in self._splits.values():
                split.finish()
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
        self._lost.tell(report, self._splits)
        return report

    def _discard(self) -> None:
        """Removes what was begun and not finished."""
        self._target.close()
        for split in self._splits.values():
            split.writer.discard()

    def _annotation(
        self, split: Split, found: Written, place: dict[str, str]
    ) -> dict[str, Any]:
        """Gives an annotation its id, and counts it."""
        report, entry = self.report, found.entry
        if found.lost:
            report.lose(
                f"JSON cannot hold its attributes {', '.join(found.lost)}",
                label_id=str(found.label_id),
                **place,
            )
        own_id = found.coco_id
        if type(own_id) is not int:
            own_id = normal_id(own_id)
        identifier: Any = split.annotation_ids.own(own_id)
        entry["id"] = found.coco_id if identifier == own_id else identifier
        if found.change is Change.UNCHANGED:
            report.unchanged += 1
        else:
            counted = _COUNTED[found.change]
            setattr(report, counted, getattr(report, counted) + 1)
        if found.has_rle:
            report.warn(
                "Some annotations are RLE, which COCO's readers take; whether Roboflow "
                "keeps RLE is not documented. Polygons are safe there"
            )
        if self._with_ids:
            entry[LABEL_ID] = str(found.label_id)
        return entry

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
            paths = [f"{path}._id" for path in fields.paths]
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
