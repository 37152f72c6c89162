"""How fields appear in the App's sidebar and grid."""

from __future__ import annotations

from collections.abc import Sequence

import fiftyone as fo
import fiftyone.core.odm as foo


def show_fields(dataset: fo.Dataset, fields: Sequence[str]) -> None:
    """Adds fields to those that the App shows when the dataset is opened.

    A new ``Segmentation`` field is hidden until it is among these: FiftyOne leaves
    dense labels out of its default.
    """
    config = dataset.app_config
    active = config.active_fields
    if active is None:
        active = foo.DatasetAppConfig.default_active_fields(dataset)
    elif active.exclude:
        remaining = [path for path in active.paths if path not in fields]
        if remaining == active.paths:
            return
        active.paths = remaining
        dataset.save()
        return
    missing = [path for path in fields if path not in active.paths]
    if missing or config.active_fields is None:
        active.paths = [*active.paths, *missing]
        config.active_fields = active
        dataset.save()
