"""What the classes of an export say about it as a whole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from ..words import part_of, shortened
from .categories import Categories
from .issues import Action, IssueCode
from .records import CocoId
from .report import ExportReport

# A class of one annotation is worth a word where another one has so many.
_MANY = 5
_LISTED = 10
# Names are searched for slips of the pen from and up to these lengths.
_SHORTEST, _LONGEST = 6, 40
_SHORTEST_REPLACED = 8
_SEPARATORS = re.compile(r"[\W_]+")

Counts = Mapping[str, Counter[str]]


def report_classes(splits: Mapping[str, Categories], report: ExportReport) -> None:
    """Reports classes that are nearly the same, rare, missing, or of changing ids.

    Args:
        splits: the categories of each split
        report: where issues go
    """
    counts: dict[str, Counter[str]] = {}
    for split, categories in splits.items():
        counts[split] = Counter()
        for category in categories.in_use():
            number = categories.count(category.id)
            if category.id is not None and number:
                counts[split][category.original_name] += number
    totals: Counter[str] = sum(counts.values(), Counter())
    _report_similar(totals, report)
    _report_ids(splits, report)
    _report_missing(counts, totals, report)
    _report_singletons(totals, report)


def similar_names(names: Iterable[str]) -> list[list[str]]:
    """Returns groups of names that are nearly the same, case apart.

    Names that differ in blanks and signs only (``stop sign``, ``stop-sign``); a name
    and the same with a number (``cell``, ``cell_1``); words of six letters or more
    that differ by a letter added, left out or swapped with the next one, or, of eight
    or more, replaced.

    Args:
        names: the names, each once
    """
    groups = _Groups()
    names = list(names)
    plain: dict[str, str] = {}
    for name in names:
        groups.join(name, plain.setdefault(_plain(name), name))
    for name in names:
        unnumbered = _without_number(name)
        base = None if unnumbered is None else plain.get(_plain(unnumbered))
        if base is not None:
            groups.join(name, base)
    slips: dict[str, list[str]] = {}
    for key, name in plain.items():
        for variant in _variants(key):
            for other in slips.setdefault(variant, []):
                if _is_slip(key, _plain(other)):
                    groups.join(name, other)
            # So that names made of one pattern stay few to compare.
            if len(slips[variant]) < _LISTED:
                slips[variant].append(name)
    return [
        group
        for group in groups.all(names)
        if len({name.casefold() for name in group}) > 1
    ]


class _Groups:
    """Names, joined two by two."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}

    def join(self, name: str, other: str) -> None:
        self._of[self._first(name)] = self._first(other)

    def all(self, names: Iterable[str]) -> Iterator[list[str]]:
        groups: dict[str, list[str]] = {}
        for name in names:
            groups.setdefault(self._first(name), []).append(name)
        return (group for group in groups.values() if len(group) > 1)

    def _first(self, name: str) -> str:
        first = name
        while (parent := self._of.get(first, first)) != first:
            first = parent
        while name != first:
            self._of[name], name = first, self._of[name]
        return first


def _plain(name: str) -> str:
    return _SEPARATORS.sub("", name.casefold()) or name


def _without_number(name: str) -> str | None:
    """Returns a name without the number at its end; None if it has none.

    Without a regular expression: those that find it take cubic time for long names.
    """
    text = _without_signs(name)
    base = text.rstrip("0123456789")
    if base == text or not any(map(str.isalpha, base)):
        return None
    return _without_signs(base)


def _without_signs(text: str) -> str:
    end = len(text)
    while end and not text[end - 1].isalnum():
        end -= 1
    return text[:end]


def _variants(name: str) -> Iterator[str]:
    """Yields what a name and those a letter away from it have in common."""
    if not _SHORTEST <= len(name) <= _LONGEST or not name.isalpha():
        return
    yield name
    yield from {name[:place] + name[place + 1 :] for place in range(len(name))}


def _is_slip(name: str, other: str) -> bool:
    """Whether two names differ as slips of the pen do."""
    if len(name) != len(other):
        return True
    places = [i for i, (a, b) in enumerate(zip(name, other, strict=True)) if a != b]
    if len(places) == 1:
        # The last letter tells types apart: hepatitisA, hepatitisB.
        return len(name) >= _SHORTEST_REPLACED and places[0] < len(name) - 1
    return (
        len(places) == 2
        and places[1] == places[0] + 1
        and name[places[0]] == other[places[1]]
        and name[places[1]] == other[places[0]]
    )


def _report_similar(totals: Counter[str], report: ExportReport) -> None:
    for group in similar_names(totals):
        listed = _listed(
            [f"'{shortened(name)}' ({totals[name]:,})" for name in group], " and "
        )
        report.add(
            IssueCode.CATEGORY_NAMES_SIMILAR,
            f"the classes {listed} have nearly the same names; if they are one "
            "class, merge them in the export, or with merge_classes once imported",
            Action.KEPT,
        )


def _report_ids(splits: Mapping[str, Categories], report: ExportReport) -> None:
    names: dict[CocoId, dict[str, list[str]]] = {}
    used: set[CocoId | None] = set()
    for split, categories in splits.items():
        used |= {category.id for category in categories.in_use()}
        for category in categories.all():
            if category.id is not None and categories.is_listed(category.id):
                by_name = names.setdefault(category.id, {})
                by_name.setdefault(category.original_name, []).append(split)
    for category_id, by_name in names.items():
        if len(by_name) > 1 and category_id in used:
            listed = _listed(
                [
                    f"'{shortened(name)}' in {_listed(found, ' and ')}"
                    for name, found in by_name.items()
                ],
                " and ",
            )
            report.add(
                IssueCode.IDS_DIFFER,
                f"category {category_id} is {listed}; its annotations go by the name",
                Action.KEPT,
            )


def _report_missing(counts: Counts, totals: Counter[str], report: ExportReport) -> None:
    for split, found in counts.items():
        missing = [name for name in totals if name not in found]
        if found and missing:
            listed = _listed([f"'{shortened(name)}'" for name in missing], " and ")
            report.add(
                IssueCode.CATEGORY_MISSING_FROM_SPLIT,
                "it has no annotation of "
                f"{part_of(len(missing), len(totals), 'class')}: {listed}",
                Action.KEPT,
                split=split,
            )


def _report_singletons(totals: Counter[str], report: ExportReport) -> None:
    if not totals or max(totals.values()) < _MANY:
        return
    for name, number in totals.items():
        if number == 1:
            report.add(
                IssueCode.CATEGORY_SINGLETON,
                f"the class '{shortened(name)}' has one annotation in the whole export",
                Action.KEPT,
            )


def _listed(items: list[str], last: str) -> str:
    """Returns items in a row; of many, the first ones and how many more there are."""
    if len(items) > _LISTED:
        items = [*items[: _LISTED - 1], f"{len(items) - _LISTED + 1:,} more"]
    return ", ".join(items[:-1]) + last + items[-1] if len(items) > 1 else items[0]
