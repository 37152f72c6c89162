"""All that a dataset holds, without what differs from run to run."""

from __future__ import annotations

import json
from typing import Any

import fiftyone as fo
from bson import json_util

import fiftyone_cocomask as fcm
from fiftyone_cocomask.datasets.issues import list_mask_issues, load_mask_issues

# Ids of what is made anew, times, and what follows from them.
_DIFFERENT = {
    "_id",
    "id",
    "_dataset_id",
    "_rand",
    "created_at",
    "last_modified_at",
    "file_state",
    "_media_type",
    "at",
    "seconds",
    "imported_at",
    # What the last import has done: one that is made twice has nothing left to do.
    "merge",
    # Digests that include the ids of labels, which rest on that of their dataset.
    "import_base",
}


def content(dataset: fo.Dataset) -> Any:
    """Returns it as JSON holds it."""
    dataset.reload()
    found = {
        "samples": [
            sample.to_dict(include_private=True)
            for sample in dataset.sort_by("filepath")
        ],
        "schema": {
            path: [str(field), field.info]
            for path, field in dataset.get_field_schema(flat=True).items()
        },
        "runs": {key: run(dataset, key) for key in dataset.list_runs()},
        "evaluations": {key: run(dataset, key) for key in dataset.list_evaluations()},
        "views": {
            name: view(dataset.load_saved_view(name))
            for name in dataset.list_saved_views()
        },
        "groups": {
            group.name: sorted(group.paths)
            for group in dataset.app_config.sidebar_groups or []
        },
        "targets": dataset.mask_targets,
        "info": dataset.info,
    }
    # What is noted of the dataset names it by its id.
    text = json_util.dumps(found).replace(str(dataset._doc.id), "of the dataset")
    return cleaned(json.loads(text))


def run(dataset: fo.Dataset, key: str) -> Any:
    """Returns the results of a run, or the sentence why it has none."""
    load: Any = fcm.load_mask_evaluation
    if key in list_mask_issues(dataset):
        load = load_mask_issues
    try:
        results = load(dataset, key)
    except fcm.CocoMaskError as error:
        return str(error)
    return results.to_dict() if hasattr(results, "to_dict") else results.summary()


def view(saved: Any) -> Any:
    stages = [stage._serialize() for stage in saved._stages]
    for stage in stages:
        stage.pop("_uuid", None)
    return stages


def cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: cleaned(v)
            for k, v in value.items()
            if k not in _DIFFERENT and v is not None
        }
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    return value
