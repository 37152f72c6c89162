"""The list of labels to look at goes on, whatever else the panel is told meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest

import fiftyone_cocomask as fcm
from tests.plugin import link_plugin

from ..small_export import annotation, image_name, write_split
from .events import plugin_module, send

PANEL = "mask_evaluation"
TINY = [10, 10, 13, 11, 13, 13, 10, 13]


@pytest.fixture
def dataset(new_dataset: Callable[..., fo.Dataset], tmp_path: Path) -> fo.Dataset:
    """Three images with an object of a few pixels each."""
    link_plugin(fo.config.plugins_dir)
    made = [annotation(image, image, segmentation=[TINY]) for image in range(3)]
    names = [image_name(name) for name in "abc"]
    dataset, _ = fcm.import_roboflow_coco(write_split(tmp_path, names, made), "listed")
    fcm.compute_masks(dataset)
    fcm.evaluate_mask_area(dataset, label_field="segmentations")
    fcm.find_mask_issues(dataset)
    return dataset


@contextmanager
def other_events(panel: str) -> Iterator[None]:
    """Events of the panel all the time, each of which wants something else."""
    turn = plugin_module("panels.turns").Turn
    ended = threading.Event()

    def want() -> None:
        while not ended.wait(0.001):
            turn(panel)

    thread = threading.Thread(target=want)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_the_next_label_is_opened_where_another_event_comes_meanwhile(
    dataset: fo.Dataset,
) -> None:
    panel = "goes on"

    def opened(method: str, **params: object) -> list[str]:
        told = send(PANEL, dataset, method, panel_id=panel, **params)
        return [
            each["params"]["id"]
            for each in told
            if each["operator_uri"].endswith("open_sample")
        ]

    first, second, third = dataset.values("id")
    opened("on_load")
    assert opened("open_label", row=0) == [first]
    with other_events(panel):
        assert opened("label_done") == [second]
    assert opened("label_done") == [third]
    assert opened("label_done") == []
    dataset.reload()
    tags = dataset.values("segmentations.polylines.tags", unwind=True)
    assert tags == ["checked"] * 3


@pytest.mark.parametrize("gone", ["search", "sample"])
def test_what_is_gone_meanwhile_ends_the_list(dataset: fo.Dataset, gone: str) -> None:
    def tell(method: str, **params: object) -> list[dict[str, Any]]:
        return send(PANEL, dataset, method, panel_id=f"without {gone}", **params)

    tell("on_load")
    tell("open_label", row=0)
    first, second, _ = dataset.values("id")
    if gone == "search":
        fcm.clear_mask_issues(dataset)
    else:
        dataset.delete_samples([first])
    told = tell("label_done")
    assert any(each["operator_uri"].endswith("show_panel_output") for each in told)
    opened = [e["params"] for e in told if e["operator_uri"].endswith("open_sample")]
    assert opened == ([] if gone == "search" else [{"id": second, "group_id": None}])
