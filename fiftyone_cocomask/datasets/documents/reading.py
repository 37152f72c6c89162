"""Documents of samples, read in batches as MongoDB holds them."""

from __future__ import annotations

import itertools
import os
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import bson
from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from fiftyone.core.odm import get_db_conn

from ...fiftyone_types import Dataset, SampleCollection
from ..database_errors import explain_database_errors
from .views import Document, dataset_id

BATCH_SIZE = 200
# A batch of documents with tens of thousands of labels each ends earlier.
MAX_BATCH_BYTES = 2**24
MODIFIED = "last_modified_at"

# How many bytes BSON has of a value by its kind, beside those that its length counts.
_LENGTH = struct.Struct("<i")
_EMBEDDED, _ARRAY, _STRING, _BINARY = 3, 4, 2, 5
_SIZED_KINDS = {_EMBEDDED: 0, _ARRAY: 0, _STRING: 4, _BINARY: 5}
_NUMBER, _ID, _TRUTH, _TIME, _NULL, _INT32, _INT64 = 1, 7, 8, 9, 10, 16, 18
_FIXED_KINDS = {
    _NUMBER: 8,
    _ID: 12,
    _TRUTH: 1,
    _TIME: 8,
    _NULL: 0,
    _INT32: 4,
    _INT64: 8,
}


def stream_documents(
    samples: SampleCollection, paths: Sequence[str], batch_size: int = BATCH_SIZE
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
    samples: SampleCollection, paths: Sequence[str], batch_size: int = BATCH_SIZE
) -> Iterator[list[bytes]]:
    """Yields what :func:`stream_documents` does as BSON, for others to decode."""
    collection = samples._dataset._sample_collection
    options = collection.codec_options.with_options(document_class=RawBSONDocument)
    collection = collection.with_options(codec_options=options)
    for batch in _batches(collection, samples, paths, batch_size):
        yield [document.raw for document in batch]


def ids_of(samples: SampleCollection) -> set[ObjectId]:
    """Returns the ids of a view's samples.

    Raises:
        DatabaseError: if MongoDB cannot be reached
    """
    batches = stream_documents(samples, ["_id"])
    return {document["_id"] for documents in batches for document in documents}


