"""How fields appear in the App's sidebar and grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo
import fiftyone.core.odm as foo


def show_fields(dataset: fo.Dataset, fields: Sequence[str]) -> None:
    """Adds fields to those that the App shows when the dataset is opened.

    A new ``Segmentation`` field is hidden until it is among these: FiftyOne leaves
    dense labels out of its default. The dataset is not saved.
    """
    config = dataset.app_config
    active = config.active_fields
    if active is None:
        active = foo.DatasetAppConfig.default_active_fields(dataset)
    if active.exclude:
        active.paths = [path for path in active.paths if path not in fields]
    else:
        missing = [path for path in fields if path not in active.paths]
        active.paths = [*active.paths, *missing]
    config.active_fields = active


def are_shown(dataset: fo.Dataset, fields: Sequence[str]) -> bool:
    """Whether fields are among those that a dataset says the App shows."""
    active = dataset.app_config.active_fields
    if active is None:
        return False
    return all((path in active.paths) != bool(active.exclude) for path in fields)


def colour_values(
    dataset: fo.Dataset, mask_field: str, label_field: str, values: Mapping[str, int]
) -> None:
    """Makes the App colour a field's masks by value: classes as their labels are.

    Colours that somebody chose stay. The dataset is not saved.

    Args:
        dataset: the dataset
        mask_field: the field of the masks
        label_field: the field of the labels that they are of
        values: the value of each class; empty where values are not classes
    """
    scheme = dataset.app_config.color_scheme or fo.ColorScheme()
    scheme.color_by = scheme.color_by or "value"
    pool = scheme.color_pool or fo.app_config.color_pool
    settings = {entry["path"]: entry for entry in scheme.fields or []}
    if values:
        places = {name: value - 1 for name, value in values.items()}
        of_label = _colour_labels(settings, label_field, places, pool)
        masks = dict(settings.get(mask_field) or {"path": mask_field})
        of_value = _colours(masks.get("maskTargetsColors"), "intTarget")
        for name, value in values.items():
            of_value.setdefault(value, of_label[name])
        masks["maskTargetsColors"] = _listed(of_value, "intTarget")
        settings[mask_field] = masks
        scheme.fields = list(settings.values())
    dataset.app_config.color_scheme = scheme


def colour_classes(
    dataset: fo.Dataset, label_fields: Sequence[str], names: Sequence[str]
) -> None:
    """Gives the classes of fields one colour each, which masks and charts have too.

    The App uses them once it colours by value. Colours that somebody chose stay. The
    dataset is not saved.

    Args:
        dataset: the dataset
        label_fields: the fields of the labels
        names: the classes
    """
    scheme = dataset.app_config.color_scheme or fo.ColorScheme()
    pool = scheme.color_pool or fo.app_config.color_pool
    settings = {entry["path"]: entry for entry in scheme.fields or []}
    places = {name: place for place, name in enumerate(names)}
    for path in label_fields:
        _colour_labels(settings, path, places, pool)
    scheme.fields = list(settings.values())
    dataset.app_config.color_scheme = scheme


def _colour_labels(
    settings: dict[str, dict[str, Any]],
    path: str,
    places: Mapping[str, int],
    pool: Sequence[str],
) -> dict[str, str]:
    """Colours the labels of a field by class, in the settings of fields.

    Args:
        settings: the settings by field
        path: the field
        places: the place of each class in the pool, unless it has a colour already
        pool: the App's colours

    Returns:
        the colour of each class
    """
    labels = dict(settings.get(path) or {"path": path})
    colours = _colours(labels.get("valueColors"), "value")
    for name, place in places.items():
        colours.setdefault(name, pool[place % len(pool)])
    labels.setdefault("colorByAttribute", "label")
    labels["valueColors"] = _listed(colours, "value")
    settings[path] = labels
    return colours


def _colours(entries: Sequence[Mapping[str, Any]] | None, key: str) -> dict[Any, str]:
    return {entry[key]: entry["color"] for entry in entries or []}


def _listed(colours: Mapping[Any, str], key: str) -> list[dict[str, Any]]:
    return [{key: value, "color": colour} for value, colour in colours.items()]
