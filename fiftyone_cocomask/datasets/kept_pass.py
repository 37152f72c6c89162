"""A pass over samples that can be left and gone on with, and whose sums are kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any

import fiftyone.core.utils as fou

from ..fiftyone_types import SampleCollection
from .cached_sums import KeptSums
from .documents import num_samples

# In seconds: how often a progress bar is brought up to date.
_BAR_EVERY = 0.5


class KeptPass:
    """A pass that has not begun.

    Args:
        kept: where its sums are kept
        samples: the samples
        steps: goes through them, and yields after each step how many it has done
        sums: returns the sums by name, once all are done

    Attributes:
        total: the number of samples
        done: how many of them are done
    """

    def __init__(
        self,
        kept: KeptSums,
        samples: SampleCollection,
        steps: Iterator[int],
        sums: Callable[[], dict[str, Any]],
    ) -> None:
        self._kept = kept
        self._state = kept.state()
        self._samples = samples
        self._steps = steps
        self._sums = sums
        self._lock = Lock()
        self.total = num_samples(samples)
        self.done = 0

    def run(self, seconds: float | None = None) -> dict[str, Any] | None:
        """Goes on with it.

        Args:
            seconds: for how long, None for as long as it takes

        Returns:
            the sums by name, once it is whole; else None
        """
        # Somebody else may be going on with it.
        if not self._lock.acquire(timeout=-1 if seconds is None else max(seconds, 0)):
            return None
        try:
            return self._run(seconds)
        finally:
            self._lock.release()

    def run_with_bar(self, progress: Any = None) -> None:
        """Does all of it, and shows how far it is.

        Args:
            progress: whether to render a progress bar (True/False), or a function to
                call with the bar. None renders one if FiftyOne's default says so
        """
        with fou.ProgressBar(total=self.total, progress=progress) as bar:
            is_whole, shown = False, 0
            while not is_whole:
                is_whole = self.run(_BAR_EVERY) is not None
                bar.update(self.done - shown)
                shown = self.done

    def _run(self, seconds: float | None) -> dict[str, Any] | None:
        ends = None if seconds is None else time.monotonic() + seconds
        for done in self._steps:
            self.done += done
            if ends is not None and time.monotonic() > ends:
                return None
        found = self._sums()
        self._kept.keep(self._samples, self._state, found)
        return found