def read_documents(
    dataset: Dataset, ids: Sequence[ObjectId], paths: Sequence[str]
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


def document_sizes(dataset: Dataset, ids: Sequence[ObjectId]) -> dict[ObjectId, int]:
    """Returns how many bytes some samples take, of which MongoDB allows 2^24.

    Args:
        dataset: the dataset that holds the samples
        ids: the ids of the samples; those that are gone are left out

    Raises:
        DatabaseError: if MongoDB cannot be reached
    """
    if not ids:
        return {}
    size = {"size": {"$bsonSize": "$$ROOT"}}
    with explain_database_errors():
        found = dataset._sample_collection.find({"_id": {"$in": list(ids)}}, size)
        return {document["_id"]: document["size"] for document in found}


def encoded_size(values: Document) -> int:
    """Returns how many bytes values take in a sample."""
    return len(bson.encode(values))


def read_encoded_documents(
    dataset: Dataset,
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


def decode_without(
    document: RawBSONDocument, name: str
) -> tuple[Document, RawBSONDocument | None]:
    """Decodes a document but for one embedded document.

    At once, which takes half as long as to look at its fields one by one.

    Args:
        document: the document
        name: the name of the embedded document

    Returns:
        the others, decoded, and that one, None if there is no such
    """
    raw, wanted = document.raw, name.encode()
    start, end = _LENGTH.size, len(raw) - 1
    while start < end:
        kind = raw[start]
        value = raw.index(0, start + 1) + 1
        if kind in _SIZED_KINDS:
            after = value + _SIZED_KINDS[kind] + _LENGTH.unpack_from(raw, value)[0]
        elif kind in _FIXED_KINDS:
            after = value + _FIXED_KINDS[kind]
        else:
            break
        if kind == _EMBEDDED and raw[start + 1 : value - 1] == wanted:
            length = _LENGTH.pack(len(raw) - (after - start))
            others = length + raw[_LENGTH.size : start] + raw[after:]
            return bson.decode(others), RawBSONDocument(raw[value:after])
        start = after
    decoded = bson.decode(raw)
    found = decoded.get(name)
    is_there = isinstance(found, dict)
    return decoded, RawBSONDocument(bson.encode(found)) if is_there else None


def image_paths_below(folder: str) -> Iterator[str]:
    """Yields the paths of all datasets' images below a folder.

    Raises:
        DatabaseError: if MongoDB cannot be reached
    """
    below = {"filepath": {"$regex": f"^{re.escape(os.path.join(folder, ''))}"}}
    with explain_database_errors():
        database = get_db_conn()
        for dataset in database.datasets.find({}, {"sample_collection_name": 1}):
            samples = database[dataset["sample_collection_name"]]
            for document in samples.find(below, {"filepath": 1}):
                yield document["filepath"]


def field_info(dataset: Dataset, name: str) -> Document | None:
    """Returns what a field's ``info`` is in the database now; None without the field.

    Raises:
        DatabaseError: if MongoDB cannot be reached
    """
    with explain_database_errors():
        found = get_db_conn().datasets.find_one(
            {"_id": dataset_id(dataset)},
            {"sample_fields": {"$elemMatch": {"name": name}}},
        )
    fields = (found or {}).get("sample_fields")
    return fields[0].get("info") or {} if fields else None


def sample_ids(
    dataset: Dataset, condition: Document, batch_size: int = BATCH_SIZE
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


def num_samples(samples: SampleCollection) -> int:
    """Returns how many samples there are.

    FiftyOne's ``len`` of a dataset is MongoDB's estimate, which is wrong for some time
    after MongoDB itself was killed.

    Args:
        samples: a dataset or view

    Raises:
        DatabaseError: if MongoDB cannot be reached
    """
    with explain_database_errors():
        if not samples._is_full_collection():
            return len(samples)
        collection = samples._dataset._sample_collection
        number: int = collection.count_documents({}, hint="_id_")
        return number


def has_samples(samples: SampleCollection) -> bool:
    """Whether there are any samples, as :func:`num_samples` counts them."""
    return bool(aggregate_documents(samples, [{"$limit": 1}, {"$project": {"_id": 1}}]))


def has_more_samples(dataset: Dataset, number: int) -> bool:
    """Whether a dataset has more samples than some number, of groups in all slices."""
    with explain_database_errors():
        count: int = dataset._sample_collection.estimated_document_count()
    return count > number


def has_any_sample(dataset: Dataset, condition: Document | None = None) -> bool:
    """Whether any sample meets a MongoDB filter; of a grouped one, in any slice."""
    return any(True for _ in sample_ids(dataset, condition or {}, 1))


def count_samples(dataset: Dataset, condition: Document) -> int:
    """Returns how many samples meet a MongoDB filter; of a grouped one, of all slices.

    Raises:
        DatabaseError: if MongoDB cannot be reached
    """
    with explain_database_errors():
        return dataset._sample_collection.count_documents(condition)


def aggregate_documents(
    samples: SampleCollection, stages: Sequence[Document]
) -> list[Document]:
    """Returns what MongoDB's aggregation stages make of a view's samples.

    Args:
        samples: a dataset or view; of a grouped dataset, its active slice
        stages: the stages to append to the view's own

    Raises:
        DatabaseError: if MongoDB cannot be reached
    """
    stages = samples._pipeline(post_pipeline=list(stages))
    collection = samples._dataset._sample_collection
    with explain_database_errors():
        return list(collection.aggregate(stages, allowDiskUse=True))


def label_value_types(
    dataset: Dataset, path: str, names: Sequence[str]
) -> dict[str, set[str]]:
    """Returns MongoDB's types of the values that labels have in attributes.

    Args:
        dataset: the dataset
        path: the path of the labels' lists: ``"field.polylines"``
        names: the names of the attributes

    Returns:
        by name, the types but for missing values

    Raises:
        DatabaseError: if MongoDB cannot be reached
    """
    if not names:
        return {}
    types = {
        str(number): {"$addToSet": {"$type": f"${path}.{name}"}}
        for number, name in enumerate(names)
    }
    stages = [{"$unwind": f"${path}"}, {"$group": {"_id": None, **types}}]
    with explain_database_errors():
        found = list(dataset._sample_collection.aggregate(stages, allowDiskUse=True))
    if not found:
        return {}
    return {
        name: set(found[0][str(number)]) - {"missing", "null", "undefined"}
        for number, name in enumerate(names)
    }


def samples_state(dataset: Dataset) -> str:
    """Returns a text that changes when a sample is changed, added or deleted."""
    collection = dataset._sample_collection
    with explain_database_errors():
        # FiftyOne has an index of it.
        last = collection.find_one(
            {}, {"_id": 0, "last_modified_at": 1}, sort=[("last_modified_at", -1)]
        )
        count = collection.estimated_document_count()
    return f"{count} samples, {(last or {}).get('last_modified_at')}"


def _batches(
    collection: Any, samples: SampleCollection, paths: Sequence[str], batch_size: int
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


def _without_children(paths: Sequence[str]) -> list[str]:
    """Drops paths below another path of the list: MongoDB refuses such a pair."""
    return [
        path
        for path in dict.fromkeys(["_id", *paths])
        if not any(path.startswith(other + ".") for other in paths)
    ]
