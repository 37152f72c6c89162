"""Import of a COCO export into a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import fiftyone as fo
import fiftyone.core.dataset as fod
import fiftyone.core.utils as fou
from bson import ObjectId

from ...arguments import checked, shown
from ...coco.check import ExportReader
from ...coco.records import ImageRecord
from ...coco.report import ExportReport
from ...errors import CocoMaskError
from ..database_errors import explain_database_errors
from ..documents import (
    BATCH_SIZE,
    MAX_BATCH_BYTES,
    Document,
    Update,
    check_exists,
    insert_documents,
    new_sample_document,
    stream_documents,
    update_documents,
)
from ..field_names import check_new_field
from ..folders import dataset_folder
from ..memory import frozen_heap
from ..parallel.workers import thread_count
from .attribute_types import AttributeTypes
from .base import BASE_FIELD
from .documents import (
    annotation_labels,
    keep_unchanged_labels,
    label_fields,
    sample_base,
    sample_fields,
)
from .schema import (
    check_schema,
    declare_fields,
    declare_text_ids,
    store_export_info,
)

IfExists = Literal["merge", "replace", "error"]

_LABEL_LISTS = ("polylines", "detections")


@explain_database_errors()
@checked
def import_roboflow_coco(
    path: str | Path,
    dataset: str | fo.Dataset | None = None,
    *,
    image_dir: str | Path | None = None,
    splits: Sequence[str] | None = None,
    label_field: str = "segmentations",
    box_field: str = "detections",
    tags: Sequence[str] | None = None,
    persistent: bool = True,
    if_exists: IfExists = "merge",
    num_workers: int | None = None,
    progress: Any = None,
) -> tuple[fo.Dataset, ExportReport]:
    """Imports a COCO export into a dataset.

    Every annotation of the export is in the dataset afterwards or in the report with
    its id and a reason. The export itself is checked before anything is written. A
    killed import can be run again with the same arguments.

    Example::

        import fiftyone_cocomask as fcm

        dataset, report = fcm.import_roboflow_coco("/path/to/export", "butterflies")
        print(report.summary())

    Args:
        path: the export's folder, its ``.zip``, or a COCO JSON file. A zip is unpacked
            into a folder of the dataset's own
        dataset: the dataset or its name, or None for a new one named after the export
        image_dir: where the images are, if ``path`` is a JSON file and they are not
            beside it
        splits: the splits to import; all by default
        label_field: the field to write the segmentations to, as Polylines
        box_field: the field to write the boxes to, as Detections
        tags: tags to add to each sample, beside its split and Roboflow's own
        persistent: whether a dataset that is created here outlives the session
        if_exists: what to do if the dataset exists: ``"merge"`` replaces the labels
            of samples of the same split and file name and adds new samples;
            ``"replace"`` empties the dataset first; ``"error"`` raises
        num_workers: the number of threads that read image headers ahead; useful
            where the images are on a network drive. None is FiftyOne's default, else
            they are read in turn
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Returns:
        the dataset and the :class:`ExportReport`

    Raises:
        ExportError: if ``path`` is not a readable COCO export
        CocoMaskError: if an argument does not fit; nothing has been written then
        DatabaseError: if MongoDB goes away; run the same call again
    """
    _check_arguments(dataset, label_field, box_field)
    threads = thread_count(num_workers)
    present = _present_dataset(dataset, if_exists, label_field, box_field)
    name = dataset_name(path, dataset)
    with ExportReader(
        path,
        image_dir=image_dir,
        splits=splits,
        unpack_to=dataset_folder(name) / "export",
    ) as reader:
        if present is None:
            target = fo.Dataset(name, persistent=persistent)
        else:
            target = present
            if if_exists == "replace":
                target.clear()
        writer = _SampleWriter(target, label_field, box_field, list(tags or []))
        bar = fou.ProgressBar(
            total=reader.num_images, progress=progress, iters_str="images"
        )
        with bar, frozen_heap():
            for record in reader.images(num_workers=threads):
                writer.add(record)
                bar.update()
        writer.flush()
        writer.report_samples_not_in_export(reader)
        check_exists(target)
        store_export_info(target, reader, writer.attribute_types)
    return target, reader.report


def _check_arguments(
    dataset: str | fo.Dataset | None, label_field: str, box_field: str
) -> None:
    if isinstance(dataset, str):
        try:
            fou.to_slug(dataset)
        except ValueError as error:
            raise CocoMaskError(
                f"dataset must be a name with a letter or digit, not {shown(dataset)}"
            ) from error
    if label_field == box_field:
        raise CocoMaskError(
            f"label_field and box_field are both {label_field!r}; give two names"
        )
    check_new_field("label_field", label_field)
    check_new_field("box_field", box_field)


def _present_dataset(
    dataset: str | fo.Dataset | None, if_exists: str, label_field: str, box_field: str
) -> fo.Dataset | None:
    """Returns the dataset to import into if it is there and fits.

    Raises:
        CocoMaskError: if it does not fit
    """
    if dataset is None or (isinstance(dataset, str) and not fo.dataset_exists(dataset)):
        return None
    present = fo.load_dataset(dataset) if isinstance(dataset, str) else dataset
    if if_exists == "error":
        raise CocoMaskError(
            f"Dataset '{present.name}' already exists; give another name, or "
            "if_exists='merge' or 'replace'"
        )
    if present.media_type not in (None, "image"):
        raise CocoMaskError(
            f"Dataset '{present.name}' holds {present.media_type} samples; a COCO "
            "export needs a dataset of images"
        )
    check_schema(present, label_field, box_field)
    return present


def dataset_name(path: str | Path, dataset: str | fo.Dataset | None) -> str:
    """Returns the name of the dataset to import into.

    Args:
        path: the export
        dataset: the dataset or its name, or None for a name after the export that no
            dataset has yet
    """
    if dataset is None:
        location = Path(path).expanduser().resolve()
        name = location.stem if location.is_file() else location.name
        return fod.make_unique_dataset_name(name or "export")
    return dataset if isinstance(dataset, str) else dataset.name


class _SampleWriter:
    """Writes records to a dataset in batches: new samples, or changes to old ones."""

    def __init__(
        self, dataset: fo.Dataset, label_field: str, box_field: str, tags: list[str]
    ) -> None:
        self.dataset = dataset
        self._fields = (label_field, box_field)
        self._tags = tags
        self._present = _PresentSamples(dataset)
        self._seen: set[ObjectId] = set()
        self._batch: list[ImageRecord] = []
        self._batch_bytes = 0
        declare_fields(dataset, label_field, box_field)
        self.attribute_types = AttributeTypes(dataset, label_field, box_field)

    def add(self, record: ImageRecord) -> None:
        self._batch.append(record)
        self._batch_bytes += record.stored_bytes
        if len(self._batch) == BATCH_SIZE or self._batch_bytes > MAX_BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Writes what has been added; a killed import repeats the rest."""
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        new: list[Document] = []
        known: list[tuple[ObjectId, ImageRecord]] = []
        for record in batch:
            sample_id = self._present.by_record(record)
            if sample_id is None:
                new.append(self._new_document(record))
            else:
                known.append((sample_id, record))
        if any(isinstance(record.coco_id, str) for record in batch):
            declare_text_ids(self.dataset)
        insert_documents(self.dataset, new)
        update_documents(self.dataset, list(self._changes(known)))

    def report_samples_not_in_export(self, reader: ExportReader) -> None:
        """Reports samples of the imported splits that the export no longer has."""
        for split, file_name in self._present.unseen(set(reader.splits), self._seen):
            reader.report_missing_from_export(split, file_name)

    def _new_document(self, record: ImageRecord) -> Document:
        tags = list(dict.fromkeys([record.split, *record.user_tags, *self._tags]))
        return {
            **new_sample_document(str(record.path), tags),
            **self._written_fields(record),
        }

    def _written_fields(self, record: ImageRecord) -> Document:
        self.attribute_types.add(record)
        pairs = annotation_labels(record, self.dataset._doc.id, *self._fields)
        return {
            **sample_fields(record),
            **label_fields(pairs, *self._fields),
            BASE_FIELD: sample_base(record, pairs).to_document(),
        }

    def _changes(self, known: list[tuple[ObjectId, ImageRecord]]) -> Iterator[Update]:
        """Yields, for each sample that differs from its record, what to set."""
        if not known:
            return
        view = self.dataset.select([str(sample_id) for sample_id, _ in known])
        paths = ["filepath", "tags", "import_issues", BASE_FIELD, *self._fields]
        paths += ["metadata", "coco_id", "split", "file_name", "source_name"]
        paths += ["coco_original"]
        old_documents = {
            document["_id"]: document
            for batch in stream_documents(view, paths)
            for document in batch
        }
        for sample_id, record in known:
            self._seen.add(sample_id)
            old = old_documents.get(sample_id)
            if old is None:  # Somebody has deleted it since.
                continue
            new = self._written_fields(record)
            for name, list_name in zip(self._fields, _LABEL_LISTS, strict=True):
                keep_unchanged_labels(new[name], old.get(name), list_name)
            new["filepath"] = str(record.path)
            wanted = [record.split, *record.user_tags, *self._tags]
            new["tags"] = list(dict.fromkeys([*old.get("tags", []), *wanted]))
            new.setdefault("import_issues", None)
            new.setdefault("coco_original", None)
            changed = {k: v for k, v in new.items() if old.get(k) != v}
            if changed:
                yield sample_id, changed


class _PresentSamples:
    """The samples of a dataset, by what identifies them in an export."""

    def __init__(self, dataset: fo.Dataset) -> None:
        self._by_file_name: dict[tuple[str | None, str], ObjectId] = {}
        self._by_filepath: dict[str, ObjectId] = {}
        if not len(dataset):
            return
        for batch in stream_documents(dataset, ["split", "file_name", "filepath"]):
            for document in batch:
                if document.get("file_name") is not None:
                    key = (document.get("split"), document["file_name"])
                    self._by_file_name[key] = document["_id"]
                else:
                    self._by_filepath[document["filepath"]] = document["_id"]

    def by_record(self, record: ImageRecord) -> ObjectId | None:
        """Returns the sample of a record: same split and file name.

        A sample that no import made has neither; its file tells which it is.
        """
        key = (record.split, record.file_name)
        return self._by_file_name.get(key) or self._by_filepath.get(str(record.path))

    def unseen(
        self, splits: set[str], seen: set[ObjectId]
    ) -> Iterator[tuple[str, str]]:
        for (split, file_name), sample_id in self._by_file_name.items():
            if split is not None and split in splits and sample_id not in seen:
                yield split, file_name
