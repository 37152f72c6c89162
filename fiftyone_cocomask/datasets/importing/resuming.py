"""What an import has done already that was killed and is run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import fiftyone as fo
from bson.raw_bson import RawBSONDocument

from ..documents import Document, read_documents, sample_ids, write_time
from ..journal import Journal

_SampleT = TypeVar("_SampleT", bytes, Document)
# What tells a sample of an import from all others of it.
_OWN = ("filepath", "split", "file_name")
_KEY = "merge"


def begin_merge(dataset: fo.Dataset) -> None:
    """Notes that a merge begins, if it does not go on with one that was killed.

    Args:
        dataset: the dataset, whose lock this process holds
    """
    if unfinished_since(dataset) is None:
        Journal(dataset).begin("import", _KEY, {"since": write_time()})


def unfinished_since(dataset: fo.Dataset) -> datetime | None:
    """Returns when the merge began that was killed last; None if it was completed.

    Samples that were made since then are new, though the next import finds them there.
    """
    entry = Journal(dataset).entry("import", _KEY)
    since: datetime | None = None
    if entry is not None and not entry["done"]:
        since = entry["since"]
    return since


def end_merge(dataset: fo.Dataset) -> None:
    """Notes that all is done that was begun."""
    since = unfinished_since(dataset)
    if since is not None:
        Journal(dataset).end("import", _KEY, {"since": since})


def missing_samples(dataset: fo.Dataset, samples: Sequence[_SampleT]) -> list[_SampleT]:
    """Returns those of some samples that a dataset does not have.

    Args:
        dataset: the dataset
        samples: the samples as documents, encoded or not
    """
    keys = [_key(_document(sample)) for sample in samples]
    of_files = {"filepath": {"$in": [key[0] for key in keys]}}
    ids = [sample_id for some in sample_ids(dataset, of_files) for sample_id in some]
    present = set(map(_key, read_documents(dataset, ids, _OWN)))
    return [
        sample for sample, key in zip(samples, keys, strict=True) if key not in present
    ]


def _document(sample: bytes | Document) -> Mapping[str, Any]:
    return RawBSONDocument(sample) if isinstance(sample, bytes) else sample


def _key(document: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(document.get(name) for name in _OWN)
