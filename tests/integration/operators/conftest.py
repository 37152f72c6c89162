"""Operators as FiftyOne's own loader registers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.operators.executor import ExecutionContext, Executor

from tests.plugin import link_plugin, uri


@pytest.fixture(scope="session", autouse=True)
def _plugin() -> None:
    link_plugin(fo.config.plugins_dir)


@pytest.fixture(autouse=True)
def _no_datasets_left(new_dataset: Any) -> None:
    """Deletes the datasets that operators make, too."""


@pytest.fixture
def operator() -> Callable[[str], Any]:
    """Returns an operator from FiftyOne's registry."""
    return lambda name: foo.get_operator(uri(name))


class AppRequest:
    """What the App sends to its server, and what the operator makes of it."""

    def __init__(self, name: str, opened: Any = None, /, **params: Any) -> None:
        self.operator = foo.get_operator(uri(name))
        self.request = {
            "operator_uri": self.operator.uri,
            "dataset_name": opened.name if opened is not None else None,
            "params": params,
        }

    def form(self) -> dict[str, Any]:
        """Returns the properties of the form as the App receives them."""
        ctx = ExecutionContext(self.request, operator_uri=self.operator.uri)
        shown = self.operator.resolve_type(ctx, "inputs")
        return shown.to_json()["type"]["properties"] if shown else {}

    def problems(self) -> list[str]:
        """Returns what the form says is wrong."""
        return [
            field["error_message"] for field in self.form().values() if field["invalid"]
        ]

    def notices(self) -> str:
        """Returns all that the form tells, as one text."""
        views = [field["view"] or {} for field in self.form().values()]
        keys = ("label", "description", "caption")
        return "\n".join(
            str(view[key]) for view in views for key in keys if key in view
        )

    def messages(self) -> list[dict[str, Any]]:
        """Executes as the App does and returns what it is told to do."""
        ctx = ExecutionContext(
            self.request, executor=Executor(), operator_uri=self.operator.uri
        )
        return [message.to_json()["body"] for message in self.operator.execute(ctx)]


@pytest.fixture
def app_request() -> type[AppRequest]:
    return AppRequest
