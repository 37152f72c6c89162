"""Masks of a dataset's objects, in a ``Segmentation`` field."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou

from ...arguments import checked
from ...choices import Boxes, Mode, Overlap, Rasterizer, Storage
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ...geometry.png import begin_writing
from ..database_errors import explain_database_errors
from ..documents import (
    aggregate_documents,
    backing_dataset,
    current_dataset,
    field_info,
    read_documents,
    read_encoded_documents,
    settle,
    stream_documents,
    stream_encoded_documents,
    update_documents,
)
from ..field_display import colour_values, show_fields
from ..label_lists import BOXES, LabelList, boxes_to_draw, count_boxes_only
from ..memory import frozen_heap
from ..parallel.processes import map_in_processes
from ..parallel.workers import process_count
from ..targets import checked_samples
from .drawing import MaskMaker, MaskResult
from .files import MaskPaths, remove_left
from .options import FOREGROUND, INFO_KEY, MaskPlan
from .plan import plan_masks

# Samples per batch; fewer where several processes are to have equal shares.
BATCH_OF_ONE = 100
BATCH_OF_SEVERAL = 25
# A report names at most this many samples of each kind.
MAX_NAMED = 1000


@dataclass(slots=True)
class MaskReport:
    """What :func:`compute_masks` did.

    Attributes:
        images: the number of images that have a current mask now
        unchanged: how many of them had it before; the figures below leave them out
        unchanged_objects: the number of objects in those
        objects: the number of objects drawn
        hidden: the objects with no visible pixel, as ``{"sample_id", "filepath",
            "label_id"}``; at most 1,000 are named
        num_hidden: how many there are
        overlap_px: the number of pixels under two or more objects
        lines: how many objects were drawn as lines: polylines that are not filled, in
            a field that says so or in which nothing is filled
        without_geometry: the number of labels that have no polygon, RLE or mask
        boxes: the number of boxes that have no shape and are background in the masks,
            also those in the field of boxes that an import writes beside its polygons
        skipped: the samples that got no mask, as ``{"sample_id", "filepath",
            "reason"}``; at most 1,000 are named
        num_skipped: how many there are
        output_dir: the folder of the mask files, or None
        seconds: how long it took; of several tasks, all together
    """

    images: int = 0
    unchanged: int = 0
    unchanged_objects: int = 0
    objects: int = 0
    hidden: list[dict[str, str]] = field(default_factory=list)
    num_hidden: int = 0
    overlap_px: int = 0
    lines: int = 0
    without_geometry: int = 0
    boxes: int = 0
    skipped: list[dict[str, str]] = field(default_factory=list)
    num_skipped: int = 0
    output_dir: str | None = None
    seconds: float = 0.0

    def add(self, result: MaskResult) -> None:
        """Counts one sample."""
        names = {"sample_id": str(result.sample_id), "filepath": result.filepath}
        if result.skipped is not None:
            self.num_skipped += 1
            if len(self.skipped) < MAX_NAMED:
                self.skipped.append({**names, "reason": result.skipped})
            return
        self.images += 1
        self.unchanged += result.segmentation is None
        self.unchanged_objects += result.unchanged_objects
        self.objects += result.objects
        self.overlap_px += result.overlap_px
        self.lines += result.lines
        self.without_geometry += result.without_geometry
        self.num_hidden += len(result.hidden)
        for label_id in result.hidden[: MAX_NAMED - len(self.hidden)]:
            self.hidden.append({**names, "label_id": str(label_id)})

    @classmethod
    def of_parts(cls, reports: Iterable[dict[str, Any]]) -> MaskReport:
        """Returns one report of what several tasks did, given as :meth:`to_dict`."""
        total = cls()
        for part in reports:
            for name in _SUMS:
                setattr(total, name, getattr(total, name) + part.get(name, 0))
            total.hidden += part["hidden"][: MAX_NAMED - len(total.hidden)]
            total.skipped += part["skipped"][: MAX_NAMED - len(total.skipped)]
            total.output_dir = part["output_dir"]
        return total

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as JSON holds it."""
        return asdict(self)

    def summary(self) -> str:
        """Returns the report in a few lines for a person."""
        objects = self.objects + self.unchanged_objects
        kept = "all" if self.unchanged == self.images else f"{self.unchanged:,} of them"
        lines = [
            f"{self.images:,} masks of {objects:,} objects"
            + (f", {kept} unchanged" if self.unchanged else "")
            + f", in {self.seconds:.1f} s"
        ]
        if self.images > self.unchanged or not self.images:
            lines.append(
                f"{self.overlap_px:,} px lie under two or more objects; "
                f"{self.num_hidden:,} objects have no visible pixel"
            )
        if self.lines:
            lines.append(
                f"{self.lines:,} objects are not filled and were drawn as lines; for "
                "areas, set the default of 'filled' in the field's label schema to True"
            )
        if self.without_geometry:
            lines.append(f"{self.without_geometry:,} labels have no geometry to draw")
        if self.boxes:
            lines.append(
                f"Boxes without a shape: {self.boxes:,}; the masks have background "
                "there"
            )
        if self.num_skipped:
            first = self.skipped[0]
            lines.append(
                f"{self.num_skipped:,} samples got no mask; the first is "
                f"{first['filepath']}: {first['reason']}"
            )
        if self.output_dir:
            lines.append(f"Mask files are in {self.output_dir}")
        return "\n".join(lines)


