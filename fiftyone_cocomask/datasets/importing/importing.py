"""Import of a COCO export into a dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.core.dataset as fod
import fiftyone.core.utils as fou
import pymongo
from mongoengine.errors import NotUniqueError
from pymongo.errors import DuplicateKeyError

from ...arguments import checked, shown
from ...choices import ConflictRule, IfExists, OldCopies
from ...coco.check import ExportReader
from ...coco.records import ImageRecord
from ...coco.report import ExportReport
from ...coco.shared_reading import Work
from ...errors import CocoMaskError
from ..database_errors import explain_database_errors
from ..documents import check_written, current_dataset, has_any_sample, settle
from ..field_names import check_new_field
from ..import_base.base import Fields
from ..import_base.fields import check_not_renamed
from ..locks import Lock, locked
from ..memory import frozen_heap
from ..parallel.processes import CAN_FORK, map_in_processes
from ..parallel.workers import process_count
from .attribute_types import KnownKinds
from .opening import open_export
from .pictures import unpack_for
from .replacing import check_replacement, complete_replacement, replaced_samples
from .resuming import begin_merge, end_merge
from .samples import ImportRules
from .schema import check_schema, declare_fields, store_export_info, written_fields
from .shared import MadeSamples
from .task_run import stop_tasks
from .writer import SampleWriter

# Taking back a dataset that an import made, and added nothing to, ends after this.
_CLEANED_WITHIN_S = 5.0


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
    conflicts: ConflictRule = "keep",
    old_copies: OldCopies = "tag",
    dry_run: bool = False,
    num_workers: int | None = None,
    progress: Any = None,
) -> tuple[fo.Dataset, ExportReport]:
    """Imports a COCO export into a dataset.

    Every annotation of the export is in the dataset afterwards or in the report with
    its id and a reason. The export itself is checked before anything is written. A
    killed import can be run again with the same arguments.

    Into a dataset that exists, a later version of the export is merged: what changed
    in the export since the last import comes in, and what a person changed in the
    dataset stays. Where both changed one annotation in different ways, the person's
    version stays and is tagged ``merge_conflict``. ``report.merge`` has the numbers.

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
        if_exists: what to do if the dataset exists: ``"merge"`` merges the export
            into it; ``"replace"`` puts the export in the place of all its samples;
            ``"error"`` raises
        conflicts: whose version of an annotation stays where the export and a person
            have changed it in different ways: the person's (``"keep"``) or the
            export's (``"export"``), which also brings back images that a person has
            deleted from the dataset
        old_copies: what becomes of older copies of images that the export has
            augmented again: ``"tag"`` tags them ``old_copy``, ``"delete"`` deletes
            those that no person has worked on
        dry_run: whether to write nothing, and only report what would be done
        num_workers: the number of processes that read the images and make samples of
            them; None is FiftyOne's default, else this one. What is imported, and the
            report, are the same
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Returns:
        the dataset, None if ``dry_run`` found none, and the :class:`ExportReport`

    Raises:
        ExportError: if ``path`` is not a readable COCO export
        CocoMaskError: if an argument does not fit; nothing has been written then.
            Or if none of the images can be used, so that nothing can be replaced
        DatabaseError: if MongoDB goes away; run the same call again
    """
    check_names(dataset, label_field, box_field)
    processes = process_count(num_workers)
    fields = (label_field, box_field)
    present = present_dataset(dataset, if_exists, fields)
    is_replacing = if_exists == "replace" and present is not None
    with ExitStack() as stack:
        before = None if is_replacing else present
        reader = stack.enter_context(
            open_export(path, before, fields, image_dir=image_dir, splits=splits)
        )
        target, lock = present, None
        if not dry_run:
            if present is None:
                name = dataset_name(path, dataset)
                held = new_dataset(name, persistent=persistent)
            else:
                held = held_dataset(present)
            target, lock = stack.enter_context(held)
            stop_tasks(target)
            prepare(target, reader, fields, is_replacing=is_replacing)
        rules = ImportRules(
            fields, list(tags or []), conflicts, is_replacing=is_replacing
        )
        write_images(
            target,
            SampleWriter(
                target, reader, rules, lock=lock, is_merge=if_exists == "merge"
            ),
            reader,
            rules,
            partial(_written, processes=processes),
            old_copies,
            progress,
        )
    return target, reader.report


def prepare(
    target: fo.Dataset, reader: ExportReader, fields: Fields, *, is_replacing: bool
) -> None:
    """Makes a dataset, whose lock this process holds, ready for what is to be written.

    Args:
        target: the dataset
        reader: the export, which is to unpack its images to the dataset's folder
        fields: the fields of polylines and detections
        is_replacing: whether its samples are to take the place of those that are there
    """
    complete_replacement(target)
    unpack_for(target, reader, is_replacing=is_replacing)
    declare_fields(target, *fields)


def write_images(
    target: fo.Dataset | None,
    writer: SampleWriter,
    reader: ExportReader,
    rules: ImportRules,
    written: Callable[[ExportReader, SampleWriter], Iterator[int]],
    old_copies: OldCopies,
    progress: Any,
) -> None:
    """Writes the images of an export to a dataset, and what it says beside them.

    Args:
        target: the dataset, as :func:`prepare` leaves it; None for one that is not
            there, of which nothing can be written
        writer: writes the images
        reader: the export, of which no image has been read yet
        rules: how samples are written
        written: gives the images to the writer, and yields how many it has given
        old_copies: as for :func:`import_roboflow_coco`
        progress: as for :func:`import_roboflow_coco`
    """
    dataset = None if writer.is_dry else target
    with ExitStack() as stack:
        if dataset is not None and rules.is_replacing:
            stack.enter_context(replaced_samples(dataset, rules))
        stack.enter_context(writer)
        if dataset is not None and writer.is_merge:
            begin_merge(dataset)
        bar = fou.ProgressBar(
            total=reader.num_images, progress=progress, iters_str="images"
        )
        with bar, frozen_heap():
            for number in written(reader, writer):
                bar.update(number)
        writer.finish(old_copies)
        if dataset is not None:
            if rules.is_replacing:
                check_replacement(dataset)
            check_written(dataset, written_fields(*rules.fields))
            store_export_info(
                dataset,
                reader,
                writer.attribute_types,
                is_replacing=rules.is_replacing,
            )
            writer.remember_images()
            end_merge(dataset)
    if dataset is not None:
        settle(dataset)


def _written(
    reader: ExportReader, writer: SampleWriter, processes: int
) -> Iterator[int]:
    """Reads and writes all images, and yields numbers of those that are done."""
    if processes < 2 or not CAN_FORK:
        for record in reader.images():
            writer.add(record)
            yield 1
        return
    forked = partial(map_in_processes, num_workers=processes)
    work: Work[KnownKinds, MadeSamples] = writer.shared()
    batches = reader.made_of_images(work, forked)
    with closing(batches):
        yield from add_batches(writer, batches)


def add_batches(
    writer: SampleWriter, batches: Iterable[MadeSamples | Iterator[ImageRecord]]
) -> Iterator[int]:
    """Gives a writer what was made of images, or the images; yields their numbers."""
    for batch in batches:
        if isinstance(batch, MadeSamples):
            yield writer.add_made(batch)
            continue
        for record in batch:
            writer.add(record)
            yield 1


@contextmanager
def held_dataset(dataset: fo.Dataset) -> Iterator[tuple[fo.Dataset, Lock]]:
    """Keeps other imports out of a dataset."""
    with locked(dataset, "import") as lock:
        yield dataset, lock


@contextmanager
def new_dataset(name: str, *, persistent: bool) -> Iterator[tuple[fo.Dataset, Lock]]:
    """Makes the dataset to import into; it goes again if the import adds nothing.

    Raises:
        CocoMaskError: if somebody else has made it since, or has one whose name is
            nearly the same
    """
    # FiftyOne itself makes several of one name if it is asked to at the same time.
    with locked(name, "import"):
        try:
            made = fo.Dataset(name, persistent=persistent)
        except (ValueError, NotUniqueError, DuplicateKeyError) as error:
            made = _empty_dataset(name, persistent, error)
        with held_dataset(made) as held:
            try:
                yield held
            except BaseException:
                # Not for long: it may be MongoDB that has gone away.
                with suppress(Exception), pymongo.timeout(_CLEANED_WITHIN_S):
                    if not has_any_sample(made):
                        made.delete()
                raise


def _empty_dataset(name: str, persistent: bool, error: Exception) -> fo.Dataset:
    """Returns the dataset that is in the way of a new one, if it is still empty.

    MongoDB may make the one of an import that was killed when that is gone already.

    Raises:
        CocoMaskError: if there is none, or it has samples
    """
    if not fo.dataset_exists(name):
        raise CocoMaskError(f"Dataset '{name}' cannot be made: {error}") from error
    made = fo.load_dataset(name)
    if has_any_sample(made):
        raise CocoMaskError(
            f"Dataset '{name}' was made by somebody else just now; run the same call "
            "again"
        ) from error
    made.persistent = persistent
    return made


def check_names(
    dataset: str | fo.Dataset | None, label_field: str, box_field: str
) -> None:
    """Checks that a dataset, and its fields of labels, can be called so.

    Raises:
        CocoMaskError: if they cannot
    """
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


def present_dataset(
    dataset: str | fo.Dataset | None, if_exists: str, fields: tuple[str, str]
) -> fo.Dataset | None:
    """Returns the dataset to import into if it is there and fits.

    Raises:
        CocoMaskError: if it does not fit
    """
    if dataset is None or (isinstance(dataset, str) and not fo.dataset_exists(dataset)):
        return None
    loaded = fo.load_dataset(dataset) if isinstance(dataset, str) else dataset
    present = current_dataset(loaded)
    if if_exists == "error":
        raise CocoMaskError(
            f"Dataset '{present.name}' already exists; give another name, or set "
            "if_exists to 'merge' or 'replace'"
        )
    if present.media_type not in (None, "image"):
        raise CocoMaskError(
            f"Dataset '{present.name}' holds {present.media_type} samples; a COCO "
            "export needs a dataset of images"
        )
    check_schema(present, *fields)
    if if_exists == "merge":
        check_not_renamed(present, fields)
    return present


def _storable_name(name: str) -> str:
    """Returns a name that FiftyOne takes for a dataset, the file's as far as it does.

    It needs a letter or digit of those that addresses have, and at most 100 characters.
    """
    plain = "".join(sign if sign.isprintable() else "_" for sign in name)[:80]
    try:
        fou.to_slug(plain)
    except ValueError:
        return "export"
    return plain


def name_after(path: str | Path) -> str:
    """Returns the name that a dataset gets after an export, as FiftyOne takes it."""
    location = Path(path).expanduser().resolve()
    return _storable_name(location.stem if location.is_file() else location.name)


def dataset_name(path: str | Path, dataset: str | fo.Dataset | None) -> str:
    """Returns the name of the dataset to import into.

    Args:
        path: the export
        dataset: the dataset or its name, or None for a name after the export that no
            dataset has yet
    """
    if dataset is None:
        return fod.make_unique_dataset_name(name_after(path))
    return dataset if isinstance(dataset, str) else dataset.name
