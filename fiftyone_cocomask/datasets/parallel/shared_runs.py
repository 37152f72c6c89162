"""One run in several tasks, which processes on any machine do in any order.

The tasks know of each other by FiftyOne's execution store: what all have in common is
kept there, and what each of them found. Each step may be repeated, so that a task that
was killed is simply done again.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from bson import ObjectId

from ...errors import CocoMaskError
from ...fiftyone_types import Dataset, SampleCollection
from ..database_errors import explain_database_errors
from ..documents import (
    Document,
    aggregate_documents,
    ungrouped_samples,
)
from ..stores import Store

MAX_TASKS = 1000

_STORE = "cocomask_runs"
# What is left of a run goes by itself.
_SECONDS_KEPT = 30 * 24 * 3600


class SplitRun:
    """A run and what its tasks have found so far.

    Args:
        dataset: the dataset
        run_id: the id that :meth:`begin` gave to the run

    Attributes:
        id: its id
        plan: what its tasks have in common
        num_tasks: how many tasks there are
        results: those of the whole, if :meth:`finish` has kept them
    """

    def __init__(self, dataset: Dataset, run_id: str) -> None:
        self.id = run_id
        with explain_database_errors():
            self._store = Store(_STORE, dataset)
            content = self._store.get(f"{run_id}/plan")
        if content is not None and "ended" in content:
            raise CocoMaskError(content["ended"])
        if content is None:
            raise CocoMaskError(
                f"Dataset '{dataset.name}' has no run of tasks {run_id!r}: it never "
                "had, or began more than 30 days ago; queue the whole job again"
            )
        self.plan: Document = content["plan"]
        self.num_tasks: int = content["num_tasks"]
        results = content.get("results")
        self.results: Any = None if results is None else json.loads(results)

    @staticmethod
    def new_id() -> str:
        """Returns the id of a new run, which tells when it began."""
        return str(ObjectId())

    @classmethod
    def begin(
        cls,
        dataset: Dataset,
        plan: Document,
        num_tasks: int,
        *,
        run_id: str | None = None,
    ) -> str:
        """Keeps a plan for the tasks of a new run, and returns the run's id.

        Args:
            dataset: the dataset
            plan: what the tasks have in common, as MongoDB holds it
            num_tasks: how many tasks there are
            run_id: the run's id, of :meth:`new_id`; a new one by default
        """
        run_id = run_id or cls.new_id()
        content = {"plan": plan, "num_tasks": num_tasks}
        with explain_database_errors():
            store = Store(_STORE, dataset)
            store.set(f"{run_id}/plan", content, ttl=_SECONDS_KEPT)
        return run_id

    def begin_task(self, number: int) -> None:
        """Forgets what a task found before, since it is done again.

        Args:
            number: the number of the task, from 1
        """
        with explain_database_errors():
            self._store.delete(self._part_key(number))
            self._store.set(self._open_key, True, ttl=_SECONDS_KEPT)

    def end_task(self, number: int, part: Document) -> list[Document] | None:
        """Keeps what a task found.

        Args:
            number: the number of the task, from 1
            part: what it found, as MongoDB holds it

        Returns:
            the parts of all tasks in their order if this one is to join them, being
            the last; None if other tasks are not done yet
        """
        with explain_database_errors():
            self._store.set(self._part_key(number), part, ttl=_SECONDS_KEPT)
            parts = [
                self._store.get(self._part_key(other))
                for other in range(1, self.num_tasks + 1)
            ]
            # Of several that end at once, one deletes it.
            if any(item is None for item in parts) or not self._store.delete(
                self._open_key
            ):
                return None
        return parts

    def finish(self, results: Any) -> None:
        """Keeps the results of the whole: a task that is done again has these.

        Args:
            results: what JSON can hold
        """
        # As text, since names of classes cannot be keys in MongoDB.
        content = {"plan": {}, "num_tasks": self.num_tasks}
        self._close({**content, "results": json.dumps(results)})

    def end(self, why: str) -> None:
        """Ends the run: what is left of its tasks fails.

        Args:
            why: the sentence that it fails with
        """
        self._close({"ended": why})

    def _close(self, content: Document) -> None:
        with explain_database_errors():
            self._store.set(f"{self.id}/plan", content, ttl=_SECONDS_KEPT)
            for number in range(1, self.num_tasks + 1):
                self._store.delete(self._part_key(number))
            self._store.delete(self._open_key)

    @property
    def _open_key(self) -> str:
        return f"{self.id}/open"

    def _part_key(self, number: int) -> str:
        return f"{self.id}/part/{number}"


def split_view(samples: SampleCollection, num_tasks: int) -> list[Any]:
    """Returns views that have each sample of a view in one of them.

    Each is the given view between two ids of samples. They have about equally many
    samples, and there are fewer views where there are fewer samples.

    Args:
        samples: the dataset or view; of a grouped dataset, its active slice
        num_tasks: the number of views, as :func:`check_num_tasks` allows it
    """
    samples = ungrouped_samples(samples)
    if samples.media_type == "group":
        samples = samples.select_group_slices(samples.group_slice)
    buckets = aggregate_documents(
        samples,
        [
            {"$project": {"_id": 1}},
            {"$bucketAuto": {"groupBy": "$_id", "buckets": num_tasks}},
        ],
    )
    # The first and the last are open: samples may be added before the tasks are done.
    bounds = [None, *(bucket["_id"]["min"] for bucket in buckets[1:]), None]
    return [_between(samples, first, until) for first, until in pairwise(bounds)]


def check_num_tasks(num_tasks: int) -> None:
    """Checks a number of tasks.

    Raises:
        CocoMaskError: if there cannot be that many
    """
    is_number = isinstance(num_tasks, int) and not isinstance(num_tasks, bool)
    if not is_number or not 1 <= num_tasks <= MAX_TASKS:
        raise CocoMaskError(
            f"num_tasks must be a whole number from 1 to {MAX_TASKS:,}, not "
            f"{num_tasks!r}"
        )


def _between(
    samples: SampleCollection, first: ObjectId | None, until: ObjectId | None
) -> Any:
    # As texts, for a queued view is shown as JSON. None at all hold for every sample.
    bounds = {"$gte": first, "$lt": until}
    conditions = [
        {comparison: ["$_id", {"$toObjectId": str(bound)}]}
        for comparison, bound in bounds.items()
        if bound is not None
    ]
    return samples.match({"$expr": {"$and": conditions}})
