"""The figures of all runs, kept in a file as they come, and printed as tables."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from .measuring import print_table, with_spread


@dataclass(frozen=True, slots=True)
class Figure:
    """What a run of a stage, or of what it is compared with, has taken.

    Attributes:
        milliseconds: for each image
        megabytes: the peak memory of its process, or of a worker if that had more
    """

    milliseconds: float
    megabytes: float


class Figures:
    """The figures of all runs.

    Args:
        path: where they are kept, None to forget them
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        # By the number of images, the name of what was measured, and the run.
        self._found: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
        self._answers: dict[str, dict[str, dict[str, list[float]]]] = {}
        self._sizes: dict[str, dict[str, float]] = {}
        if path is not None and path.exists():
            kept = json.loads(path.read_text())
            self._found, self._answers = kept["runs"], kept["answers"]
            self._sizes = kept["sizes"]

    def add(self, images: int, name: str, run: int, figure: Figure) -> None:
        """Adds the figure of a run, in place of one of the same run."""
        runs = self._found.setdefault(str(images), {}).setdefault(name, {})
        runs[str(run)] = asdict(figure)
        self._keep()

    def add_answer(
        self, images: int, name: str, run: int, first: float, again: float
    ) -> None:
        """Adds after how many seconds the App has an answer, asked twice."""
        runs = self._answers.setdefault(name, {}).setdefault(str(images), {})
        runs[str(run)] = [first, again]
        self._keep()

    def add_size(self, images: int, name: str, kilobytes: float) -> None:
        """Adds how much of something there is."""
        self._sizes.setdefault(name, {})[str(images)] = kilobytes
        self._keep()

    def has(self, images: int, name: str, run: int) -> bool:
        """Whether a run has been measured."""
        return str(run) in self._found.get(str(images), {}).get(name, {})

    def of(self, images: int, name: str) -> list[Figure]:
        """Returns the figures of all runs."""
        runs = self._found.get(str(images), {}).get(name, {})
        return [Figure(**figure) for figure in runs.values()]

    def milliseconds(self, images: int, name: str) -> list[float]:
        """Returns the times for an image of all runs."""
        return [figure.milliseconds for figure in self.of(images, name)]

    def megabytes(self, images: int, name: str) -> list[float]:
        """Returns the peak memories of all runs."""
        return [figure.megabytes for figure in self.of(images, name)]

    def images(self) -> list[int]:
        """Returns the numbers of images of which there are figures."""
        return sorted(map(int, self._found))

    def answers(self) -> list[str]:
        """Returns the names of the answers of the App."""
        return list(self._answers)

    def seconds(self, images: int, name: str) -> list[list[float]]:
        """Returns the seconds of the first answers, and of those after them."""
        runs = self._answers[name].get(str(images), {}).values()
        return [list(column) for column in zip(*runs, strict=True)]

    def sizes(self) -> Iterator[tuple[str, dict[str, float]]]:
        """Yields what there is how much of, by the number of images."""
        yield from self._sizes.items()

    def _keep(self) -> None:
        if self._path is None:
            return
        found = {"runs": self._found, "answers": self._answers, "sizes": self._sizes}
        text = json.dumps(found, indent=1)
        written = self._path.with_suffix(".new")
        written.write_text(text)
        written.replace(self._path)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the tables.

    Attributes:
        name: the name of the stage
        one: the stage that does the same in one process
        baseline: the name of what it is compared with
        of: how many images of them, None for all
    """

    name: str
    one: str | None
    baseline: str | None
    of: int | None

    @property
    def compared(self) -> str:
        """What the figures of what it is compared with are kept under."""
        return f"{self.name} / {self.baseline}"


def print_figures(figures: Figures, rows: list[Row]) -> None:
    """Prints the tables of times, of what they are compared with, and of memory."""
    sizes = figures.images()
    rows = [row for row in rows if any(figures.of(n, row.name) for n in sizes)]
    heads = [f"{n:,} images" for n in sizes]
    print_table(
        ["milliseconds an image", *heads],
        [[row.name, *(_times(figures, n, row.name) for n in sizes)] for row in rows],
    )
    for n in sizes:
        compared = [row for row in rows if figures.of(n, row.compared)]
        if compared:
            columns = ("instead", "milliseconds an image", "here", "times faster")
            print_table(
                [f"{n:,} images", *columns],
                [_comparison(figures, n, row) for row in compared],
            )
    for n in sizes:
        paired = [row for row in rows if row.one and figures.of(n, row.name)]
        if paired:
            print_table(
                [f"{n:,} images", "seconds", "in one process", "times faster"],
                [_in_two(figures, n, row) for row in paired],
            )
    print_table(
        ["peak memory, MB", *heads, "instead"],
        [
            [
                row.name,
                *(_memory(figures, n, row.name) for n in sizes),
                next(
                    (m for n in sizes if (m := _memory(figures, n, row.compared))), ""
                ),
            ]
            for row in rows
        ],
    )
    if figures.answers():
        print_table(
            ["seconds until the App answers", *heads, "and again"],
            [[name, *_answer(figures, name, sizes)] for name in figures.answers()],
        )
    kept = list(figures.sizes())
    if kept:
        print_table(
            ["kilobytes", *heads],
            [
                [name, *(f"{of[str(n)]:.1f}" if str(n) in of else "" for n in sizes)]
                for name, of in kept
            ],
        )


def _times(figures: Figures, images: int, name: str) -> str:
    taken = figures.milliseconds(images, name)
    return with_spread(taken) if taken else ""


def _memory(figures: Figures, images: int, name: str) -> str:
    found = figures.megabytes(images, name)
    return f"{statistics.median(found):,.0f}" if found else ""


def _answer(figures: Figures, name: str, sizes: list[int]) -> list[str]:
    both = [figures.seconds(n, name) for n in sizes]
    first = [with_spread(found[0]) if found else "" for found in both]
    return [*first, with_spread(both[-1][1], 3) if both[-1] else ""]


def _comparison(figures: Figures, images: int, row: Row) -> list[str]:
    ours = figures.milliseconds(images, row.name)
    theirs = figures.milliseconds(images, row.compared)
    name = str(row.baseline)
    if row.of is not None and row.of < images:
        name += f", {row.of} images"
    ratio = statistics.median(theirs) / statistics.median(ours)
    return [row.name, name, with_spread(theirs, 1), with_spread(ours), f"{ratio:.1f}"]


def _in_two(figures: Figures, images: int, row: Row) -> list[str]:
    both = [figures.milliseconds(images, name) for name in (row.name, str(row.one))]
    both = [[ms * images / 1000 for ms in taken] for taken in both]
    ratio = statistics.median(both[1]) / statistics.median(both[0])
    return [row.name, with_spread(both[0]), with_spread(both[1]), f"{ratio:.2f}"]
