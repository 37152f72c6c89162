"""The categories of an export: one label for each that is in use."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..words import shortened, type_name
from .document import normal_id
from .issues import Action, IssueCode
from .records import Category, CocoId
from .report import ExportReport

NO_CATEGORY = "no category"
# A label is written on each of its objects, and classes are listed on the dataset.
MAX_NAME = 500
# By the id and name of a category, its label in a dataset; None if it was listed there
# but not in use.
KnownLabels = Mapping[tuple[CocoId | None, str], str | None]


class Categories:
    """The categories of a split, by id.

    Args:
        split: the split's name
        entries: the JSON's ``categories``; None if it has none
        used_ids: how many of the split's annotations refer to each id; None among them
            stands for annotations that name no category
        report: where issues go
    """

    def __init__(
        self,
        split: str,
        entries: list[Any] | None,
        used_ids: Mapping[CocoId | None, int],
        report: ExportReport,
    ) -> None:
        self._split = split
        self._report = report
        self._by_id: dict[CocoId | None, Category] = {}
        if entries is None:
            self._tell(
                IssueCode.CATEGORIES_MISSING,
                "the JSON has no 'categories': labels are 'category <id>'",
                Action.REPAIRED,
            )
        for entry in entries or []:
            self._add(entry)
        self._listed_ids = frozenset(self._by_id)
        self._counts = used_ids
        for used_id in used_ids:
            self._by_id.setdefault(used_id, _unlisted(used_id)).used = True

    def get(self, category_id: CocoId | None) -> Category:
        """Returns the category of an id that an annotation has."""
        category = self._by_id.get(category_id)
        if category is None:
            category = self._by_id[category_id] = _unlisted(category_id)
            category.used = True
        return category

    def is_listed(self, category_id: CocoId | None) -> bool:
        """Whether the JSON lists a category; else only annotations name it."""
        return category_id in self._listed_ids

    def count(self, category_id: CocoId | None) -> int:
        """Returns how many annotations of the split refer to a category."""
        return self._counts.get(category_id, 0)

    def in_use(self) -> list[Category]:
        """Returns the categories that annotations refer to, by id."""
        used = [category for category in self._by_id.values() if category.used]
        return sorted(used, key=_sort_key)

    def all(self) -> list[Category]:
        """Returns the categories that are listed or in use."""
        return list(self._by_id.values())

    def _add(self, entry: Any) -> None:
        category_id = normal_id(entry.get("id")) if isinstance(entry, dict) else None
        if category_id is None:
            what = type_name(entry) if not isinstance(entry, dict) else "an object"
            self._tell(
                IssueCode.CATEGORY_MALFORMED,
                f"an entry of 'categories' is {what} without a usable id",
                Action.DROPPED,
            )
            return
        name = self._name(entry, category_id)
        if category_id in self._by_id:
            self._tell_again(category_id, name)
            return
        self._by_id[category_id] = Category(
            category_id,
            name,
            name,
            _supercategory(entry.get("supercategory")),
        )

    def _tell_again(self, category_id: CocoId, name: str) -> None:
        first = self._by_id[category_id].original_name
        if name == first:
            self._tell(
                IssueCode.DUPLICATE_CATEGORY_ID,
                f"category {category_id} '{name}' is listed twice; the first one "
                "counts",
                Action.REPAIRED,
            )
            return
        self._tell(
            IssueCode.DUPLICATE_CATEGORY_ID,
            f"category {category_id} is both '{first}' and '{name}'; the id stays "
            f"with '{first}'",
            Action.DROPPED,
        )

    def _name(self, entry: dict[str, Any], category_id: CocoId) -> str:
        name = entry.get("name")
        text = _text(name)
        if text is None:
            self._tell(
                IssueCode.CATEGORY_WITHOUT_NAME,
                f"category {category_id} has no name; its label is "
                f"'category {category_id}'",
                Action.REPAIRED,
            )
            return f"category {category_id}"
        if not isinstance(name, str):
            self._tell(
                IssueCode.CATEGORY_NAME_NOT_TEXT,
                f"the name of category {category_id} is {type_name(name)}; its label "
                f"is '{text}'",
                Action.REPAIRED,
            )
        if len(text) > MAX_NAME:
            self._tell(
                IssueCode.CATEGORY_NAME_TOO_LONG,
                f"the name of category {category_id} has {len(text):,} characters; its "
                f"label is '{shortened(text)}'",
                Action.REPAIRED,
            )
            return shortened(text, MAX_NAME)
        return text

    def _tell(self, code: IssueCode, message: str, action: Action) -> None:
        self._report.add(code, message, action, split=self._split)


def name_categories(
    splits: dict[str, Categories], report: ExportReport, known: KnownLabels
) -> None:
    """Gives each category in use a label that no other one has.

    A category is in use if an annotation of any split refers to one of its id and
    name. Two in use that share a name stay two: ``butterfly`` and ``butterfly (1)``, in
    the order of their ids. One that nothing uses, as Roboflow's root, takes no name
    from a class; nor does one that comes into use in a later version.

    Args:
        splits: the categories of each split
        report: where issues go
        known: the labels of the dataset to import into
    """
    used = {(c.id, c.original_name) for s in splits.values() for c in s.in_use()}
    told: set[tuple[IssueCode, str]] = set()
    for split, categories in splits.items():
        names = Counter(c.original_name for c in categories.all() if _key(c) in used)
        taken = {category.original_name for category in categories.all()}
        labels = _Labels(taken, known)
        for category in sorted(categories.all(), key=labels.rank):
            category.used = _key(category) in used
            if not category.used:
                continue
            category.name = labels.label_of(category)
            name = category.original_name
            if category.name == name:
                continue
            message = (
                f"several categories in use are named '{name}'; the one with id "
                f"{category.id} is called '{category.name}'"
            )
            if names[name] == 1:
                message = (
                    f"category {category.id} '{name}' is called '{category.name}', as "
                    "in the dataset"
                )
            if (IssueCode.DUPLICATE_CATEGORY_NAME, message) not in told:
                told.add((IssueCode.DUPLICATE_CATEGORY_NAME, message))
                report.add(
                    IssueCode.DUPLICATE_CATEGORY_NAME,
                    message,
                    Action.REPAIRED,
                    split=split,
                )
    _report_unused(splits, report)
    _report_case(splits, report)


class _Labels:
    """Gives each category of a split a label of its own."""

    def __init__(self, names: set[str], known: KnownLabels) -> None:
        self._taken = set(names)
        self._known = known
        self._given: set[str] = set()
        self._numbers: dict[str, int] = {}

    def rank(self, category: Category) -> tuple[Any, ...]:
        """Returns the sort key of a category: those that are known come first."""
        key = _key(category)
        label = self._known.get(key)
        place = 0 if label is not None else 2 if key in self._known else 1
        return place, len(label or ""), label or "", *_sort_key(category)

    def label_of(self, category: Category) -> str:
        """Returns the label that the next category gets."""
        name = category.original_name
        label = self._known.get(_key(category), name) or name
        if label in self._given or (label != name and label in self._taken):
            label = name
        if label in self._given:
            number = self._numbers.get(name, 1)
            label, self._numbers[name] = _free_name(name, number, self._taken)
        self._given.add(label)
        self._taken.add(label)
        return label


def known_labels(
    entries: list[Any], labels: Mapping[CocoId | None, str]
) -> dict[tuple[CocoId | None, str], str | None]:
    """Returns what is known of the categories of an export that was read before.

    Args:
        entries: the ``categories`` of a split's JSON
        labels: the labels of those in use, by their ids
    """
    categories = Categories("", entries, {}, ExportReport(""))
    return {_key(c): labels.get(c.id) for c in categories.all()}


def _key(category: Category) -> tuple[CocoId | None, str]:
    return category.id, category.original_name


def _report_unused(splits: dict[str, Categories], report: ExportReport) -> None:
    unused: dict[tuple[CocoId | None, str], None] = {}
    for categories in splits.values():
        for category in categories.all():
            if not category.used:
                unused[category.id, category.original_name] = None
    for category_id, name in unused:
        report.add(
            IssueCode.CATEGORY_UNUSED,
            f"no annotation uses category {category_id} '{name}', so it is not a class",
            Action.KEPT,
        )


def _report_case(splits: dict[str, Categories], report: ExportReport) -> None:
    by_folded: dict[str, dict[str, None]] = {}
    for categories in splits.values():
        for category in categories.in_use():
            by_folded.setdefault(category.name.casefold(), {})[category.name] = None
    for names in by_folded.values():
        if len(names) > 1:
            listed = ", ".join(f"'{name}'" for name in names)
            report.add(
                IssueCode.CATEGORY_NAMES_DIFFER_IN_CASE,
                f"the categories {listed} differ only in case; they stay apart",
                Action.KEPT,
            )


def _text(name: Any) -> str | None:
    """Returns a name as text: numbers, true and false as a JSON spells them."""
    if isinstance(name, bool):
        return "true" if name else "false"
    if isinstance(name, int) or (isinstance(name, float) and math.isfinite(name)):
        return str(name)
    return name.strip() or None if isinstance(name, str) else None


def _supercategory(value: Any) -> str | None:
    text = value if isinstance(value, str) else _text(value)
    if text is not None and len(text) > MAX_NAME:
        return shortened(text, MAX_NAME)
    return text


def _free_name(name: str, number: int, taken: set[str]) -> tuple[str, int]:
    """Returns a name with the first free number from one on, and the next number."""
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})", number + 1


def _unlisted(category_id: CocoId | None) -> Category:
    name = NO_CATEGORY if category_id is None else f"category {category_id}"
    return Category(category_id, name, name)


def _sort_key(category: Category) -> tuple[bool, bool, CocoId]:
    category_id = "" if category.id is None else category.id
    return category.id is None, isinstance(category_id, str), category_id
