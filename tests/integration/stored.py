"""Whether anything has been written to the database."""

from __future__ import annotations

from typing import Any

import bson
from fiftyone.core.odm import get_db_conn


def stored() -> dict[str, Any]:
    """Returns what the database holds, as MongoDB's own digests.

    It is the same as before where nothing was written. When a dataset was loaded last
    does not count.
    """
    database = get_db_conn()
    contents: dict[str, Any] = database.command("dbHash")["collections"]
    datasets = database["datasets"].find({}, {"last_loaded_at": 0}).sort("_id")
    contents["datasets"] = [bson.encode(document) for document in datasets]
    return contents
