"""Events of a panel, as the App sends them to the real panel."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators.executor import ExecutionContext, Executor

from fiftyone_cocomask.datasets.documents import serialized
from tests.plugin import uri


def send(
    name: str,
    dataset: fo.Dataset,
    method: str,
    state: dict[str, Any] | None = None,
    view: fo.DatasetView | None = None,
    panel_id: str = "panel",
    current_sample: str | None = None,
    filters: dict[str, Any] | None = None,
    **params: Any,
) -> list[dict[str, Any]]:
    """Sends an event to a panel and returns what that asks the App to do.

    Args:
        name: the panel
        dataset: the dataset that the App shows, at its first sample
        method: the panel's method
        state: the panel's state in the App
        view: the view that the App shows, by default the whole dataset
        panel_id: which of the open panels
        current_sample: the id of the sample in the modal, of the first one by default
        filters: those of the App's sidebar
        params: the event's own parameters
    """
    panel = foo.get_operator(uri(name))
    request = {
        "operator_uri": panel.uri,
        "dataset_name": dataset.name,
        "view": [] if view is None else serialized(view),
        "filters": filters or {},
        "current_sample": current_sample or dataset.limit(1).values("id")[0],
        "params": {
            "panel_id": panel_id,
            "panel_state": deepcopy(state) or {},
            "__method__": method,
            **params,
        },
    }
    ctx = ExecutionContext(request, executor=Executor(), operator_uri=panel.uri)
    panel.execute(ctx)
    return [request.to_json() for request in ctx.executor._requests]


class Tab:
    """A panel in a tab of the browser, which keeps the state that it is told to.

    Args:
        name: the panel
        dataset: the dataset that the App shows
        panel_id: which of the open panels
    """

    def __init__(self, name: str, dataset: fo.Dataset, panel_id: str) -> None:
        self._name = name
        self._dataset = dataset
        self._panel_id = panel_id
        self._state: dict[str, Any] = {}

    def tell(
        self, method: str, view: fo.DatasetView | None = None, **params: Any
    ) -> list[dict[str, Any]]:
        """Sends an event, as :func:`send` does."""
        told = send(
            self._name,
            self._dataset,
            method,
            self._state,
            view,
            self._panel_id,
            **params,
        )
        self._state |= state_after(told)
        return told


def plugin_module(name: str) -> Any:
    """Returns a module of the package as FiftyOne has loaded it: as a plugin's.

    Args:
        name: its name inside of the package, such as ``"panels.charts"``
    """
    panel = type(foo.get_operator(uri("mask_evaluation"))).__module__
    package = panel.removesuffix(".panels.evaluation.panel")
    return importlib.import_module(f"{package}.{name}")


def state_after(requests: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the state that a panel asks the App to keep."""
    state: dict[str, Any] = {}
    for request in requests:
        if request["operator_uri"].endswith("patch_panel_state"):
            state.update(request["params"]["state"])
    return state


def views_after(requests: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Returns the views that a panel asks the App to show, each as its stages."""
    return [
        request["params"]["view"]
        for request in requests
        if request["operator_uri"].endswith("set_view")
    ]


def chosen(requests: list[dict[str, Any]], dropdown: str) -> str:
    """Returns the choice that a panel asks the App to show in a dropdown.

    Args:
        requests: what the panel asks for
        dropdown: how the dropdown's name begins
    """
    found = [*_defaults(requests, dropdown)]
    assert found
    return found[-1]


def _defaults(layout: Any, name: str) -> Iterator[str]:
    if isinstance(layout, dict):
        for key, part in layout.items():
            if key.startswith(name) and isinstance(part, dict) and "default" in part:
                yield part["default"]
            yield from _defaults(part, name)
    elif isinstance(layout, list):
        for part in layout:
            yield from _defaults(part, name)
