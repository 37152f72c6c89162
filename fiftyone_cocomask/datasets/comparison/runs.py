"""Comparisons as FiftyOne's evaluations: whose a key is, renaming, deleting."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
from fiftyone.core.evaluation import EvaluationMethod
from fiftyone.operators import operator_exists

from ...errors import CocoMaskError
from ..owned_fields import delete_fields
from ..run_keys import check_key
from .metrics import METRICS

_OWN_SUFFIXES = ("accuracy", "precision", "recall")


def is_comparison(config: Any) -> bool:
    """Whether a FiftyOne evaluation was made by :func:`compare_masks`."""
    return getattr(config, "cocomask", None) is not None


def comparison_fields(eval_key: str) -> list[str]:
    """Returns the names of the fields of a comparison."""
    own = [f"{eval_key}_{suffix}" for suffix in _OWN_SUFFIXES]
    return own + _metric_fields(eval_key)


def check_comparison_key(
    dataset: fo.Dataset,
    eval_key: str,
    pred_field: str,
    gt_field: str,
    *,
    overwrite: bool,
) -> None:
    """Checks that two fields may be compared under a key.

    Raises:
        CocoMaskError: if they may not
    """
    if eval_key not in dataset.list_evaluations():
        check_key(dataset, eval_key)
        _check_free(dataset, eval_key)
        return
    config = dataset.get_evaluation_info(eval_key).config
    if not is_comparison(config):
        raise CocoMaskError(
            f"'{eval_key}' is the key of another evaluation of dataset "
            f"'{dataset.name}'; give another eval_key"
        )
    if (config.pred_field, config.gt_field) != (pred_field, gt_field):
        raise CocoMaskError(
            f"'{eval_key}' is the key of the comparison of '{config.pred_field}' with "
            f"'{config.gt_field}'; give another eval_key, or delete it first"
        )
    if not overwrite:
        raise CocoMaskError(
            f"Dataset '{dataset.name}' already has a mask evaluation '{eval_key}'; "
            "set overwrite, or give another eval_key"
        )


def rename_comparison(dataset: fo.Dataset, eval_key: str, new_eval_key: str) -> None:
    """Renames a comparison and its fields."""
    metrics = _set_aside_absent_metrics(dataset, eval_key)
    dataset.rename_evaluation(eval_key, new_eval_key)
    if metrics:
        new_names = dict(
            zip(_metric_fields(eval_key), _metric_fields(new_eval_key), strict=True)
        )
        present = {old: new for old, new in new_names.items() if dataset.has_field(old)}
        if present:
            dataset.rename_sample_fields(present)
        _set_metrics(dataset, new_eval_key, metrics)


def delete_comparison(dataset: fo.Dataset, eval_key: str) -> None:
    """Deletes a comparison and its fields."""
    _set_aside_absent_metrics(dataset, eval_key)
    dataset.delete_evaluation(eval_key)
    delete_fields(dataset, _metric_fields(eval_key), eval_key)


def _check_free(dataset: fo.Dataset, eval_key: str) -> None:
    if eval_key in dataset.list_runs():
        raise CocoMaskError(
            f"'{eval_key}' is the key of another run of dataset '{dataset.name}'; "
            "give another eval_key"
        )
    for path in comparison_fields(eval_key):
        if dataset.has_field(path):
            raise CocoMaskError(
                f"Dataset '{dataset.name}' has a field '{path}' that is of no "
                f"comparison '{eval_key}'; give another eval_key"
            )


def _metric_fields(eval_key: str) -> list[str]:
    return [name for metric in METRICS for name in metric.fields(eval_key)]


def _set_aside_absent_metrics(dataset: fo.Dataset, eval_key: str) -> Any:
    """Takes metrics out of an evaluation whose operators are not installed.

    FiftyOne asks a metric's operator to rename or delete its fields; without it, that
    is done here.

    Returns:
        the metrics taken out, None if their operators are installed
    """
    if all(operator_exists(metric.uri) for metric in METRICS):
        return None
    metrics = dataset.get_evaluation_info(eval_key).config.custom_metrics
    _set_metrics(dataset, eval_key, None)
    return metrics


def _set_metrics(dataset: fo.Dataset, eval_key: str, metrics: Any) -> None:
    config = dataset.get_evaluation_info(eval_key).config
    config.custom_metrics = metrics
    EvaluationMethod.update_run_config(dataset, eval_key, config)
