"""The choices of parameters: types, tables and defaults are the same everywhere."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_args

import pytest

import fiftyone_cocomask as fcm
from fiftyone_cocomask import choices
from fiftyone_cocomask.choices import Choice

# Each parameter's type and table.
TABLES: dict[str, tuple[Any, tuple[Choice, ...]]] = {
    "mode": (choices.Mode, choices.MODES),
    "rasterizer": (choices.Rasterizer, choices.RASTERIZERS),
    "overlap": (choices.Overlap, choices.OVERLAPS),
    "boxes": (choices.Boxes, choices.BOXES),
    "storage": (choices.Storage, choices.STORAGES),
    "if_exists": (choices.IfExists, choices.IF_EXISTS),
    "conflicts": (choices.ConflictRule, choices.CONFLICTS),
    "old_copies": (choices.OldCopies, choices.OLD_COPIES),
    "images": (choices.Images, choices.IMAGES),
    "area": (choices.Area, choices.AREAS),
    "masks": (choices.Masks, choices.MASKS),
    "values": (choices.Values, choices.VALUES),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_type_has_the_values_of_its_table(name: str) -> None:
    kind, table = TABLES[name]
    assert get_args(kind) == choices.values(table)
    assert all(choice.label and choice.description for choice in table)


def test_meanings_are_a_line_for_the_help_of_a_command() -> None:
    assert choices.meanings(choices.STORAGES) == (
        "disk: PNG files (lossless, 1 bit a pixel for binary masks); "
        "database: arrays in the database (no files are written)"
    )
    assert choices.meanings((Choice("coco", "COCO", "As COCO counts"),)) == (
        "coco: as COCO counts"
    )


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (fcm.compute_masks, {"mode", "rasterizer", "overlap", "boxes", "storage"}),
        (fcm.import_roboflow_coco, {"if_exists", "conflicts", "old_copies"}),
        (fcm.export_roboflow_coco, {"images", "area", "masks"}),
        (fcm.export_masks, {"values"}),
    ],
)
def test_the_sdk_has_the_defaults_of_the_tables(
    function: Callable[..., Any], names: set[str]
) -> None:
    parameters = inspect.signature(function).parameters
    for name in names:
        assert parameters[name].default == choices.default(TABLES[name][1])
