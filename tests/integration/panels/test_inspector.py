"""The inspector goes by what a person opened and chose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest

import fiftyone_cocomask as fcm
from tests.plugin import link_plugin

from .events import chosen, send, state_after

PANEL = "mask_inspector"


@pytest.fixture(scope="module")
def dataset(demo_export: Path) -> Iterator[fo.Dataset]:
    link_plugin(fo.config.plugins_dir)
    dataset, _ = fcm.import_roboflow_coco(demo_export, "inspected")
    for field in ("mask", "mask_other"):
        fcm.compute_masks(dataset.limit(len(dataset) - 1), mask_field=field)
    yield dataset
    dataset.delete()


def _rows(layout: Any, table: str) -> list[dict[str, Any]]:
    """Returns the rows of a table of a panel, by its headings."""
    if isinstance(layout, dict):
        if isinstance(rows := (layout.get(table) or {}), dict) and "default" in rows:
            headings = {c["key"]: c["label"] for c in rows["view"]["columns"]}
            return [{headings[k]: v for k, v in r.items()} for r in rows["default"]]
        layout = list(layout.values())
    if isinstance(layout, list):
        for part in layout:
            if rows := _rows(part, table):
                return rows
    return []


def test_a_patch_has_its_own_object_first(dataset: fo.Dataset) -> None:
    labels = {
        label.id: label
        for sample in dataset
        for label in sample.segmentations.polylines
    }
    crowded = max(dataset, key=lambda sample: len(sample.segmentations.polylines))
    in_order = _rows(
        send(PANEL, dataset, "on_load", current_sample=crowded.id), "objects"
    )
    assert len(in_order) > 1
    patches = dataset.select(crowded.id).to_patches("segmentations")
    names = []
    for patch in patches:
        told = send(PANEL, dataset, "on_load", view=patches, current_sample=patch.id)
        first = _rows(told, "objects")[0]
        assert first["Class"] == labels[patch.id].label
        names.append(first["Object"])
    # Each object was first once.
    assert sorted(names) == sorted(row["Object"] for row in in_order)


def test_a_chosen_mask_stays_where_the_app_sends_the_state_before_it(
    dataset: fo.Dataset,
) -> None:
    told = send(PANEL, dataset, "on_load", {})
    assert chosen(told, "mask_field") == "mask"
    told = send(PANEL, dataset, "choose_mask_field", {}, value="mask_other")
    assert chosen(told, "mask_field") == "mask_other"
    state = state_after(told)
    told = send(PANEL, dataset, "on_change_current_sample", {})
    assert chosen(told, "mask_field") == "mask_other"
    # A server that has never seen the panel goes by what the App kept.
    told = send(PANEL, dataset, "on_load", state, panel_id="new")
    assert chosen(told, "mask_field") == "mask_other"


def test_the_form_of_a_missing_mask_is_filled_in(dataset: fo.Dataset) -> None:
    without = dataset.last()
    send(PANEL, dataset, "choose_mask_field", value="mask_other")
    requests = send(PANEL, dataset, "compute_masks", current_sample=without.id)
    prompts = [r for r in requests if r["operator_uri"] == "prompt_user_for_operation"]
    assert prompts[0]["params"]["params"] == {
        "label_field": "segmentations",
        "mask_field": "mask_other",
    }
