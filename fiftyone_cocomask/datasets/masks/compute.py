"""Masks of a dataset's objects, in a ``Segmentation`` field."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou

from ...arguments import checked
from ...choices import Boxes, Mode, Overlap, Rasterizer, Storage
from ...fiftyone_types import SampleCollection
from ...geometry.png import begin_writing
from ...unfinished import remove_unfinished
from ..database_errors import explain_database_errors
from ..documents import (
    backing_dataset,
    num_samples,
    read_documents,
    read_encoded_documents,
    settle,
    stream_documents,
    stream_encoded_documents,
    update_documents,
)
from ..label_lists import BOXES, LabelList, boxes_to_draw, count_boxes_only
from ..locks import locked
from ..memory import frozen_heap
from ..parallel.ahead import one_ahead
from ..parallel.processes import map_in_processes
from ..parallel.workers import process_count
from ..targets import checked_samples
from .drawing import MaskResult, make_batch, paths_to_read
from .field import check_declared, check_still_planned, declare_mask_field
from .files import MaskPaths, remove_left
from .options import MaskOptions, MaskPlan
from .plan import plan_masks
from .report import MaskReport

# Samples per batch; fewer where several processes are to have equal shares.
BATCH_OF_ONE = 100
BATCH_OF_SEVERAL = 50


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
    all-zero mask; one that has no labels at all, as where its field is None, gets none,
    and loses the one that was drawn from labels that are gone.

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
        CocoMaskError: if an argument does not fit, or somebody else computes masks in
            the same field; nothing has been written then
        MaskFileError: if a mask file cannot be written; masks written before are
            complete and in the database
    """
    asked = MaskOptions.asked(
        mode=mode,
        rasterizer=rasterizer,
        overlap=overlap,
        classes=classes,
        include_crowd=include_crowd,
    )
    return compute_as_asked(
        samples,
        label_field,
        mask_field,
        asked,
        output_dir=output_dir,
        storage=storage,
        overwrite=overwrite,
        boxes=boxes,
        num_workers=num_workers,
        progress=progress,
    )


@explain_database_errors()
def compute_as_asked(
    samples: SampleCollection,
    label_field: str,
    mask_field: str,
    asked: MaskOptions,
    *,
    num_workers: int | None = None,
    progress: Any = None,
    **kept: Any,
) -> MaskReport:
    """Draws masks by options, as :func:`compute_masks` does.

    Args:
        samples: the dataset or view
        label_field: the field of the objects
        mask_field: the field of the masks
        asked: the options as far as they are asked for
        num_workers: as for :func:`compute_masks`
        progress: as for :func:`compute_masks`
        **kept: the other arguments of :func:`.plan.plan_masks`
    """
    processes = process_count(num_workers)
    samples = checked_samples(samples)
    plan = plan_masks(samples, label_field, mask_field, asked, **kept)
    dataset = backing_dataset(samples)
    declare = partial(declare_mask_field, dataset, plan)
    # Runs with other options would write into the same files.
    with locked(dataset, _work(plan)):
        return draw_masks(samples, plan, processes, progress, on_start=declare)


def begin_tasks(dataset: fo.Dataset, plan: MaskPlan) -> None:
    """Declares the field of masks that several tasks will draw.

    Raises:
        AtWorkError: if somebody else computes masks in the same field
    """
    with locked(dataset, _work(plan)):
        declare_mask_field(dataset, plan)


def draw_part(
    samples: SampleCollection, plan: MaskPlan, processes: int, progress: Any
) -> MaskReport:
    """Draws the masks of one of the tasks that :func:`begin_tasks` has begun.

    Raises:
        CocoMaskError: if other masks have been planned in the field since
    """
    dataset = backing_dataset(samples)
    with locked(dataset, _work(plan), shared=True):
        check_declared(dataset, plan)
        return draw_masks(samples, plan, processes, progress)


def _work(plan: MaskPlan) -> str:
    return f"computation of masks in '{plan.mask_field}'"


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
        if plan.is_own_folder:
            # Also where no mask is to be written, which would do it.
            remove_unfinished(folder)
    samples.compute_metadata(progress=False)
    report = MaskReport(output_dir=plan.output_dir)
    left: list[str] = []
    if not plan.options.boxes:
        labels = LabelList.of_field(samples, plan.label_field)
        report.boxes = count_boxes_only(samples, labels)
    # No more processes than batches.
    total = num_samples(samples)
    processes = min(processes, -(-total // BATCH_OF_SEVERAL)) or 1
    batches = _masked_batches(samples, plan, paths, processes, on_start)
    bar = fou.ProgressBar(total=total, progress=progress)
    # Closed also after an error or Ctrl-C: at Python's own end it would be too late.
    try:
        with bar, frozen_heap(), closing(batches):
            for results in batches:
                for result in results:
                    report.add(result)
                    is_new = result.skipped is None
                    if result.left is not None and (is_new or result.is_removed):
                        left.append(result.left)
                bar.update(len(results))
    except BaseException:
        # The next run finds those samples drawn, and no longer knows these files.
        with suppress(Exception):
            remove_left(backing_dataset(samples), plan.mask_field, left)
        raise
    settle(backing_dataset(samples))
    remove_left(backing_dataset(samples), plan.mask_field, left)
    report.seconds = time.perf_counter() - started
    return report


def _masked_batches(
    samples: SampleCollection,
    plan: MaskPlan,
    paths: MaskPaths | None,
    processes: int,
    on_start: Callable[[], None] | None,
) -> Generator[list[MaskResult], None, None]:
    """Makes the masks and writes them to the database, batch by batch.

    A mask is in the database only once its file is on disk. If a file cannot be
    written, those before it are still recorded.
    """
    dataset = backing_dataset(samples)
    batch_size = BATCH_OF_ONE if processes < 2 else BATCH_OF_SEVERAL
    read = paths_to_read(samples, plan)
    computed = {}
    if plan.options.box_field is not None:
        computed[BOXES] = boxes_to_draw(
            dataset, plan.label_field, plan.options.box_field
        )
    encoded = _encoded_documents(samples, read, computed, batch_size)
    make = partial(make_batch, plan, paths)
    made_batches = map_in_processes(make, encoded, processes)
    if processes < 2:
        # The next masks are drawn while the database takes in the last ones.
        made_batches = one_ahead(made_batches)
    with closing(made_batches):
        first = next(made_batches, None)
        # Now, since FiftyOne takes a while for it and other processes draw meanwhile.
        if on_start is not None:
            on_start()
        for made in chain([] if first is None else [first], made_batches):
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
    made = {
        r.sample_id: r for r in results if r.segmentation is not None or r.is_removed
    }
    updates: list[Any] = []
    for sample_id, result in made.items():
        values = {plan.mask_field: result.segmentation}
        is_any = plan.overwrite and not result.is_removed
        guard = {} if is_any else {f"{plan.mask_field}._id": result.replaces}
        updates.append((sample_id, values, guard))
    if updates:
        check_still_planned(dataset, plan)
    if update_documents(dataset, updates) == len(updates):
        return
    path = f"{plan.mask_field}._id"
    ids = {
        document["_id"]: (document.get(plan.mask_field) or {}).get("_id")
        for document in read_documents(dataset, list(made), [path])
    }
    for sample_id, result in made.items():
        if sample_id not in ids:
            result.skipped = "it was deleted while its mask was drawn"
        elif ids[sample_id] != (result.segmentation or {}).get("_id"):
            result.is_removed = False
            result.skipped = (
                f"somebody else saved its mask in '{plan.mask_field}' while it was "
                "drawn; that one stays"
            )
