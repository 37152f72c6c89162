"""Fields of samples and of labels: declared, moved, renamed, removed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime, timezone
from typing import Any

import fiftyone.core.sample as fos
from bson import ObjectId
from fiftyone.core.odm import SampleFieldDocument
from mongoengine.context_managers import no_dereference

from ...fiftyone_types import Dataset
from ..database_errors import explain_database_errors
from .reading import MODIFIED
from .views import Document

# From about so many fields on, not to look for references is faster than to look.
_MANY_FIELDS = 256


def declare_paths(dataset: Dataset, fields: Mapping[str, Any]) -> None:
    """Declares fields of samples and labels in one write.

    ``Dataset.add_sample_field`` writes the whole schema for each.

    Args:
        dataset: the dataset
        fields: by path, the field; one that is there already must be of its type
    """
    if fields:
        with many_fields(len(fields)):
            dataset._merge_sample_field_schema(dict(fields))


def declare_missing_paths(dataset: Dataset, fields: Mapping[str, Any]) -> None:
    """Declares those fields that are not there, as :func:`declare_paths` does."""
    missing = {p: field for p, field in fields.items() if not dataset.has_field(p)}
    declare_paths(dataset, missing)


@contextmanager
def many_fields(number: int) -> Iterator[None]:
    """Makes work on a schema of hundreds of fields take time in proportion to them.

    MongoEngine looks through all fields for references to other documents each time
    that one is looked up. Declared fields never have any.

    Args:
        number: about how many fields there are. For few nothing changes: not looking
            costs MongoEngine a copy of its own fields each time
    """
    many = number > _MANY_FIELDS
    with no_dereference(SampleFieldDocument) if many else nullcontext():
        yield


def add_label_schema(dataset: Dataset, field: str, schema: Mapping[str, Any]) -> None:
    """Adds a field's label schema, which is active from the first, in one write.

    FiftyOne's own functions take two: one killed in between would leave it inactive,
    as if a person had deactivated it.
    """
    active = dataset.active_label_schemas
    # Saved by the next call.
    dataset._doc.active_label_schemas = [*active, field]
    try:
        dataset.update_label_schema(field, schema)
    except Exception:
        dataset._doc.active_label_schemas = active
        raise


def move_values(
    dataset: Dataset, names: Mapping[str, str], ids: Sequence[ObjectId] | None = None
) -> None:
    """Moves values of samples and labels to fields that are declared already.

    ``Dataset.rename_sample_fields`` moves them before it declares the new fields, so
    that no sample can be read if it is killed in between. This one can be done again.

    Args:
        dataset: the dataset; of a grouped one, all slices
        names: the new path of each path; only the last part may differ
        ids: the ids of the samples, None for all

    Raises:
        DatabaseError: if MongoDB cannot be reached or refuses the write
    """
    for parent in dict.fromkeys(path.rpartition(".")[0] for path in names):
        some = {o: n for o, n in names.items() if o.rpartition(".")[0] == parent}
        condition = _among(ids) | have_values(some)
        if parent:
            leaves = {_leaf(old): _leaf(new) for old, new in some.items()}
            rename_label_attributes(dataset, parent, leaves, ids)
            condition[parent] = {"$type": "object", "$not": {"$type": "array"}}
        changes = {"$rename": some, "$set": {MODIFIED: now_utc()}}
        with explain_database_errors():
            dataset._sample_collection.update_many(condition, changes)
    fos.Sample._reload_docs(dataset._sample_collection_name)


def have_values(paths: Iterable[str]) -> Document:
    """Returns the MongoDB filter of samples that have a value at one of some paths."""
    return {"$or": [{path: {"$exists": True}} for path in paths]}


def remove_values(
    dataset: Dataset,
    paths: Sequence[str],
    ids: Sequence[ObjectId] | None = None,
    until: datetime | None = None,
) -> None:
    """Removes values of samples and labels, whatever the dataset declares.

    Args:
        dataset: the dataset; of a grouped one, all slices
        paths: the paths of the values
        ids: the ids of the samples, None for all
        until: samples that were modified later are left alone

    Raises:
        DatabaseError: if MongoDB cannot be reached or refuses the write
    """
    if not paths:
        return
    condition = _among(ids) | have_values(paths)
    if until is not None:
        condition[MODIFIED] = {"$lte": until}
    changes = [{"$unset": list(paths)}, {"$set": {MODIFIED: now_utc()}}]
    with explain_database_errors():
        dataset._sample_collection.update_many(condition, changes)
        for parent in {path.rpartition(".")[0] for path in paths} - {""}:
            # What held nothing else.
            dataset._sample_collection.update_many(
                _among(ids) | {parent: {}}, {"$unset": {parent: ""}}
            )


def _among(ids: Sequence[ObjectId] | None) -> Document:
    return {} if ids is None else {"_id": {"$in": list(ids)}}


def rename_label_attributes(
    dataset: Dataset,
    path: str,
    names: Mapping[str, str],
    ids: Sequence[ObjectId] | None = None,
) -> None:
    """Renames attributes of labels that are in lists, each sample in one write.

    Unlike ``Dataset.rename_sample_fields`` it can be done again when it was killed, and
    takes nothing back of what is changed in the samples meanwhile. The schema stays.

    Args:
        dataset: the dataset; of a grouped one, all slices
        path: the path of the lists: ``"field.polylines"``
        names: the new name of each attribute
        ids: the ids of the samples, None for all

    Raises:
        DatabaseError: if MongoDB cannot be reached or refuses the write
    """
    new = {new: f"$$label.{old}" for old, new in names.items()}
    renamed: Document = {"$mergeObjects": ["$$label", new]}
    for old in names:
        renamed = {"$unsetField": {"field": old, "input": renamed}}
    is_label = {"$eq": [{"$type": "$$label"}, "object"]}
    label = {"$cond": [is_label, renamed, "$$label"]}
    labels = {"$map": {"input": f"${path}", "as": "label", "in": label}}
    condition = _among(ids) | have_values(f"{path}.{old}" for old in names)
    condition[path] = {"$type": "array"}
    changes = {path: labels, MODIFIED: now_utc()}
    with explain_database_errors():
        dataset._sample_collection.update_many(condition, [{"$set": changes}])


def _leaf(path: str) -> str:
    return path.rpartition(".")[2]


def now_utc() -> datetime:
    """Returns the time as FiftyOne writes it: UTC, without a time zone."""
    return datetime.now(timezone.utc).replace(tzinfo=None)
