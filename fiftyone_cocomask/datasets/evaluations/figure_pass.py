"""The pass that makes the figures of an evaluation which need pixels, bit by bit."""

from __future__ import annotations

import time
from threading import Lock
from typing import Any

from ...fiftyone_types import SampleCollection
from ..cached_sums import KeptSums
from ..figures.drawn_figures import DrawnFigures, FigureSource


class FigurePass:
    """A pass over samples that can be left and gone on with; its sums are kept.

    Args:
        sums: where they are kept
        samples: the samples
        source: what the figures are made of

    Attributes:
        total: the number of samples
        done: how many of them are done
    """

    def __init__(
        self, sums: KeptSums, samples: SampleCollection, source: FigureSource
    ) -> None:
        self._sums = sums
        self._state = sums.state()
        self._samples = samples
        self._figures = DrawnFigures(source)
        self._lock = Lock()
        self._steps = self._figures.read(samples)
        self.total = len(samples)
        self.done = 0

    def run(self, seconds: float | None = None) -> dict[str, Any] | None:
        """Goes on with it.

        Args:
            seconds: for how long, None for as long as it takes

        Returns:
            the sums by name, once it is whole; else None
        """
        # Somebody else may be going on with it.
        if not self._lock.acquire(timeout=-1 if seconds is None else seconds):
            return None
        try:
            return self._run(seconds)
        finally:
            self._lock.release()

    def _run(self, seconds: float | None) -> dict[str, Any] | None:
        ends = None if seconds is None else time.monotonic() + seconds
        for _ in self._steps:
            self.done += 1
            if ends is not None and time.monotonic() > ends:
                return None
        found = self._figures.sums()
        self._sums.keep(self._samples, self._state, found)
        return found
