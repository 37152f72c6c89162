"""Operators that are queued, and what an orchestrator makes of them."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators.delegated import DelegatedOperationService

from tests.plugin import uri


def run_delegated(name: str, dataset: fo.Dataset, **params: Any) -> dict[str, Any]:
    """Queues an operator, runs it as an orchestrator does and returns its results."""
    # A dataset that lasts: what is queued runs in other processes.
    dataset.persistent = True
    queued = foo.execute_operator(
        uri(name), dataset=dataset, params=params, request_delegation=True
    )
    assert queued.delegated
    service = DelegatedOperationService()
    [operation] = service.list_operations(operator=uri(name), run_state="queued")
    outcome = service.execute_operation(operation, log=False)
    assert outcome.error is None
    return outcome.result
