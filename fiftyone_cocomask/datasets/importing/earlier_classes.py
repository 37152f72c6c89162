"""The classes and splits of the exports that were imported into a dataset before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import fiftyone as fo

from ...coco.attributes import decode_key
from ...coco.categories import KnownLabels, known_labels
from ..import_base.base import Fields
from ..import_base.info import all_info, forget_info, known_info


def labels_before(dataset: fo.Dataset, fields: Fields) -> KnownLabels:
    """Returns the labels that the last import into two fields gave to categories.

    Args:
        dataset: the dataset
        fields: the fields of polylines and detections
    """
    return _labels(known_info(dataset, fields))


def classes_before(dataset: fo.Dataset, fields: Fields) -> set[str]:
    """Returns the classes that labels had at the last import into two fields."""
    splits = known_info(dataset, fields).get("splits") or {}
    return {name for of in splits.values() for _, name in of.get("labels") or ()}


def splits_before(dataset: fo.Dataset, fields: Fields) -> set[str]:
    """Returns the names of the splits that were imported into two fields."""
    return set(map(decode_key, known_info(dataset, fields).get("splits") or {}))


def forget_exports(dataset: fo.Dataset, kept: Collection[str]) -> set[str]:
    """Takes away what a dataset has of exports whose samples are all replaced.

    Classes and mask targets that a person has listed stay. The dataset is not saved.

    Args:
        dataset: the dataset
        kept: the classes that the export has which is there instead

    Returns:
        the classes that went
    """
    gone: set[str] = set()
    for info in all_info(dataset):
        for (_, name), label in _labels(info).items():
            gone |= {name, label or name}
    gone.difference_update(kept)
    forget_info(dataset)
    dataset.default_classes = [c for c in dataset.default_classes if c not in gone]
    targets = dataset.default_mask_targets or {}
    dataset.default_mask_targets = {v: c for v, c in targets.items() if c not in gone}
    return gone


def _labels(info: Mapping[str, Any]) -> KnownLabels:
    known: dict[tuple[int | str | None, str], str | None] = {}
    for facts in (info.get("splits") or {}).values():
        if facts.get("labels") is None:
            continue
        labels = dict(facts["labels"])
        of_split = known_labels(facts.get("categories") or [], labels)
        known |= {
            key: label
            for key, label in of_split.items()
            if label is not None or key not in known
        }
    return known
