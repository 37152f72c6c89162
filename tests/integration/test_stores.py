"""What is kept in FiftyOne's execution store, of which its server tells as JSON."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from bson import ObjectId
from fiftyone.core.odm import get_db_conn
from fiftyone.operators.message import MessageData, MessageMetadata

import fiftyone_cocomask as fcm
from fiftyone_cocomask.datasets.documents import dataset_id
from fiftyone_cocomask.datasets.importing.tasks import begin_tasks
from fiftyone_cocomask.datasets.stores import Store


def kept_of(dataset: fo.Dataset) -> list[dict[str, Any]]:
    stored = get_db_conn()["execution_store"]
    found = stored.find({"dataset_id": dataset_id(dataset)})
    return [each for each in found if each["key"] != "__store__"]


@pytest.mark.parametrize(
    "value",
    [
        b"\x00\xff" * 9,
        {"at": datetime(2026, 1, 2, 3, 4, 5, 678000), "ids": [ObjectId("5" * 24)]},
        {"n": 2**40, "share": 0.1, "none": None, "text": "é", "bytes": {"a": [b"x"]}},
        [1, 2.5, "a"],
        True,
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_come_back_as_they_were_set(new_dataset: Any, value: Any) -> None:
    store = Store("cocomask_tests", new_dataset())
    store.set("set", value)
    store.set_cache("cached", value, ttl=60)
    assert store.get("set") == store.get("cached") == value
    assert set(store.list_keys()) == {"set", "cached"}
    assert store.delete("set")
    assert store.get("set") is None


def test_the_server_can_tell_of_all_that_is_kept(
    new_dataset: Any, demo_export: Path
) -> None:
    dataset, _ = fcm.import_roboflow_coco(demo_export, new_dataset())
    fcm.compute_masks(dataset)
    area = fcm.evaluate_mask_area(dataset, label_field="segmentations")
    area.heatmap()
    area.co_occurrence()
    fcm.find_mask_issues(dataset)
    fcm.fix_mask_issues(dataset)
    fcm.undo_mask_fixes(dataset)
    fcm.import_roboflow_coco(demo_export, dataset)
    begin_tasks(demo_export, dataset.name, num_tasks=2)
    kept = kept_of(dataset)
    names = {"cocomask_images", "cocomask_journal", "cocomask_runs", "cocomask_sums"}
    assert names <= {each["store_name"] for each in kept}
    for each in kept:
        told = MessageMetadata("update", str(each["dataset_id"]), "2026-01-01")
        MessageData(each["key"], each["value"], told).to_json()
