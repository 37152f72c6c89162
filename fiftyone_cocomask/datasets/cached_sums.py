"""Sums over all samples, kept in FiftyOne's execution store for as long as they hold.

MongoDB takes seconds to sum over the labels of 100,000 samples. What it found is kept
beside the dataset, and taken from there until a sample is changed, added or deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import blake2b
from typing import Any, TypeVar

import bson
from pymongo.errors import DocumentTooLarge

from ..fiftyone_types import Dataset, SampleCollection
from ..version import __version__
from .database_errors import explain_database_errors
from .documents import pipeline, samples_state
from .run_keys import run_time
from .stores import Store

Sums = TypeVar("Sums")

# Of fewer samples, sums are fast enough when somebody asks for them.
MANY_SAMPLES = 5000

_STORE = "cocomask_sums"
# Sums of evaluations that are deleted, or of views that nobody opens, expire.
_SECONDS_KEPT = 30 * 24 * 3600


class KeptSums:
    """The sums of an evaluation.

    Args:
        dataset: the dataset
        eval_key: the key of the evaluation
        begun: when it was begun, where it is not a custom run of FiftyOne's
    """

    def __init__(
        self, dataset: Dataset, eval_key: str, begun: str | None = None
    ) -> None:
        self._dataset = dataset
        begun = begun or run_time(dataset, eval_key)
        # An evaluation that is run again has another time, and other sums; so may
        # another version of this package.
        self._prefix = f"{__version__}/{eval_key}/{begun}"

    def get(
        self,
        name: str,
        samples: SampleCollection,
        compute: Callable[[SampleCollection], Sums],
    ) -> Sums:
        """Returns the sums of some samples, as their fields are now.

        Args:
            name: what is summed
            samples: the dataset, or a view into it
            compute: computes the sums of what it is given, as BSON can hold them
        """
        with explain_database_errors():
            # Before the sums: what changes meanwhile makes them outdated.
            state = samples_state(self._dataset)
            kept = self._kept(name, samples)
            if kept is not None:
                return kept["sums"]
            sums = compute(samples)
            self._keep(name, samples, state, sums)
            return sums

    def state(self) -> str:
        """Returns what :meth:`keep` is to be given, from before anything is summed."""
        with explain_database_errors():
            return samples_state(self._dataset)

    def keep(
        self, samples: SampleCollection, state: str, found: Mapping[str, Any]
    ) -> None:
        """Keeps sums that one pass over some samples has made.

        Args:
            samples: the dataset, or a view into it
            state: the state before the pass
            found: the sums by their names
        """
        with explain_database_errors():
            for name, sums in found.items():
                self._keep(name, samples, state, sums)

    def has(self, name: str, samples: SampleCollection) -> bool:
        """Whether :meth:`get` would have nothing to compute."""
        with explain_database_errors():
            return self._kept(name, samples) is not None

    def kept(self, name: str, samples: SampleCollection) -> Any:
        """Returns the sums that :meth:`get` need not compute, None if it would."""
        with explain_database_errors():
            found = self._kept(name, samples)
        return None if found is None else found["sums"]

    def _kept(self, name: str, samples: SampleCollection) -> Any:
        """Returns what is kept of a name, None if it is not, or no longer holds."""
        kept = self._store().get(self._key(name, samples))
        holds = kept is not None and kept["state"] == samples_state(self._dataset)
        return kept if holds else None

    def _keep(
        self, name: str, samples: SampleCollection, state: str, sums: Any
    ) -> None:
        # Of thousands of classes in pairs, they are summed each time.
        with suppress(DocumentTooLarge):
            self._store().set_cache(
                self._key(name, samples),
                {"state": state, "sums": sums},
                ttl=_SECONDS_KEPT,
            )

    def _store(self) -> Store:
        return Store(_STORE, self._dataset)

    def _key(self, name: str, samples: SampleCollection) -> str:
        view = bson.encode({"stages": pipeline(samples)})
        return f"{self._prefix}/{name}/{blake2b(view, digest_size=16).hexdigest()}"
