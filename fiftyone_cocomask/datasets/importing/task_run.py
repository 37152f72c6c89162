"""Which run of tasks is to import into a dataset: at most one, and the latest."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import fiftyone as fo

from ...errors import CocoMaskError
from ..database_errors import explain_database_errors
from ..documents import Document
from ..parallel.shared_runs import SplitRun
from ..stores import Store
from .staged import remove_old_staged, remove_staged

_STORE = "cocomask_imports"
_KEY = "tasks"
_REPLACED = (
    "Dataset '{}' had another import since this task was queued; queue the whole "
    "import again if it is still wanted"
)


def begin_run(dataset: fo.Dataset, plan: Document, num_tasks: int) -> str:
    """Begins a run of tasks, whose dataset's lock this process holds.

    Args:
        dataset: the dataset
        plan: what the tasks have in common, as MongoDB holds it
        num_tasks: how many tasks there are

    Returns:
        the run's id
    """
    stop_tasks(dataset)
    run_id = SplitRun.begin(dataset, plan, num_tasks)
    with explain_database_errors():
        remove_old_staged()
        _store(dataset).set(_KEY, run_id)
    return run_id


def stop_tasks(dataset: fo.Dataset) -> None:
    """Ends the run of tasks of an earlier import, since another one begins now.

    Args:
        dataset: the dataset, whose lock this process holds
    """
    with explain_database_errors():
        run_id = _store(dataset).get(_KEY)
    if run_id is not None:
        # One that has expired is gone already.
        with suppress(CocoMaskError):
            SplitRun(dataset, run_id).end(_REPLACED.format(dataset.name))
        _forget(dataset, run_id)


def finish_run(dataset: fo.Dataset, run: SplitRun, results: Any) -> None:
    """Ends a run whose import is done.

    Args:
        dataset: the dataset
        run: the run
        results: what a task has that is done again, as JSON holds it
    """
    run.finish(results)
    _forget(dataset, run.id)


def _forget(dataset: fo.Dataset, run_id: str) -> None:
    with explain_database_errors():
        remove_staged(run_id)
        _store(dataset).delete(_KEY)


def _store(dataset: fo.Dataset) -> Store:
    return Store(_STORE, dataset)
