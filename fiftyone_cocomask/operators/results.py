"""What operators return: one form for all of them, as JSON holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

import fiftyone.operators.types as types

from ..fiftyone_types import SampleCollection
from ..plugin_folder import NAME
from ..words import count

Results = dict[str, Any]

# Answers that count for one form alone: a yes, and what only refreshes the form.
_OF_THE_FORM = ("confirm", "look_again", "pictures")


class NextStep(TypedDict):
    """An operator that usually follows.

    Attributes:
        operator: its URI
        params: the parameters that are known; those that only the caller can know,
            such as a folder to write to, are missing
        why: what it is good for
    """

    operator: str
    params: dict[str, Any]
    why: str


def next_step(name: str, why: str, **params: Any) -> NextStep:
    """Returns an operator that usually follows; parameters that are None are left out.

    Args:
        name: the operator's name
        why: what it is good for
        **params: the parameters that are known
    """
    known = {key: value for key, value in params.items() if value is not None}
    return {"operator": f"{NAME}/{name}", "params": known, "why": why}


def without_dry_run(name: str, params: Mapping[str, Any]) -> NextStep:
    """Returns the operator that a dry run has only tried.

    Args:
        name: the operator's name
        params: the parameters of the dry run
    """
    why = "Nothing has been written yet: do it"
    known = {n: value for n, value in params.items() if n not in _OF_THE_FORM}
    return next_step(name, why, **{**known, "dry_run": False})


def completed(
    found: Mapping[str, Any],
    warnings: Iterable[str] = (),
    next_steps: Iterable[NextStep] = (),
) -> Results:
    """Returns what an operator found or did, as every operator returns it.

    Args:
        found: what it found or did
        warnings: sentences on what a person should look at
        next_steps: what usually follows
    """
    return {**found, "warnings": list(warnings), "next": list(next_steps)}


def rows(name: str, found: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns figures by name as rows of a table, whose first column is the name."""
    return [{name: key, **figures} for key, figures in found.items()]


def split_rows(samples: SampleCollection) -> list[dict[str, Any]]:
    """Returns the number of images of each split."""
    from ..datasets.documents import all_images
    from ..datasets.split_names import count_splits

    counts = count_splits(all_images(samples))
    return rows("split", {name: {"images": n} for name, n in counts.items()})


def class_rows(samples: SampleCollection, label_field: str) -> list[dict[str, Any]]:
    """Returns the number of objects of each class."""
    from ..datasets.documents import all_images
    from ..datasets.label_fields import object_list_path

    samples = all_images(samples)
    found = samples.count_values(f"{object_list_path(samples, label_field)}.label")
    names = sorted(name for name in found if name is not None)
    return rows("class", {name: {"objects": found[name]} for name in names})


def outcome(has_something: object, **shown: Any) -> types.View:
    """Returns the view of what a job has done: green unless that is nothing."""
    view = types.Success if has_something else types.Warning
    return view(**shown)


def in_sentence(number: int, what: str, skipped: Mapping[str, Any] | None) -> str:
    """Returns a warning: how many images something is so of, and the first of them."""
    images = f"{count(number, 'image')} {what}"
    if skipped is None:
        return images
    return f"{images}. The first is {skipped['filepath']}: {skipped['reason']}"
