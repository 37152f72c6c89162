"""The progress of a blocking call, as a generator and as text."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

Result = TypeVar("Result")

# How often the App is told, in seconds.
_INTERVAL = 0.2


class JobStoppedError(Exception):
    """Ends a job whose caller went away."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    Attributes:
        done: the number of steps done
        total: the number of all steps, None if it is not known
    """

    done: int
    total: int | None

    @property
    def fraction(self) -> float | None:
        """The share of the job that is done, 0..1; None if it is not known."""
        return self.done / self.total if self.total else None

    def label(self, verb: str, noun: str) -> str:
        """Returns ``Drawing masks: 3 of 21 images``."""
        of_total = "" if self.total is None else f" of {self.total:,}"
        return f"{verb}: {self.done:,}{of_total} {noun}"

    @classmethod
    def of_bar(cls, bar: Any) -> Progress:
        """Returns the progress that a ``fou.ProgressBar`` shows."""
        total = bar.total if bar.has_total else None
        return cls(bar.iteration, None if total is None else int(total))


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
