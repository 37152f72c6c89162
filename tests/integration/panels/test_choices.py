"""What a person chose in the panel stays chosen, whatever the App remembers of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest

import fiftyone_cocomask as fcm
from tests.plugin import link_plugin

from .events import chosen, send, state_after

PANEL = "mask_evaluation"


@pytest.fixture(scope="module")
def dataset(demo_export: Path) -> Iterator[fo.Dataset]:
    link_plugin(fo.config.plugins_dir)
    dataset, _ = fcm.import_roboflow_coco(demo_export, "demo")
    fcm.compute_masks(dataset)
    for eval_key in ("first", "second"):
        fcm.evaluate_mask_coverage(
            dataset, label_field="segmentations", eval_key=eval_key
        )
    yield dataset
    dataset.delete()


def _shown(told: list[dict[str, Any]]) -> tuple[str, str]:
    return chosen(told, "eval_key"), chosen(told, "worst_by")


@pytest.mark.parametrize("lost", [1, 2])
def test_a_choice_is_kept_where_the_app_sends_the_state_before_it(
    dataset: fo.Dataset, lost: int
) -> None:
    panel = f"loses-{lost}"

    def tell(
        method: str, state: dict[str, Any], view: Any = None, **params: Any
    ) -> list[dict[str, Any]]:
        return send(PANEL, dataset, method, state, view, panel, **params)

    assert _shown(tell("on_load", {})) == ("first", "overlap")
    states: list[dict[str, Any]] = [{}]
    states.append(state_after(tell("choose_evaluation", states[-1], value="second")))
    states.append(state_after(tell("choose_worst", states[-1], value="most")))
    stale = states[-1 - lost]
    other_view = dataset.limit(len(dataset) - 1)
    told = tell("on_change_view", stale, other_view)
    assert _shown(told) == ("second", "most")
    # The next choice rests on all before it.
    told = tell("choose_worst", stale, other_view, value="least")
    assert _shown(told) == ("second", "least")
    # A dropdown of the evaluation before tells what it shows, too late.
    assert tell("choose_worst", state_after(told), value="stated") == []
    # A server that has never seen the panel goes by what the App kept.
    told = send(PANEL, dataset, "on_load", state_after(told), panel_id=f"new-{lost}")
    assert _shown(told) == ("second", "least")
