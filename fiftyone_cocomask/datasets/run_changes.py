"""Renaming and deleting runs with their fields, so that a kill can be made good.

What is to be done is written first, each step leaves a dataset that can be read, and
each can be done again: whoever calls once more completes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou
from bson import ObjectId

from .documents import (
    Document,
    count_samples,
    have_values,
    move_values,
    remove_values,
    sample_ids,
)
from .documents.runs import RunField, delete_run, rename_run
from .journal import Journal
from .locks import changing_outline
from .owned_fields import INFO_KEY, delete_fields, field_owner

# Values are moved and removed in this many samples at a time.
_BATCH_SIZE = 1_000


def change_key(
    dataset: fo.Dataset,
    field: RunField,
    key: str,
    new_key: str,
    names: Mapping[str, str],
    progress: Any = False,
) -> None:
    """Gives a run another key, and its fields other names.

    Args:
        dataset: the dataset
        field: where its runs are
        key: the key of the run
        new_key: its new key; neither it nor the new names are taken
        names: the new path of each path that its fields may have
        progress: whether to render a progress bar of the samples, or a function to
            call with it
    """
    facts = {
        "field": field,
        "key": key,
        "new_key": new_key,
        "names": [[old, new] for old, new in names.items()],
    }
    Journal(dataset).begin("rename", key, facts)
    _complete_rename(dataset, facts, progress)


def remove_run(
    dataset: fo.Dataset,
    field: RunField,
    key: str,
    paths: Sequence[str],
    progress: Any = False,
) -> None:
    """Deletes a run and its fields.

    Args:
        dataset: the dataset
        field: where its runs are
        key: the key of the run
        paths: the paths that its fields may have
        progress: as for :func:`change_key`
    """
    facts = {"field": field, "key": key, "paths": list(paths)}
    Journal(dataset).begin("delete", key, facts)
    _complete_deletion(dataset, facts, progress)


def complete_changes(dataset: fo.Dataset, keys: Iterable[str]) -> None:
    """Completes renames and deletions of keys that were killed."""
    wanted = {key for key in keys if isinstance(key, str)}
    for action, facts in Journal(dataset).pending("rename", "delete"):
        if action == "rename" and wanted & {facts["key"], facts["new_key"]}:
            _complete_rename(dataset, facts)
        if action == "delete" and facts["key"] in wanted:
            _complete_deletion(dataset, facts)


def _complete_rename(
    dataset: fo.Dataset, facts: Document, progress: Any = False
) -> None:
    key, new_key, names = facts["key"], facts["new_key"], dict(facts["names"])
    with changing_outline(dataset):
        _declare_renamed(dataset, names, new_key)
        _rename_in_sidebar(dataset, key, new_key, names)
    for ids in _samples_with(dataset, list(names), progress):
        move_values(dataset, names, ids)
    # What was written meanwhile.
    move_values(dataset, names)
    delete_fields(dataset, list(names), key)
    if key in getattr(dataset, f"list_{facts['field']}")():
        rename_run(dataset, facts["field"], key, new_key)
    Journal(dataset).end("rename", key, facts)


def _complete_deletion(
    dataset: fo.Dataset, facts: Document, progress: Any = False
) -> None:
    key, paths = facts["key"], facts["paths"]
    for ids in _samples_with(dataset, paths, progress):
        remove_values(dataset, paths, ids)
    delete_fields(dataset, paths, key)
    delete_run(dataset, facts["field"], key)
    # Once more: it may have been run again meanwhile.
    remove_values(dataset, paths)
    Journal(dataset).end("delete", key, facts)


def _samples_with(
    dataset: fo.Dataset, paths: Sequence[str], progress: Any
) -> Iterator[list[ObjectId]]:
    """Yields the ids of samples that have values at some paths, and counts them."""
    if not paths:
        return
    condition = have_values(paths)
    total = count_samples(dataset, condition)
    with fou.ProgressBar(total=total, progress=progress, iters_str="images") as bar:
        for ids in sample_ids(dataset, condition, _BATCH_SIZE):
            yield ids
            bar.update(len(ids))


def _declare_renamed(
    dataset: fo.Dataset, names: Mapping[str, str], new_key: str
) -> None:
    """Declares the new fields like the old ones: only then can they have values."""
    for path, field in dataset.get_field_schema(flat=True).items():
        old = next((n for n in names if path == n or path.startswith(f"{n}.")), None)
        if old is None:
            continue
        new = names[old] + path[len(old) :]
        if dataset.has_field(new):
            continue
        kwargs: dict[str, Any] = {}
        inner = field
        if isinstance(field, fo.ListField):
            inner = field.field
            kwargs["subfield"] = type(inner)
        if isinstance(inner, fo.EmbeddedDocumentField):
            kwargs["embedded_doc_type"] = inner.document_type
        owner = field_owner(field)
        if owner is not None:
            kwargs["info"] = {**field.info, INFO_KEY: {**owner, "eval_key": new_key}}
        dataset.add_sample_field(
            new, type(field), description=field.description, **kwargs
        )


def _rename_in_sidebar(
    dataset: fo.Dataset, key: str, new_key: str, names: Mapping[str, str]
) -> None:
    """Renames the group of the App's sidebar, and the fields in it."""
    for group in dataset.app_config.sidebar_groups or []:
        group.paths = [names.get(path, path) for path in group.paths]
        if group.name == key:
            group.name = new_key
    dataset.save()
