"""Evaluations as runs of a dataset.

They are FiftyOne's own custom runs, of its own classes, so that a dataset which has
some opens where this plugin is absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import fiftyone as fo

from ...errors import CocoMaskError
from ..documents import rename_in_all_slices
from .fields import (
    INFO_KEY,
    EvaluationFields,
    delete_fields,
    field_owner,
    owned_paths,
)

if TYPE_CHECKING:
    from .results import MaskEvaluation

Kind = Literal["area", "coverage"]

_METHOD_PREFIX = "cocomask/"


def list_mask_evaluations(samples: Any, kind: Kind | None = None) -> list[str]:
    """Returns the eval keys of a dataset's mask evaluations.

    Args:
        samples: the dataset, or a view into it
        kind: ``"area"`` or ``"coverage"``; None for both

    Returns:
        the keys, sorted; also those of evaluations that were stopped before their end
    """
    dataset = samples._root_dataset
    return [
        key
        for key in dataset.list_runs()
        if (found := run_kind(dataset, key)) and (kind is None or found == kind)
    ]


def load_mask_evaluation(samples: Any, eval_key: str) -> MaskEvaluation:
    """Returns the results of an evaluation.

    Args:
        samples: the dataset, or a view into it
        eval_key: the key of the evaluation

    Returns:
        an :class:`AreaResults` or :class:`CoverageResults`

    Raises:
        CocoMaskError: if there is no such evaluation, or it was stopped before its end
    """
    from .results import evaluation_results

    dataset = samples._root_dataset
    check_is_evaluation(dataset, eval_key)
    stored = dataset.load_run_results(eval_key)
    if stored is None:
        raise CocoMaskError(
            f"Mask evaluation '{eval_key}' was stopped before its end; evaluate again "
            "under this eval_key, or delete it"
        )
    return evaluation_results(stored)


def rename_mask_evaluation(samples: Any, eval_key: str, new_eval_key: str) -> None:
    """Renames an evaluation and its fields.

    Args:
        samples: the dataset, or a view into it
        eval_key: the key of the evaluation
        new_eval_key: its new key

    Raises:
        CocoMaskError: if there is no such evaluation, or the new key is taken; nothing
            has been changed then
    """
    dataset = samples._root_dataset
    check_is_evaluation(dataset, eval_key)
    check_key(dataset, new_eval_key)
    if new_eval_key in dataset.list_runs():
        raise CocoMaskError(
            f"Dataset '{dataset.name}' already has a run '{new_eval_key}'; give another"
        )
    owner = _owner(dataset, eval_key)
    paths = owned_paths(dataset, owner)
    new_paths = [_renamed(path, eval_key, new_eval_key) for path in paths]
    for path in new_paths:
        if dataset.has_field(path):
            raise CocoMaskError(
                f"Dataset '{dataset.name}' already has a field '{path}'; give another "
                "key"
            )
    # The owner first: FiftyOne forgets where a nested field is once it is renamed.
    for field in dataset.get_field_schema(flat=True).values():
        if field_owner(field) == owner:
            field.info = {**field.info, INFO_KEY: {**owner, "eval_key": new_eval_key}}
            field.save()
    if paths:
        rename_in_all_slices(dataset, dict(zip(paths, new_paths, strict=True)))
    for group in dataset.app_config.sidebar_groups or []:
        if group.name == eval_key:
            group.name = new_eval_key
    dataset.save()
    dataset.rename_run(eval_key, new_eval_key)


def delete_mask_evaluation(samples: Any, eval_key: str) -> None:
    """Deletes an evaluation and its fields.

    Args:
        samples: the dataset, or a view into it
        eval_key: the key of the evaluation

    Raises:
        CocoMaskError: if there is no such evaluation
    """
    dataset = samples._root_dataset
    check_is_evaluation(dataset, eval_key)
    owner = _owner(dataset, eval_key)
    delete_fields(dataset, owned_paths(dataset, owner), eval_key)
    dataset.delete_run(eval_key)


def run_kind(dataset: fo.Dataset, key: str) -> str | None:
    """Returns what a run evaluated, or None if it is not a mask evaluation."""
    method = dataset.get_run_info(key).config.method or ""
    return method[len(_METHOD_PREFIX) :] if method.startswith(_METHOD_PREFIX) else None


def check_is_evaluation(dataset: fo.Dataset, eval_key: str) -> None:
    """Checks that a key is that of a mask evaluation.

    Raises:
        CocoMaskError: if it is not
    """
    known = list_mask_evaluations(dataset)
    if eval_key not in known:
        has = ", ".join(known) if known else "none"
        raise CocoMaskError(
            f"Dataset '{dataset.name}' has no mask evaluation '{eval_key}' (it has "
            f"{has})"
        )


def check_key(dataset: fo.Dataset, eval_key: str) -> None:
    """Checks that a key can name an evaluation beside the dataset's other runs.

    Raises:
        CocoMaskError: if it cannot
    """
    if not isinstance(eval_key, str) or not eval_key.isidentifier():
        raise CocoMaskError(
            f"eval_key must be a name of letters, digits and _, not {eval_key!r}"
        )
    if eval_key.startswith("_"):
        raise CocoMaskError(f"eval_key must not begin with _, as {eval_key!r} does")
    if eval_key in dataset.list_evaluations() or eval_key in dataset.list_brain_runs():
        raise CocoMaskError(
            f"'{eval_key}' is the key of another run of dataset '{dataset.name}'; "
            "give another eval_key"
        )


def check_new_run(
    dataset: fo.Dataset, fields: EvaluationFields, *, overwrite: bool
) -> None:
    """Checks that an evaluation may be run under its key.

    Raises:
        CocoMaskError: if it may not
    """
    key = fields.eval_key
    check_key(dataset, key)
    if key in dataset.list_runs():
        found = run_kind(dataset, key)
        if found != fields.kind:
            what = f"mask {found} evaluation" if found else "run of another kind"
            raise CocoMaskError(
                f"'{key}' is the key of a {what} of dataset '{dataset.name}'; give "
                "another eval_key, or delete it first"
            )
        if not overwrite:
            raise CocoMaskError(
                f"Dataset '{dataset.name}' already has a mask evaluation '{key}'; "
                "give overwrite=True or another eval_key"
            )
    fields.check_free(dataset)


def register_run(
    samples: Any, fields: EvaluationFields, mask_field: str, label_field: str | None
) -> None:
    """Registers an evaluation that is about to be run, without results as yet."""
    config = samples.init_run(
        method=_METHOD_PREFIX + fields.kind,
        mask_field=mask_field,
        label_field=label_field,
        label_path=fields.label_path,
        has_classes=fields.has_classes,
    )
    samples.register_run(fields.eval_key, config, overwrite=True)


def _owner(dataset: fo.Dataset, eval_key: str) -> dict[str, str]:
    """Returns what the fields of an evaluation say of whose they are."""
    return {"evaluation": str(run_kind(dataset, eval_key)), "eval_key": eval_key}


def _renamed(path: str, eval_key: str, new_eval_key: str) -> str:
    parent, _, leaf = path.rpartition(".")
    new_leaf = new_eval_key + leaf[len(eval_key) :]
    return f"{parent}.{new_leaf}" if parent else new_leaf
