"""An import in several tasks: each reads a part of the images, the last one writes.

Reading, judging and encoding are most of the work, and the tasks share that. What they
have made waits in the database (:mod:`.staged`) until all of it is there. The one that
is the last to end writes it as one process would: in the order of the export, and
merged into what the dataset holds by then.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from itertools import accumulate, chain
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou

from ...arguments import checked
from ...choices import ConflictRule, IfExists, OldCopies
from ...coco.check import ExportReader
from ...coco.export_parts import Batch, ExportParts
from ...coco.packing import packed, unpacked
from ...coco.report import ExportReport
from ...coco.shared_reading import BATCH_SIZE
from ...errors import CocoMaskError
from ...version import __version__
from ..database_errors import explain_database_errors
from ..documents import Document, current_dataset, has_any_sample
from ..locks import WAITS_TO_JOIN_S, locked
from ..memory import frozen_heap
from ..parallel.processes import CAN_FORK, map_in_processes
from ..parallel.shared_runs import SplitRun
from ..parallel.workers import process_count
from .attribute_types import AttributeTypes, KnownKinds
from .identity import origin_of
from .importing import (
    add_batches,
    check_names,
    dataset_name,
    held_dataset,
    new_dataset,
    prepare,
    present_dataset,
    write_images,
)
from .opening import open_export
from .pictures import unpack_for
from .samples import ImportRules
from .shared import SharedImport
from .staged import Part, StagedFile, staged_parts
from .task_run import begin_run
from .writer import SampleWriter

# Of so many splits each task is told how the annotations are written.
_MAX_FORMS = 20


@explain_database_errors()
@checked
def begin_tasks(
    path: str | Path,
    dataset: str | fo.Dataset | None = None,
    *,
    num_tasks: int,
    image_dir: str | Path | None = None,
    splits: Sequence[str] | None = None,
    label_field: str = "segmentations",
    box_field: str = "detections",
    tags: Sequence[str] | None = None,
    if_exists: IfExists = "merge",
    conflicts: ConflictRule = "keep",
    old_copies: OldCopies = "tag",
    num_workers: int | None = None,
) -> tuple[fo.Dataset, str, int]:
    """Begins an import that several tasks will do.

    Args:
        path: as for :func:`import_roboflow_coco`
        dataset: as for :func:`import_roboflow_coco`
        num_tasks: into how many tasks to split it
        image_dir: as for :func:`import_roboflow_coco`
        splits: as for :func:`import_roboflow_coco`
        label_field: as for :func:`import_roboflow_coco`
        box_field: as for :func:`import_roboflow_coco`
        tags: as for :func:`import_roboflow_coco`
        if_exists: as for :func:`import_roboflow_coco`
        conflicts: as for :func:`import_roboflow_coco`
        old_copies: as for :func:`import_roboflow_coco`
        num_workers: the number of processes in each task

    Returns:
        the dataset, which is there now, the id of the run, and the number of tasks:
        fewer where there are fewer images

    Raises:
        ExportError: if ``path`` is not a readable COCO export
        CocoMaskError: if an argument does not fit; nothing has been written then
    """
    check_names(dataset, label_field, box_field)
    process_count(num_workers)
    fields = (label_field, box_field)
    present = present_dataset(dataset, if_exists, fields)
    is_replacing = if_exists == "replace" and present is not None
    with ExitStack() as stack:
        before = None if is_replacing else present
        reader = stack.enter_context(
            open_export(path, before, fields, image_dir=image_dir, splits=splits)
        )
        if present is None:
            name = dataset_name(path, dataset)
            held = new_dataset(name, persistent=True)
        else:
            held = held_dataset(present)
        target, _ = stack.enter_context(held)
        mark = reader.mark()
        prepare(target, reader, fields, is_replacing=is_replacing)
        plan: Document = {
            "path": _absolute(path),
            "image_dir": _absolute(image_dir),
            "splits": None if splits is None else list(splits),
            "fields": list(fields),
            "tags": list(tags or []),
            "conflicts": conflicts,
            "old_copies": old_copies,
            "num_workers": num_workers,
            "is_replacing": is_replacing,
            "has_known": if_exists == "merge" and has_any_sample(target),
            "mark": mark,
            **_parts_of(reader, target, fields, num_tasks),
        }
        number = len(plan["bounds"]) - 1
        return target, begin_run(target, plan, number), number


@explain_database_errors()
def read_part(
    dataset: fo.Dataset, run: SplitRun, number: int, progress: Any
) -> Document:
    """Reads a part of the images of an import.

    Args:
        dataset: the dataset
        run: the run that :func:`begin_tasks` began
        number: the number of the task, from 1
        progress: as for :func:`import_roboflow_coco`

    Returns:
        where what was read is, for :func:`join_parts`

    Raises:
        CocoMaskError: if somebody else imports into the dataset, or the export is not
            the one that the run began with
    """
    dataset, plan = current_dataset(dataset), run.plan
    with ExitStack() as stack:
        stack.enter_context(locked(dataset, "import", shared=True))
        _check_not_ended(dataset, run)
        reader = stack.enter_context(_open(dataset, plan))
        unpack_for(dataset, reader, is_replacing=plan["is_replacing"])
        rules = _rules(plan, origin_of(reader))
        types = AttributeTypes(dataset, *rules.fields)
        begun = unpacked(plan["begun"])
        types.begin_at(KnownKinds.unpacked(begun["kinds"]))
        work = SharedImport(
            dataset, rules, types, is_dry=False, has_known=plan["has_known"]
        )
        parts = ExportParts(reader)
        first, until = plan["bounds"][number - 1 : number + 1]
        batches = parts.batches(plan["batch_size"])[first:until]
        processes = process_count(plan["num_workers"]) if CAN_FORK else 1
        forked = partial(map_in_processes, num_workers=processes)
        read = parts.read(batches, dict(begun["forms"]), work, forked)
        images = sum(len(places) for _, places in batches)
        bar = fou.ProgressBar(total=images, progress=progress, iters_str="images")
        file = StagedFile(run.id, number)
        with bar, frozen_heap(), file, closing(read):
            for (_, places), part in zip(batches, read, strict=True):
                file.add(part)
                bar.update(len(places))
        return {"file": file.id, "batches": len(batches), "made_by": _maker(types)}


@explain_database_errors()
def join_parts(
    dataset: fo.Dataset, run: SplitRun, parts: Sequence[Document], progress: Any
) -> tuple[fo.Dataset, ExportReport]:
    """Writes what the tasks of an import have read.

    A task that was killed here is done again: what it has written is not written twice.
    When all is done, :func:`.task_run.finish_run` removes what they have read.

    Args:
        dataset: the dataset
        run: the run that :func:`begin_tasks` began
        parts: what :func:`read_part` returned for each part
        progress: as for :func:`import_roboflow_coco`

    Returns:
        the dataset and the report, as :func:`import_roboflow_coco` does
    """
    target, plan = current_dataset(dataset), run.plan
    rules = _rules(plan)
    with ExitStack() as stack:
        held = locked(target, "import", waits_s=WAITS_TO_JOIN_S)
        lock = stack.enter_context(held)
        _check_not_ended(target, run)
        reader = stack.enter_context(_open(target, plan))
        prepare(target, reader, rules.fields, is_replacing=rules.is_replacing)
        is_new = not plan["has_known"] and not rules.is_replacing
        writer = SampleWriter(
            target,
            reader,
            rules,
            lock=lock,
            is_merge=plan["has_known"],
            is_resumed=is_new and has_any_sample(target),
        )

        def written(reader: ExportReader, writer: SampleWriter) -> Iterator[int]:
            maker = _maker(writer.attribute_types)
            read = chain.from_iterable(_parts(part, maker) for part in parts)
            joined = reader.joined_images(plan["batch_size"], writer.shared(), read)
            with closing(joined):
                yield from add_batches(writer, joined)

        write_images(
            target, writer, reader, rules, written, plan["old_copies"], progress
        )
    return target, reader.report


def _parts_of(
    reader: ExportReader, target: fo.Dataset, fields: tuple[str, str], num_tasks: int
) -> Document:
    """Returns which images each task is to read, and what it knows of others.

    All tasks know how the first annotations are written, and what is in their
    attributes: whatever differs from that is read in the way of the first ones.
    """
    parts = ExportParts(reader)
    batch_size = max(1, min(BATCH_SIZE, -(-reader.num_images // num_tasks)))
    batches = parts.batches(batch_size)
    types = AttributeTypes(target, *fields)
    splits = dict.fromkeys(split for split, _ in batches)
    forms = []
    for place, split in enumerate(list(splits)[:_MAX_FORMS]):
        records, form = parts.beginning(split, BATCH_SIZE)
        forms.append((split, form))
        if place == 0:
            for record in records:
                types.add(record)
    begun = {"forms": forms, "kinds": types.known().packed()}
    return {
        "batch_size": batch_size,
        "bounds": _bounds(parts, batches, num_tasks),
        "begun": packed(begun),
    }


def _bounds(parts: ExportParts, batches: list[Batch], num_tasks: int) -> list[int]:
    """Returns where among some batches each task begins, and where the last one ends.

    They have about equally many images and annotations.
    """
    ends = list(accumulate(parts.num_entries(batches)))
    number = min(num_tasks, len(batches))
    bounds = [0]
    for task in range(1, number):
        wanted = bisect_left(ends, ends[-1] * task / number) + 1
        # Each has at least one batch.
        bounds.append(max(bounds[-1] + 1, min(wanted, len(batches) - number + task)))
    return [*bounds, len(batches)]


def _parts(part: Document, maker: str) -> Iterator[Part | None]:
    """Yields what a task has read, batch by batch.

    None where a task of another version read it, or for other fields than there are.
    """
    file = part["file"] if part["made_by"] == maker else ""
    return staged_parts(file, part["batches"])


def _check_not_ended(dataset: fo.Dataset, run: SplitRun) -> None:
    """Checks that no other import began before this process had the lock.

    Raises:
        CocoMaskError: if one did
    """
    SplitRun(dataset, run.id)


def _maker(types: AttributeTypes) -> str:
    return "\n".join([__version__, *types.declared()])


def _rules(plan: Document, origin: str | None = None) -> ImportRules:
    return ImportRules(
        (plan["fields"][0], plan["fields"][1]),
        plan["tags"],
        plan["conflicts"],
        origin=origin,
        is_replacing=plan["is_replacing"],
    )


def _open(dataset: fo.Dataset, plan: Document) -> ExportReader:
    """Opens the export of a run.

    Raises:
        CocoMaskError: if it is not the one that the run began with
    """
    reader = open_export(
        plan["path"],
        None if plan["is_replacing"] else dataset,
        (plan["fields"][0], plan["fields"][1]),
        image_dir=plan["image_dir"],
        splits=plan["splits"],
    )
    if reader.mark() != plan["mark"]:
        reader.__exit__(None, None, None)
        raise CocoMaskError(
            f"The export at {plan['path']} is not, or no longer, the one that this "
            "import began with; queue the whole import again"
        )
    return reader


def _absolute(path: str | Path | None) -> str | None:
    """Returns a path as it is known in other folders, of the same user."""
    return None if path is None else os.path.abspath(os.path.expanduser(path))
