"""Samples that an import need not write again, since it was killed after it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import fiftyone as fo
from bson.raw_bson import RawBSONDocument

from ..documents import Document, read_documents, sample_ids

_SampleT = TypeVar("_SampleT", bytes, Document)
# What tells a sample of an import from all others of it.
_OWN = ("filepath", "split", "file_name")


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