# What several reports are added up by.
_SUMS = (
    "images",
    "unchanged",
    "unchanged_objects",
    "objects",
    "num_hidden",
    "overlap_px",
    "lines",
    "without_geometry",
    "boxes",
    "num_skipped",
    "seconds",
)


@explain_database_errors()
@checked
def compute_masks(
    samples: fo.Dataset | fo.DatasetView,
    label_field: str = "segmentations",
    mask_field: str = "mask",
    *,
    mode: Mode = "binary",
    rasterizer: Rasterizer = "coco",
    overlap: Overlap | Sequence[str] = "largest_first",
    classes: Sequence[str] | None = None,
    include_crowd: bool = True,
    output_dir: str | Path | None = None,
    storage: Storage = "disk",
    overwrite: bool = False,
    boxes: Boxes = "skip",
    num_workers: int | None = None,
    progress: Any = None,
) -> MaskReport:
    """Draws the objects of each sample into one mask per sample.

    A sample keeps its mask while its labels, size and options are unchanged: run again
    after an edit, only the edited samples are drawn. An image without objects gets an
    all-zero mask.

    Example::

        import fiftyone_cocomask as fcm

        report = fcm.compute_masks(dataset, "segmentations", "mask")
        print(report.summary())

    Args:
        samples: the dataset or view; only its samples change. All of their labels are
            drawn, also those that a view's filter leaves out
        label_field: a field of Polylines, or of Detections with masks. A polygon that
            is not filled, as the App stores what a person draws, is an area as well; it
            is a line where the field's label schema has ``filled`` False by default, or
            where the field is not an import of this plugin and has nothing filled
        mask_field: the ``Segmentation`` field to write
        mode: ``"binary"`` masks are 0 and 255; ``"semantic"`` masks hold the value of
            each class, which the field's mask targets name; ``"instance"`` masks
            number the objects of an image 1..n in their order
        rasterizer: ``"coco"`` draws the pixels of pycocotools; ``"opencv"`` truncates
            coordinates to integers and draws each ring with ``cv2.fillPoly``
        overlap: which object owns a pixel under several: ``"largest_first"`` draws
            the largest first, so that small objects stay visible;
            ``"smallest_first"``; ``"annotation_order"``, later on top; or a list of
            classes, later on top
        classes: the classes to draw, all by default; each must be one that labels have
            or that the dataset lists
        include_crowd: whether to draw crowd annotations
        output_dir: the folder of the mask files; by default a folder of the dataset
            below ``fo.config.default_dataset_dir``
        storage: ``"disk"`` writes lossless PNG files, of 1 bit a pixel for binary
            masks and 8 or 16 for others; ``"database"`` stores arrays
        overwrite: whether to draw every mask again, and to replace masks and files
            that were not made by this function for this field. No file that is the
            image of a sample, or a picture with colours, is ever replaced
        boxes: what to do with boxes that have no shape: ``"skip"`` leaves them out and
            counts them, ``"draw"`` draws Detections without a mask as rectangles, and
            with a field of polygons, as imports write it, the boxes of those
            annotations that have no polygon; ``"error"`` refuses to draw anything
        num_workers: the number of processes that draw; None is FiftyOne's default,
            else this one
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Returns:
        a :class:`MaskReport`

    Raises:
        CocoMaskError: if an argument does not fit; nothing has been written then
        MaskFileError: if a mask file cannot be written; masks written before are
            complete and in the database
    """
    processes = process_count(num_workers)
    samples = checked_samples(samples)
    plan = plan_masks(
        samples,
        label_field,
        mask_field,
        mode=mode,
        rasterizer=rasterizer,
        overlap=overlap,
        classes=classes,
        include_crowd=include_crowd,
        output_dir=output_dir,
        storage=storage,
        overwrite=overwrite,
        boxes=boxes,
    )
    declare = partial(declare_mask_field, backing_dataset(samples), plan)
    return draw_masks(samples, plan, processes, progress, on_start=declare)


