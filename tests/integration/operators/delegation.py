"""Operators that are queued, and what an orchestrator makes of them."""

from __future__ import annotations

import asyncio
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import execute_or_delegate_operator

from tests.plugin import uri


def run_delegated(name: str, dataset: fo.Dataset, **params: Any) -> dict[str, Any]:
    """Queues an operator, runs it as an orchestrator does and returns its results."""
    # A dataset that lasts: what is queued runs in other processes.
    dataset.persistent = True
    queued = foo.execute_operator(
        uri(name), dataset=dataset, params=params, request_delegation=True
    )
    assert queued.delegated
    outcome = run_next()
    assert outcome.error is None
    return outcome.result


def run_scheduled(
    name: str,
    dataset: fo.Dataset,
    app: dict[str, Any] | None = None,
    **params: Any,
) -> dict[str, Any]:
    """Schedules an operator as the App does, and runs it as an orchestrator does.

    Args:
        name: the operator
        dataset: the dataset that the App shows
        app: what else it says, such as its ``view`` and what is ``selected``
        params: the answers to the form
    """
    dataset.persistent = True
    request = {
        "operator_uri": uri(name),
        "dataset_name": dataset.name,
        "params": params,
        "request_delegation": True,
        **(app or {}),
    }
    queued = asyncio.run(execute_or_delegate_operator(uri(name), request))
    assert queued.delegated
    outcome = run_next()
    assert outcome.error is None
    return outcome.result


def operations(state: str | None = None) -> list[Any]:
    """Returns the operations in the queue, or those of a state, oldest first."""
    found = DelegatedOperationService().list_operations(run_state=state)
    return sorted(found, key=lambda operation: operation.id)


def count(state: str | None = None) -> int:
    """Returns how many operations are in the queue, or in a state."""
    return DelegatedOperationService().count({"run_state": state} if state else {})


def run_next() -> Any:
    """Runs the oldest queued operation in this process, as an orchestrator does."""
    oldest = operations("queued")[0]
    return DelegatedOperationService().execute_operation(oldest, log=False)
