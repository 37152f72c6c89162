"""``if_exists="replace"``: one generation of samples in the place of another.

New samples bear a mark until all of them are there; the old ones get one before the
first of them is deleted. So whenever a run is killed, the next import knows which of
the two generations is whole, and removes the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import fiftyone as fo

from ...errors import CocoMaskError
from ..documents import (
    MODIFIED,
    Document,
    has_any_sample,
    mark_documents,
    read_documents,
    remove_values,
    sample_ids,
)
from ..import_base.base import BASE_FIELD, REPLACED, REPLACING
from ..journal import Journal
from .own_values import has_persons_work
from .samples import ImportRules

_KEY = "import"
_DELETED_AT_ONCE = 1000
_REPLACING = f"{BASE_FIELD}.{REPLACING}"
_REPLACED = f"{BASE_FIELD}.{REPLACED}"


@contextmanager
def replaced_samples(dataset: fo.Dataset, rules: ImportRules) -> Iterator[None]:
    """Deletes the samples of a dataset once others are there, and these if that fails.

    Args:
        dataset: the dataset, whose lock this process holds
        rules: how the new samples are written, with ``is_replacing``
    """
    old = [sample_id for ids in sample_ids(dataset, {}) for sample_id in ids]
    facts = {"fields": list(rules.fields), "tags": list(rules.tags)}
    Journal(dataset).begin("replace", _KEY, {**facts, "is_complete": False})
    try:
        yield
    except BaseException:
        with suppress(Exception):
            complete_replacement(dataset)
        raise
    mark_documents(dataset, old, BASE_FIELD, {REPLACED: True})
    Journal(dataset).begin("replace", _KEY, {**facts, "is_complete": True})
    complete_replacement(dataset)


def check_replacement(dataset: fo.Dataset) -> None:
    """Checks that there is something to take the place of a dataset's samples.

    Raises:
        CocoMaskError: if no new sample has been written, and there are old ones
    """
    is_new = has_any_sample(dataset, {_REPLACING: True})
    if not is_new and has_any_sample(dataset):
        raise CocoMaskError(
            "None of the export's images can be used, so the samples of dataset "
            f"'{dataset.name}' stay; a check of the export says why"
        )


def complete_replacement(dataset: fo.Dataset) -> None:
    """Ends a replacement that was begun: one generation of samples is left.

    It is the new one if that is complete, else the old one, and what a person has
    worked on already of the new one.

    Args:
        dataset: the dataset, whose lock this process holds
    """
    entry = Journal(dataset).entry("replace", _KEY)
    if entry is None or entry["done"]:
        return
    if entry["is_complete"]:
        for ids in sample_ids(dataset, {_REPLACED: True}, _DELETED_AT_ONCE):
            dataset.delete_samples([str(sample_id) for sample_id in ids])
    else:
        _take_back(dataset, entry)
    remove_values(dataset, [_REPLACING, _REPLACED])
    Journal(dataset).end("replace", _KEY, entry)


def _take_back(dataset: fo.Dataset, entry: Document) -> None:
    rules = ImportRules((entry["fields"][0], entry["fields"][1]), ())
    paths = [*rules.paths, "created_at", MODIFIED]
    given = set(entry["tags"])
    for ids in sample_ids(dataset, {_REPLACING: True}, _DELETED_AT_ONCE):
        gone = []
        for document in read_documents(dataset, ids, paths):
            is_changed = document["created_at"] != document[MODIFIED]
            tags = [tag for tag in document.get("tags") or () if tag not in given]
            if not is_changed or not has_persons_work(
                {**document, "tags": tags}, rules
            ):
                gone.append(str(document["_id"]))
        dataset.delete_samples(gone)