def draw_masks(
    samples: SampleCollection,
    plan: MaskPlan,
    processes: int,
    progress: Any,
    *,
    on_start: Callable[[], None] | None = None,
) -> MaskReport:
    """Draws masks as planned.

    Args:
        samples: the dataset or view
        plan: what was decided
        processes: the number of processes that draw
        progress: as for :func:`compute_masks`
        on_start: called once when the first masks are being drawn, before they are
            in the database

    Returns:
        a :class:`MaskReport`
    """
    started = time.perf_counter()
    begin_writing()
    paths = None
    if plan.output_dir is not None:
        folder = Path(plan.output_dir)
        paths = MaskPaths(backing_dataset(samples), folder, is_own=plan.is_own_folder)
    samples.compute_metadata(progress=False)
    report = MaskReport(output_dir=plan.output_dir)
    left: list[str] = []
    if not plan.options.boxes:
        labels = LabelList.of_field(samples, plan.label_field)
        report.boxes = count_boxes_only(samples, labels)
    maker = MaskMaker(plan, paths)
    # No more processes than batches.
    processes = min(processes, -(-len(samples) // BATCH_OF_SEVERAL)) or 1
    batches = _masked_batches(samples, maker, processes, on_start)
    bar = fou.ProgressBar(total=len(samples), progress=progress)
    # Closed also after an error or Ctrl-C: at Python's own end it would be too late.
    with bar, frozen_heap(), closing(batches):
        for results in batches:
            for result in results:
                report.add(result)
                if result.left is not None and result.skipped is None:
                    left.append(result.left)
            bar.update(len(results))
    settle(backing_dataset(samples))
    if plan.is_own_folder and plan.output_dir is not None:
        folder = Path(plan.output_dir)
        remove_left(backing_dataset(samples), plan.mask_field, folder, left)
    report.seconds = time.perf_counter() - started
    return report


def mask_options(samples: SampleCollection, mask_field: str) -> dict[str, Any] | None:
    """Returns how :func:`compute_masks` made a field's masks, or None if it did not.

    Returns:
        a dict with ``label_field``, the fields of :class:`MaskOptions`, ``storage``
        and ``output_dir``; masks of earlier versions have not the last two
    """
    field_ = samples.get_field(mask_field)
    return (field_.info or {}).get(INFO_KEY) if field_ is not None else None


def class_names(dataset: fo.Dataset, mask_field: str) -> dict[int, str] | None:
    """Returns the class of each value in a field's masks.

    None where values are not classes: those of binary and instance masks, and masks
    whose values neither the field's nor the dataset's mask targets name.
    """
    made = mask_options(dataset, mask_field)
    if made is not None and made["mode"] != "semantic":
        return None
    targets = dataset.mask_targets.get(mask_field) or dataset.default_mask_targets
    names = {k: str(v) for k, v in (targets or {}).items() if isinstance(k, int) and k}
    return names or None


def _masked_batches(
    samples: SampleCollection,
    maker: MaskMaker,
    processes: int,
    on_start: Callable[[], None] | None,
) -> Generator[list[MaskResult], None, None]:
    """Makes the masks and writes them to the database, batch by batch.

    A mask is in the database only once its file is on disk. If a file cannot be
    written, those before it are still recorded.
    """
    plan, dataset = maker.plan, backing_dataset(samples)
    batch_size = BATCH_OF_ONE if processes < 2 else BATCH_OF_SEVERAL
    paths = maker.paths_to_read(samples)
    computed = {}
    if plan.options.box_field is not None:
        computed[BOXES] = boxes_to_draw(
            dataset, plan.label_field, plan.options.box_field
        )
    encoded = _encoded_documents(samples, paths, computed, batch_size)
    with closing(
        map_in_processes(maker.make_batch, encoded, processes)
    ) as made_batches:
        first = next(made_batches, None)
        # Now, since FiftyOne takes a while for it and other processes draw meanwhile.
        if on_start is not None:
            on_start()
        for made in chain([] if first is None else [first], made_batches):
            _check_still_planned(dataset, plan)
            _save(dataset, plan, made)
            for result in made:
                if result.error is not None:
                    raise result.error
            yield made


def _encoded_documents(
    samples: SampleCollection,
    paths: list[str],
    computed: dict[str, Any],
    batch_size: int,
) -> Iterator[list[bytes]]:
    """Yields samples as BSON, with all labels also where a view filters them."""
    dataset = backing_dataset(samples)
    if samples is dataset and not computed:
        yield from stream_encoded_documents(samples, paths, batch_size)
        return
    for batch in stream_documents(samples, ["_id"], batch_size):
        ids = [document["_id"] for document in batch]
        for documents in read_encoded_documents(
            dataset, ids, paths, computed, batch_size
        ):
            yield [document.raw for document in documents]


def _save(dataset: fo.Dataset, plan: MaskPlan, results: list[MaskResult]) -> None:
    """Writes masks to the database, but over none that somebody saved meanwhile."""
    made = {r.sample_id: r for r in results if r.segmentation is not None}
    updates: list[Any] = []
    for sample_id, result in made.items():
        values = {plan.mask_field: result.segmentation}
        guard = {} if plan.overwrite else {f"{plan.mask_field}._id": result.replaces}
        updates.append((sample_id, values, guard))
    if update_documents(dataset, updates) == len(updates):
        return
    path = f"{plan.mask_field}._id"
    ids = {
        document["_id"]: (document.get(plan.mask_field) or {}).get("_id")
        for document in read_documents(dataset, list(made), [path])
    }
    for sample_id, result in made.items():
        assert result.segmentation is not None
        if sample_id not in ids:
            result.skipped = "it was deleted while its mask was drawn"
        elif ids[sample_id] != result.segmentation["_id"]:
            result.skipped = (
                f"somebody else saved its mask in '{plan.mask_field}' while it was "
                "drawn; that one stays"
            )


def _check_still_planned(dataset: fo.Dataset, plan: MaskPlan) -> None:
    """Checks that nobody makes other masks in the field at the same time.

    Raises:
        CocoMaskError: if somebody does
    """
    info = field_info(dataset, plan.mask_field)
    if info is not None and info.get(INFO_KEY) != _made(plan):
        raise CocoMaskError(
            f"The masks of field '{plan.mask_field}' are being computed with other "
            "options by somebody else; compute them again once that is done"
        )


def declare_mask_field(dataset: fo.Dataset, plan: MaskPlan) -> None:
    """Adds the field of planned masks to a dataset, or says there how they are made."""
    mask_field, label_field, options = plan.mask_field, plan.label_field, plan.options
    description = f"{options.mode.capitalize()} masks of '{label_field}'"
    made = {INFO_KEY: _made(plan)}
    field_ = current_dataset(dataset).get_field(mask_field)
    if field_ is None:
        dataset.add_sample_field(
            mask_field,
            fo.EmbeddedDocumentField,
            embedded_doc_type=fo.Segmentation,
            description=description,
            info=made,
        )
    else:
        field_.description = description
        field_.info = {**(field_.info or {}), **made}
        field_.save()
    targets = _mask_targets(dataset, plan)
    if targets != dataset.mask_targets.get(mask_field):
        dataset.mask_targets[mask_field] = targets
        dataset.save()
    show_fields(dataset, [mask_field])
    if options.mode != "binary":
        colour_values(dataset, mask_field, label_field, options.class_values)


def check_declared(dataset: fo.Dataset, plan: MaskPlan) -> None:
    """Checks that a field's masks are still to be made as planned.

    Raises:
        CocoMaskError: if others have been planned since
    """
    if mask_options(dataset, plan.mask_field) != _made(plan):
        raise CocoMaskError(
            f"The masks of field '{plan.mask_field}' have been computed with other "
            "options since this task was queued, or deleted; queue the whole job again"
        )


def _made(plan: MaskPlan) -> dict[str, Any]:
    return {
        "label_field": plan.label_field,
        **plan.options.to_dict(),
        "storage": "database" if plan.output_dir is None else "disk",
        # The dataset's own folder has another name in another dataset.
        "output_dir": None if plan.is_own_folder else plan.output_dir,
    }


def _mask_targets(dataset: fo.Dataset, plan: MaskPlan) -> dict[int, str]:
    """Returns the names of a field's values.

    The App does not draw values without one, and takes the dataset's default ones where
    a field has none: instances would have the names of classes.
    """
    options = plan.options
    if options.mode == "semantic":
        return {value: name for name, value in options.class_values.items()}
    if options.mode == "binary":
        one_class = options.classes is not None and len(options.classes) == 1
        name = options.classes[0] if one_class and options.classes else "foreground"
        return {FOREGROUND: name}
    labels = LabelList.of_field(dataset, plan.label_field)
    most = {"_id": None, "number": {"$max": {"$size": labels.expression()}}}
    found = aggregate_documents(dataset, [{"$group": most}])
    number = found[0]["number"] if found else 0
    return {value: f"object {value}" for value in range(1, max(number, 1) + 1)}
