"""Documents of samples, written in batches, with what must still hold of them."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import bson
import fiftyone.core.sample as fos
import pymongo
from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from fiftyone.core.odm import get_db_conn
from pymongo import UpdateOne
from pymongo.write_concern import WriteConcern

from ...fiftyone_types import Dataset
from ..database_errors import (
    DatabaseError,
    DatasetChangedError,
    explain_database_errors,
)
from .fields import now_utc, remove_values
from .reading import BATCH_SIZE, MODIFIED, read_documents
from .views import Document, dataset_id, db_paths

# The id of a sample, what to set, and what must still hold for it to be set.
Update = tuple[ObjectId, Document] | tuple[ObjectId, Document, Document]
# Where the id, a sample's first field, is in its BSON: behind length, type and name.
_ID_START, _ID_END = 9, 21
# FiftyOne takes so long between removing a field's values and its declaration, at most.
_SETTLES_S = 0.1
# How long looking may take then: MongoDB may be away.
_LOOKED_WITHIN_S = 2.0
# By dataset what this process wrote to its samples since :func:`settle`.
_written: dict[ObjectId, set[str]] = {}
# How often a sample is changed again that others change at the same time.
_MAX_ATTEMPTS = 20


def update_documents(
    dataset: Dataset, updates: Iterable[Update], now: datetime | None = None
) -> int:
    """Sets fields of samples in one bulk write, which is on disk when it returns.

    Args:
        dataset: the dataset that holds the samples
        updates: pairs of a sample's id and the ``{path: value}`` to set; a third
            item, if given, is a MongoDB filter without which the sample is left
            alone, for updates that rest on what was read before
        now: when the samples count as modified, by default the moment of the call

    Returns:
        the number of updates whose sample was there and whose filter held

    Raises:
        DatasetChangedError: if the dataset or one of the fields was deleted or renamed
            meanwhile; nothing of such a field is left then
        DatabaseError: if MongoDB cannot be reached or refuses the write
    """
    return _update(dataset, list(updates), now or write_time())


def write_time() -> datetime:
    """Returns the time as FiftyOne writes it, as exact as MongoDB keeps it."""
    now = now_utc()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def change_documents(
    dataset: Dataset,
    ids: Sequence[ObjectId],
    paths: Sequence[str],
    change: Callable[[Document, datetime], Document | None],
) -> int:
    """Changes samples by what they hold, so that nobody else's change is lost.

    A sample that somebody changes between reading and writing is read and changed
    again.

    Args:
        dataset: the dataset that holds the samples
        ids: the ids of the samples; those that are gone are left out
        paths: the fields to read, as for :func:`stream_documents`
        change: returns the ``{path: value}`` to set on a sample, given its document
            and when it will count as modified; None or nothing leaves it alone. Called
            again with what is there then

    Returns:
        the number of samples that were changed

    Raises:
        DatasetChangedError: as :func:`update_documents`
        DatabaseError: if MongoDB cannot be reached or refuses the write, or samples
            are changed all the time
    """
    changed = 0
    waiting = list(ids)
    for _ in range(_MAX_ATTEMPTS):
        updates: list[Update] = []
        now = write_time()
        for document in read_documents(dataset, waiting, [*paths, MODIFIED]):
            values = change(document, now)
            if values:
                unchanged = {MODIFIED: document.get(MODIFIED)}
                updates.append((document["_id"], values, unchanged))
        written = _update(dataset, updates, now)
        changed += written
        if written == len(updates):
            return changed
        waiting = [update[0] for update in updates]
        done = read_documents(dataset, waiting, [MODIFIED])
        waiting = [d["_id"] for d in done if d.get(MODIFIED) != now]
    raise DatabaseError(
        f"Samples of dataset '{dataset.name}' are being changed all the time; run the "
        "same call again when nobody else writes to them"
    )


def _update(dataset: Dataset, updates: Sequence[Update], now: datetime) -> int:
    if not updates:
        return 0
    paths = {path for _, values, *_ in updates for path in values}
    operations = []
    for sample_id, values, *guard in updates:
        condition = {"_id": sample_id, **(guard[0] if guard else {})}
        operations.append(UpdateOne(condition, {"$set": {**values, MODIFIED: now}}))
    with explain_database_errors():
        written = _journaled(dataset).bulk_write(operations, ordered=False)
    _note_written(dataset, paths)
    _reload_loaded_samples(dataset, [update[0] for update in updates])
    return written.matched_count


def settle(dataset: Dataset) -> None:
    """Removes what was written to fields that somebody was deleting, at a run's end.

    Who deletes or renames a field removes its values first and its declaration a moment
    later: what is written in between would make the dataset unreadable. What is gone by
    now is said. Nobody waits for what goes a moment later, which is as if it had been
    deleted after the run: its values are removed then.

    Args:
        dataset: the dataset, to whose samples nothing more is written

    Raises:
        DatasetChangedError: if the dataset is gone
        DatabaseError: if MongoDB cannot be reached or refuses the write
    """
    check_written(dataset)
    written = _written.pop(dataset_id(dataset), set())
    if written:
        arguments = dataset, written, now_utc()
        # Not a daemon, so that a process does not end before.
        threading.Timer(_SETTLES_S, _remove_undeclared, arguments).start()


def check_written(dataset: Dataset, needed: Iterable[str] = ()) -> None:
    """Removes what was written to fields that are gone by now, as :func:`settle` does.

    A run that goes on may ask before its end.

    Args:
        dataset: the dataset
        needed: the fields that must be there

    Raises:
        DatasetChangedError: if the dataset or a needed field is gone
        DatabaseError: if MongoDB cannot be reached or refuses the write
    """
    written = _written.get(dataset_id(dataset), set())
    gone = _undeclared(dataset, {*written, *needed})
    remove_values(dataset, [path for path in gone if path in written])
    written.difference_update(gone)
    _check_are_there(dataset, [path for path in gone if path in _plain(needed)])


def _remove_undeclared(dataset: Dataset, written: set[str], until: datetime) -> None:
    """Removes what was written until some time to fields that are gone by now.

    What came later is not the run's: FiftyOne renames and clones fields by moving their
    values first, too, and declares the new ones a moment later.
    """
    with (
        suppress(DatabaseError, DatasetChangedError),
        explain_database_errors(),
        pymongo.timeout(_LOOKED_WITHIN_S),
    ):
        remove_values(dataset, _undeclared(dataset, written), until=until)


def mark_documents(
    dataset: Dataset, ids: Sequence[ObjectId], path: str, marks: Document
) -> None:
    """Puts marks into an embedded document of samples, made where there is none.

    Args:
        dataset: the dataset
        ids: the ids of the samples; those that are gone are left out
        path: the embedded document, which has no declared fields of its own
        marks: the values to add to it

    Raises:
        DatabaseError: if MongoDB cannot be reached or refuses the write
    """
    marked = {"$mergeObjects": [{"_cls": "DynamicEmbeddedDocument"}, f"${path}", marks]}
    changes = [{"$set": {path: marked, MODIFIED: now_utc()}}]
    with explain_database_errors():
        for start in range(0, len(ids), BATCH_SIZE):
            some = {"_id": {"$in": list(ids[start : start + BATCH_SIZE])}}
            _journaled(dataset).update_many(some, changes)


def declare_images(dataset: Dataset) -> None:
    """Says of a dataset that its samples are images, as its first sample does."""
    if dataset.media_type is None:
        dataset.media_type = "image"


def insert_documents(
    dataset: Dataset, documents: Sequence[Document], now: datetime | None = None
) -> None:
    """Adds samples to a dataset whose schema already declares their fields.

    Only the samples are written: :func:`declare_images` comes before it.

    Args:
        dataset: the dataset
        documents: the samples' own fields; what every sample has beside them is
            added here as ``Dataset.add_samples`` adds it
        now: when the samples count as made, by default the moment of the call

    Raises:
        DatasetChangedError: as :func:`update_documents`
        DatabaseError: if MongoDB cannot be reached or refuses the write
    """
    common = _common_fields(dataset, now or write_time())
    whole = [{**document, **common} for document in documents]
    paths = {name for document in documents for name in document}
    _insert(dataset, whole, paths)


def encoded_documents(
    dataset: Dataset, documents: Sequence[Document], now: datetime
) -> list[bytes]:
    """Returns samples as :func:`with_new_ids` takes them.

    Args:
        dataset: the dataset
        documents: as for :func:`insert_documents`
        now: when the samples count as made
    """
    common = _common_fields(dataset, now)
    options = dataset._sample_collection.codec_options
    return [
        bson.encode({**document, **common}, codec_options=options)
        for document in documents
    ]


def with_new_ids(encoded: Iterable[bytes]) -> list[RawBSONDocument]:
    """Returns samples with ids of this moment, in whose order a dataset shows them.

    Args:
        encoded: the samples, of :func:`encoded_documents`
    """
    return [
        RawBSONDocument(raw[:_ID_START] + ObjectId().binary + raw[_ID_END:])
        for raw in encoded
    ]


def insert_encoded_documents(
    dataset: Dataset, samples: Sequence[RawBSONDocument], paths: Iterable[str]
) -> None:
    """Adds samples as :func:`insert_documents` does.

    Args:
        dataset: the dataset
        samples: the samples, of :func:`with_new_ids`
        paths: the names of all of their fields

    Raises:
        DatasetChangedError: as :func:`update_documents`
        DatabaseError: if MongoDB cannot be reached or refuses the write
    """
    _insert(dataset, samples, set(paths))


def _common_fields(dataset: Dataset, now: datetime) -> Document:
    return {"_dataset_id": dataset._doc.id, "created_at": now, MODIFIED: now}


def _insert(dataset: Dataset, documents: Sequence[Any], paths: set[str]) -> None:
    if not documents:
        return
    _check_fields(dataset, paths)
    with explain_database_errors():
        _journaled(dataset).insert_many(documents, ordered=False)
    _note_written(dataset, paths)


def new_sample_document(filepath: str, tags: list[str]) -> Document:
    """Returns the fields that a new image sample has before its own, in order."""
    return {
        "_id": ObjectId(),
        "filepath": filepath,
        "tags": tags,
        # `add_samples` draws the same for samples whose order is to be shuffled.
        "_rand": random.random() * 0.001 + 0.999,
        "_media_type": "image",
    }


def _journaled(dataset: Dataset) -> Any:
    """Returns the collection of a dataset's samples, whose writes outlive a crash.

    MongoDB would otherwise confirm a write a moment before it is on disk.
    """
    collection = dataset._sample_collection
    concern = {**collection.write_concern.document, "j": True}
    return collection.with_options(write_concern=WriteConcern(**concern))


def _note_written(dataset: Dataset, paths: set[str]) -> None:
    """Remembers what was written, and checks that it may stay."""
    _written.setdefault(dataset_id(dataset), set()).update(_plain(paths))
    _check_fields(dataset, paths)


def _check_fields(dataset: Dataset, paths: Iterable[str]) -> None:
    """Checks that the fields to write, or written, are those of the dataset as it is.

    FiftyOne cannot read a sample that has a field which the dataset has not: nothing of
    such fields is left.

    Args:
        dataset: the dataset
        paths: what is to be written, or has been

    Raises:
        DatasetChangedError: if the dataset or one of the fields is gone
    """
    gone = _undeclared(dataset, paths)
    if gone:
        written = _written.pop(dataset_id(dataset), set())
        remove_values(dataset, _undeclared(dataset, {*gone, *written}))
        _check_are_there(dataset, gone)


def _check_are_there(dataset: Dataset, gone: Sequence[str]) -> None:
    if gone:
        raise DatasetChangedError(
            f"Field '{gone[0]}' of dataset '{dataset.name}' was deleted or renamed "
            "while it was written to; run the same call again if it is wanted"
        )


def _undeclared(dataset: Dataset, paths: Iterable[str]) -> list[str]:
    """Returns those of some paths that a dataset, as it is now, does not declare.

    Raises:
        DatasetChangedError: if the dataset is gone; nothing of it is left
    """
    with explain_database_errors():
        stored = get_db_conn().datasets.find_one(
            {"_id": dataset_id(dataset)}, {"sample_fields": 1}
        )
        if stored is None:
            _written.pop(dataset_id(dataset), None)
            get_db_conn()[dataset._doc.sample_collection_name].drop()
            raise DatasetChangedError(
                f"Dataset '{dataset.name}' was deleted while it was written to"
            )
        there = set(db_paths(stored["sample_fields"]))
        # What labels have beyond the schema is theirs: FiftyOne reads it all the same.
        return sorted(
            path
            for path in _plain(paths) - there
            if "." not in path or dataset.get_field(path) is not None
        )


def _plain(paths: Iterable[str]) -> set[str]:
    """Returns paths without the places in lists."""
    return {re.sub(r"\.(\d+|\$\[\w*\])(?=\.|$)", "", path) for path in paths}


def _reload_loaded_samples(dataset: Dataset, sample_ids: Sequence[ObjectId]) -> None:
    fos.Sample._reload_docs(
        dataset._sample_collection_name, sample_ids=[str(i) for i in sample_ids]
    )
