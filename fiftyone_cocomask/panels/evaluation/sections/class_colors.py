"""The App's own colours of classes, for charts of one class a bar or map."""

from __future__ import annotations

import re

from ....fiftyone_types import Dataset

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def class_colors(dataset: Dataset, label_field: str | None) -> dict[str, str]:
    """Returns the colours that the App has been given for the classes of a field.

    Others it chooses itself, in the browser, by the order in which it meets them.

    Args:
        dataset: the dataset
        label_field: the field of the labels, None without any
    """
    scheme = dataset.app_config.color_scheme
    if scheme is None or label_field is None:
        return {}
    for entry in scheme.fields or []:
        if entry.get("path") == label_field:
            return {
                str(each["value"]): each["color"]
                for each in entry.get("valueColors") or []
                if _COLOR.fullmatch(str(each.get("color")))
            }
    return {}


def class_color(
    dataset: Dataset, label_field: str | None, label: str | None
) -> str | None:
    """Returns the colour of a class, None where the App has not been given one."""
    return class_colors(dataset, label_field).get(label) if label is not None else None
