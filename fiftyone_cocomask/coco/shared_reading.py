"""The images of a split read by several processes, as one would read them.

Each process reads batches of images by themselves. What it assumed of the images before
them (how annotations are written, which files are listed already) is checked when their
turn comes: a batch that another one proves wrong is read again here.

The processes may be of other machines, and done long before the batches are joined.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from typing import Any, Protocol, TypeVar

from .originals import AnnotationForm
from .reading import ReadPart, SplitReading
from .records import ImageRecord
from .splits import ImageEntry

# Batches end with so many images, or annotations.
BATCH_SIZE = 50
_MAX_ANNOTATIONS = 5_000

_OrderT = TypeVar("_OrderT")
_MadeT = TypeVar("_MadeT")

# The reading, the batch, the form that is known, and what the work is to know.
_Job = tuple[int, range, AnnotationForm, Any]
_Done = tuple[ReadPart, Any]
# Calls a function for each item in forked processes, and yields the results in order.
Forked = Callable[
    [Callable[[_Job], _Done], Iterable[_Job]], Generator[_Done, None, None]
]


class Work(Protocol[_OrderT, _MadeT]):
    """What is made of images where they are read."""

    def order(self) -> _OrderT:
        """Returns what making something of the next images needs to know by now."""

    def make(self, records: list[ImageRecord], order: _OrderT) -> _MadeT:
        """Makes something of images, in another process."""

    def fits(self, made: _MadeT) -> bool:
        """Whether that is what would be made of the images here and now."""

    def join(self, made: _MadeT) -> None:
        """Takes it into account for what is made of the images that come next."""


def read_in_processes(
    reading: SplitReading,
    groups: list[list[ImageEntry]],
    work: Work[_OrderT, _MadeT],
    forked: Forked,
) -> Generator[_MadeT | Iterator[ImageRecord], None, None]:
    """Yields what was made of the images of a split, batch by batch in their order.

    Args:
        reading: the reading of the split, which is then as if it had read all of them
        groups: the entries of each image, which are taken from the list
        work: what is made of images
        forked: calls a function in forked processes

    Yields:
        what was made of a batch; or its images, where that has to be made here
    """
    if len(groups) <= BATCH_SIZE:
        yield reading.images(groups)
        return
    batches = batches_of(groups, BATCH_SIZE)
    with _shared(reading, groups, work) as key:
        jobs = ((key, b, reading.form.copy(), work.order()) for b in batches)
        with closing(forked(_read, jobs)) as results:
            yield from join_parts(reading, groups, batches, work, results)


def join_parts(
    reading: SplitReading,
    groups: list[list[ImageEntry]],
    batches: Iterable[range],
    work: Work[_OrderT, _MadeT],
    parts: Iterator[tuple[ReadPart, _MadeT] | None],
    *,
    knew_listed: bool = True,
) -> Generator[_MadeT | Iterator[ImageRecord], None, None]:
    """Yields what was made of the images of a split where that fits, else the images.

    Args:
        reading: the reading of the split, which is then as if it had read all of them
        groups: the entries of each image, which are taken from the list
        batches: the places of the images in it
        work: what is made of images
        parts: for each batch what was read and made; None where that is not known
        knew_listed: as for :meth:`SplitReading.join`
    """
    for batch in batches:
        done = next(parts, None)
        if (
            done is not None
            and work.fits(done[1])
            and reading.join(done[0], knew_listed=knew_listed)
        ):
            yield done[1]
        else:
            yield reading.images([groups[number] for number in batch])
        for number in batch:
            groups[number] = []


def read_parts(
    reading: SplitReading,
    groups: Sequence[list[ImageEntry]],
    batches: Iterable[range],
    work: Work[_OrderT, _MadeT],
    forked: Forked,
) -> Generator[tuple[ReadPart, _MadeT], None, None]:
    """Yields what is read and made of some images of a split, for :func:`join_parts`.

    Args:
        reading: the reading of the split, with what is known of its form
        groups: the entries of each image
        batches: the places of the images to read
        work: what is made of images
        forked: calls a function in forked processes
    """
    batches, form = list(batches), reading.form.copy()
    with _shared(reading, groups, work) as key:
        jobs = ((key, batch, form.copy(), work.order()) for batch in batches)
        with closing(forked(_read, jobs)) as results:
            for batch, (part, made) in zip(batches, results, strict=True):
                if not (work.fits(made) and form.join(part.form)):
                    # What came before, and was not known then, tells otherwise.
                    job = key, batch, form.copy(), work.order()
                    part, made = _read(job)
                    form.join(part.form)
                work.join(made)
                yield part, made


# What forked processes read from: they have it from the process that started them.
_readings: dict[int, tuple[SplitReading, Sequence[list[ImageEntry]], Any]] = {}
_keys = count()


@contextmanager
def _shared(
    reading: SplitReading, groups: Sequence[list[ImageEntry]], work: Any
) -> Iterator[int]:
    key = next(_keys)
    _readings[key] = (reading, groups, work)
    try:
        yield key
    finally:
        del _readings[key]


def _read(job: _Job) -> _Done:
    key, batch, form, order = job
    whole, groups, work = _readings[key]
    reading = whole.begun_at(form)
    records = list(reading.images([groups[number] for number in batch]))
    return reading.part(), work.make(records, order)


def batches_of(groups: Sequence[list[ImageEntry]], size: int) -> list[range]:
    """Returns the places of images, in batches of at most so many images."""
    batches = []
    first = annotations = 0
    for number, entries in enumerate(groups, start=1):
        annotations += sum(len(entry.annotations) for entry in entries)
        is_full = number - first == size or annotations >= _MAX_ANNOTATIONS
        if is_full or number == len(groups):
            batches.append(range(first, number))
            first, annotations = number, 0
    return batches
