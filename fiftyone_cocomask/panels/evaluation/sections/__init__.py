"""The sections of the panel, from its top to its bottom."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ... import elements
from ..shown import Click, Found, Part, Shown, outdated
from .balance import Balance
from .cards import Cards
from .class_names import ClassNames
from .classes import Classes
from .downloads import Downloads
from .drift import Drift
from .folded import FoldedSection
from .histograms import Histograms
from .how_many import HowMany
from .issues import Issues
from .next_labels import NextLabels
from .next_steps import NextSteps
from .out_of_date import OutOfDateSamples
from .pairs import Pairs
from .ranking import RankingOfSamples
from .resized import Resized
from .section import Page, Section
from .splits import Splits
from .stated_areas import StatedAreas
from .together import Together
from .where import Where

# What the panel says of a dataset, in this order, and the sections that say it.
PARTS: dict[str, tuple[Section, ...]] = {
    "": (OutOfDateSamples(),),
    "What is there": (
        Cards(),
        Histograms(),
        Classes(),
        Splits(),
        HowMany(),
        Where(),
        Together(),
        Balance(),
        Resized(),
    ),
    "What is wrong": (
        Issues(),
        ClassNames(),
        StatedAreas(),
        RankingOfSamples(),
        Drift(),
        Pairs(),
    ),
    "What to do next": (NextLabels(), NextSteps(), Downloads()),
}
SECTIONS = tuple(section for sections in PARTS.values() for section in sections)
_BY_NAME = {section.name: section for section in SECTIONS}
# MongoDB works on each of its queries with one core. What one section sums up for
# another is read before that; those that are not named here are read beside them.
_SIDE_BY_SIDE = (
    ("histograms",),
    ("stated_areas", "ranking"),
    ("out_of_date", "cards", "classes", "class_names", "splits"),
    ("issues", "next", "next_steps", "downloads"),
)
_NAMED = {name for names in _SIDE_BY_SIDE for name in names}


def read(shown: Shown) -> dict[str, Found]:
    """Returns what each section shows, by its name."""

    def read_some(names: tuple[str, ...]) -> dict[str, Found]:
        return {name: _BY_NAME[name].read(shown) for name in names}

    others = tuple(name for name in _BY_NAME if name not in _NAMED)
    with ThreadPoolExecutor(max_workers=len(_SIDE_BY_SIDE) + 1) as pool:
        found: dict[str, Found] = {}
        for some in pool.map(read_some, (*_SIDE_BY_SIDE, others)):
            found |= some
        return found


def fold(shown: Shown, found: dict[str, Found], name: str) -> None:
    """Reads a section again that was opened or folded."""
    section = _BY_NAME.get(name)
    if not isinstance(section, FoldedSection):
        raise outdated()
    found[name] = section.read(shown)


def go_on(shown: Shown, found: dict[str, Found]) -> None:
    """Goes on with what open sections wait for."""
    for name, read_ in found.items():
        if isinstance(_BY_NAME[name], FoldedSection) and read_ and "waits" in read_:
            found[name] = _BY_NAME[name].read(shown)


def add_all(page: Page, found: Mapping[str, Found]) -> None:
    """Adds everything that was found."""
    for part, sections in PARTS.items():
        if part:
            elements.title(page.content, part.lower().replace(" ", "_"), part)
        for section in sections:
            section.add(page, found[section.name])


def add_out_of_date(page: Page, found: Mapping[str, Found]) -> bool:
    """Adds what is out of date, and what to look at; returns whether there is any."""
    for section in (OutOfDateSamples, NextLabels):
        _BY_NAME[section.name].add(page, found[section.name])
    return found[OutOfDateSamples.name] is not None


def part_of_click(
    shown: Shown, found: Mapping[str, Found], params: Mapping[str, Any]
) -> tuple[str, Part | None]:
    """Returns the section that was clicked on, and the samples that this leads to.

    Raises:
        CocoMaskError: if the panel has changed meanwhile
    """
    element = str(params["path"]).rpartition(".")[2]
    name = params.get("section") or element.partition("__")[0]
    if name not in _BY_NAME:
        raise outdated()
    click = Click(element, params)
    return name, _BY_NAME[name].part(shown, found[name], click)


def images_to_sum_up(shown: Shown) -> int:
    """Returns how many images :func:`read` has to sum up; 0 if that is done soon."""
    from ....datasets.cached_sums import MANY_SAMPLES

    if all(e.are_sums_kept(shown.samples) for e in shown.evaluations):
        return 0
    images = len(shown.samples)
    return images if images >= MANY_SAMPLES else 0
