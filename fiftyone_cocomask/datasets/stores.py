"""What is kept beside a dataset, in FiftyOne's execution store."""

from __future__ import annotations

import json
from typing import Any

from bson import ObjectId, json_util
from fiftyone.operators.store import ExecutionStore

from ..fiftyone_types import Dataset
from .documents import dataset_id

_ENCODED = "cocomask_extended_json"


class Store:
    """A store of a dataset that keeps its values in a form that JSON can hold.

    Every few seconds, the App's server looks for new values in all stores and sends
    them as JSON. Bytes or a time among them end that with a traceback, each time that
    it looks.

    Args:
        name: the name of the store
        dataset: the dataset, or its id
    """

    def __init__(self, name: str, dataset: Dataset | ObjectId) -> None:
        of = dataset if isinstance(dataset, ObjectId) else dataset_id(dataset)
        self._store = ExecutionStore.create(name, dataset_id=of)

    def get(self, key: str) -> Any:
        """Returns a value as it was set, None if there is none."""
        value: Any = self._store.get(key)
        if isinstance(value, dict) and _ENCODED in value:
            return json_util.loads(value[_ENCODED])
        return value

    def set(self, key: str, value: Any, ttl: int | None = None) -> None:
        """Sets a value, which expires after some seconds if ``ttl`` is given."""
        self._store.set(key, _encoded(value), ttl=ttl)

    def set_cache(self, key: str, value: Any, ttl: int) -> None:
        """Sets a value that FiftyOne may forget."""
        self._store.set_cache(key, _encoded(value), ttl=ttl)

    def delete(self, key: str) -> bool:
        """Deletes a value, and returns whether there was one."""
        return bool(self._store.delete(key))

    def list_keys(self) -> list[str]:
        """Returns the keys of all values."""
        return list(self._store.list_keys())


def _encoded(value: Any) -> Any:
    try:
        json.dumps(value)
    except TypeError:
        return {_ENCODED: json_util.dumps(value)}
    return value
