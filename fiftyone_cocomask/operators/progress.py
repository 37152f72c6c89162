"""The progress of a blocking call, as a generator and as text."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

Result = TypeVar("Result")

# How often the App is told, in seconds.
_INTERVAL = 0.2
# Before, a rate says more of the start than of the rest.
_SECONDS_TO_KNOW_A_RATE = 2.0


class JobStoppedError(Exception):
    """Ends a job whose caller went away."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    Attributes:
        done: the number of steps done
        total: the number of all steps, None if it is not known
        seconds: how long it has taken so far
        verb: what is done, where it is not what the job says in general
    """

    done: int
    total: int | None
    seconds: float = 0.0
    verb: str | None = None

    @property
    def fraction(self) -> float | None:
        """The share of the job that is done, 0..1; None if it is not known."""
        return self.done / self.total if self.total else None

    def label(self, verb: str, noun: str) -> str:
        """Returns ``Drawing masks: 3 of 21 images``, later with rate and time left."""
        of_total = "" if self.total is None else f" of {self.total:,}"
        text = f"{self.verb or verb}: {self.done:,}{of_total} {noun}"
        if not self.done or self.seconds < _SECONDS_TO_KNOW_A_RATE:
            return text
        rate = self.done / self.seconds
        text += f", {rate:,.0f} a second" if rate >= 1 else f", {1 / rate:.0f} s each"
        if self.total is None:
            return text
        return f"{text}, {_duration((self.total - self.done) / rate)} left"

    @classmethod
    def of_bar(cls, bar: Any) -> Progress:
        """Returns the progress that a ``fou.ProgressBar`` shows."""
        total = bar.total if bar.has_total else None
        total = None if total is None else int(total)
        verb = getattr(bar, "verb", None)
        return cls(bar.iteration, total, bar.elapsed_time or 0.0, verb)


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes / 60:.0f} h"


def follow(
    job: Callable[[Callable[[Any], None]], Result],
    message: Callable[[Progress], Any],
) -> Generator[Any, None, Result]:
    """Runs a job in a thread of its own and yields a message per progress.

    If the generator is closed before its end, the job's next report of progress
    raises :class:`JobStoppedError` in the job.

    Args:
        job: a function that takes what the SDK's functions take as ``progress``
        message: makes of a progress what is yielded

    Yields:
        messages, whenever the progress changed

    Returns:
        what the job returns

    Raises:
        Exception: what the job raises
    """
    latest: list[Progress] = []
    stopped = False

    def report(bar: Any) -> None:
        if stopped:
            raise JobStoppedError
        latest[:] = [Progress.of_bar(bar)]

    with ThreadPoolExecutor(1, "cocomask-job") as pool:
        future = pool.submit(job, report)
        try:
            last = None
            while wait([future], timeout=_INTERVAL).not_done:
                if latest and latest[0] != last:
                    last = latest[0]
                    yield message(last)
        finally:
            stopped = True
    return future.result()
