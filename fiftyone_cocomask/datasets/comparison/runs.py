"""Comparisons as FiftyOne's evaluations: whose a key is, and what its fields are."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from ...errors import CocoMaskError
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


def _check_free(dataset: fo.Dataset, eval_key: str) -> None:
    if eval_key in dataset.list_runs():
        raise CocoMaskError(
            f"'{eval_key}' is the key of another run of dataset '{dataset.name}'; "
            "give another eval_key"
        )
    for path in comparison_fields(eval_key):
        if dataset.has_field(path):
            raise CocoMaskError(
                f"Dataset '{dataset.name}' has a field '{path}' that does not "
                f"belong to a comparison '{eval_key}'; give another eval_key"
            )


def _metric_fields(eval_key: str) -> list[str]:
    return [name for metric in METRICS for name in metric.fields(eval_key)]
