"""What the panel shows: evaluations of the samples in the grid, in a chosen way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ...errors import CocoMaskError
from ...fiftyone_types import Dataset, SampleCollection

if TYPE_CHECKING:
    from ...datasets.evaluations import MaskEvaluation

OBJECTS = "Objects"
IMAGES = "Images"

# What a section has read, as JSON holds it.
Found = Any


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose of how the panel shows evaluations.

    Attributes:
        counted: whether histograms are of ``OBJECTS``, where those have a number, or
            of ``IMAGES``
        ranking: the name of the ranking of the samples, None for the first one
        all_classes: whether also rare classes are shown
        queue: the name of the list of labels to look at, None for the first one
        options: what was chosen in sections that fold, by name
        opened: the names of such sections that are open
    """

    counted: str = OBJECTS
    ranking: str | None = None
    all_classes: bool = False
    queue: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    opened: frozenset[str] = frozenset()

    def option(self, name: str, known: Mapping[str, str]) -> str:
        """Returns what was chosen of some values, the first one by default."""
        chosen = dict(self.options).get(name, "")
        return chosen if chosen in known else next(iter(known))


@dataclass(frozen=True, slots=True)
class Shown:
    """What the panel shows.

    Figures are of samples whose figures, in all of the evaluations, are those of their
    masks and labels as they are: what is out of date is left out, and said to be.

    Attributes:
        evaluations: one, or two to compare
        grid: the view that the grid shows, without what was clicked on in the panel
        choices: how it is shown
        outdated: the ids of the samples of that view which are out of date, None if
            they are too many to be left out one by one
        works: what takes long and has begun, by what it is for
    """

    evaluations: list[MaskEvaluation]
    grid: Any
    choices: Choices = Choices()
    outdated: list[str] | None = field(default_factory=list)
    works: dict[str, Work] = field(default_factory=dict)

    @property
    def keys(self) -> list[str]:
        """The keys of the evaluations."""
        return [evaluation.key for evaluation in self.evaluations]

    @property
    def samples(self) -> SampleCollection:
        """The samples of the grid's view that are up to date."""
        return self._without_outdated(self.grid)

    @property
    def measured(self) -> SampleCollection:
        """A view of all samples that are up to date, of which a click selects some."""
        return self._without_outdated(self.dataset.view())

    @property
    def dataset(self) -> Dataset:
        """All samples."""
        from ...datasets.documents import root_dataset

        return root_dataset(self.grid)

    def _without_outdated(self, view: SampleCollection) -> SampleCollection:
        if self.outdated is None:
            return view.limit(0)
        return view.exclude(self.outdated) if self.outdated else view

    def evaluation(self, key: str) -> MaskEvaluation:
        """Returns one of the evaluations.

        Raises:
            CocoMaskError: if it is not shown any more
        """
        for evaluation in self.evaluations:
            if evaluation.key == key:
                return evaluation
        raise outdated()

    def groups(self) -> list[list[MaskEvaluation]]:
        """Returns evaluations that one chart can show: those of a kind."""
        kinds: dict[str, list[MaskEvaluation]] = {}
        for evaluation in self.evaluations:
            kinds.setdefault(evaluation.kind, []).append(evaluation)
        return list(kinds.values())


class Work(Protocol):
    """What takes long, done bit by bit.

    Attributes:
        total: the number of images
        done: how many of them are done
    """

    total: int
    done: int

    def run(self, seconds: float | None = None) -> Any:
        """Goes on with it for a while; returns None as long as it is not whole."""


class Part(NamedTuple):
    """What a click leads to.

    Attributes:
        view: a view of the whole dataset
        text: what it shows
        place: what was clicked on, as JSON holds it, to mark it in the panel
        patches: the stages that make patches of the view's labels, if any
    """

    view: SampleCollection
    text: str
    place: list[Any]
    patches: Sequence[Any] = ()


class Click(NamedTuple):
    """A click on an element of a section.

    Attributes:
        element: the name of the element
        params: what the App says of the click
    """

    element: str
    params: Mapping[str, Any]


def shown_of(evaluations: list[MaskEvaluation], grid: Any, choices: Choices) -> Shown:
    """Returns what the panel shows of some evaluations.

    Args:
        evaluations: one, or two to compare
        grid: the view that the grid shows
        choices: how they are shown
    """
    outdated: dict[str, None] | None = {}
    for evaluation in evaluations:
        ids = evaluation.ids_to_refresh(grid)
        if outdated is None or ids is None:
            outdated = None
        else:
            outdated |= dict.fromkeys(ids)
    return Shown(
        evaluations, grid, choices, None if outdated is None else list(outdated)
    )


def outdated() -> CocoMaskError:
    """Returns what to raise where a click was on what is not shown any more."""
    return CocoMaskError("The panel has changed meanwhile; click again")


def chart_of(charts: list[Found], element: str) -> Found:
    """Returns the chart of an element.

    Raises:
        CocoMaskError: if there is none any more
    """
    for chart in charts:
        if chart["element"] == element:
            return chart
    raise outdated()
