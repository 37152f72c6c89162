"""The categories of the exports that are written: an id for each class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .categories import NO_CATEGORY
from .document import normal_id
from .records import CocoId


class SplitClasses:
    """The categories of one split: those that it was imported with, and new ones.

    A category follows the name of a label. Its id is kept while the name is the one
    that this id has.

    Args:
        entries: the ``categories`` of the split's JSON
        labels: the ids of its categories in use with their labels, as the import
            called them
    """

    def __init__(
        self, entries: Any, labels: Iterable[tuple[CocoId | None, str]]
    ) -> None:
        listed = entries if isinstance(entries, list) else []
        self._entries: list[Any] = list(listed)
        self._raw_ids: dict[CocoId, Any] = {}
        self._name_of: dict[CocoId, str] = {}
        self._id_of: dict[str, CocoId] = {}
        for entry in listed:
            found = entry if isinstance(entry, dict) else {}
            category_id = normal_id(found.get("id"))
            if category_id is not None and category_id not in self._raw_ids:
                self._raw_ids[category_id] = found["id"]
                if isinstance(found.get("name"), str):
                    self._name_of[category_id] = found["name"]
        # A label in use comes before an unused root of the same name.
        for category_id, name in labels:
            if category_id is not None:
                self._name_of[category_id] = name
                self._id_of[name] = category_id
                if category_id not in self._raw_ids:
                    self._raw_ids[category_id] = category_id
                    self._entries.append({"id": category_id, "name": name})
        for category_id, name in self._name_of.items():
            self._id_of.setdefault(name, category_id)

    @property
    def entries(self) -> list[Any]:
        """The categories as the JSON is to list them."""
        return self._entries

    @property
    def names(self) -> dict[str, CocoId]:
        """The id of each class."""
        return self._id_of

    @property
    def ids(self) -> Iterable[CocoId]:
        """All ids that are taken."""
        return self._raw_ids

    def name_of(self, category_id: CocoId | None) -> str | None:
        """Returns the label of an id."""
        return None if category_id is None else self._name_of.get(category_id)

    def id_of(self, label: str, category_id: CocoId | None) -> Any:
        """Returns the id to write for a label.

        Args:
            label: its class, which :meth:`add` or the JSON has listed
            category_id: the id that it has from its import
        """
        if category_id is None or self._name_of.get(category_id) != label:
            category_id = self._id_of[label]
        return self._raw_ids[category_id]

    def add(self, name: str, category_id: int) -> None:
        """Lists a new class."""
        self._id_of[name] = category_id
        self._name_of[category_id] = name
        self._raw_ids[category_id] = category_id
        entry = {"id": category_id, "name": name}
        supercategory = self._common_supercategory()
        if supercategory is not None:
            entry["supercategory"] = supercategory
        self._entries.append(entry)

    def _common_supercategory(self) -> Any:
        """Returns what all but a root have as supercategory, if that is one thing."""
        found = [e.get("supercategory") for e in self._entries if isinstance(e, dict)]
        found = [value for value in found if isinstance(value, str) and value != "none"]
        return found[0] if found and len(set(found)) == 1 else None


def add_new_classes(
    splits: Mapping[str, SplitClasses], names: Sequence[str], wanted: Mapping[str, int]
) -> None:
    """Lists the classes that some split lacks in all of them, with one id each.

    Training programs number the classes of a split by its list, so the lists stay
    alike.

    Args:
        splits: the classes of each split
        names: the classes that labels have, in the order in which new ones get ids
        wanted: the ids that classes have elsewhere in the dataset
    """
    taken = {i for classes in splits.values() for i in classes.ids}
    known: dict[str, CocoId] = {}
    for classes in splits.values():
        for name, category_id in classes.names.items():
            known.setdefault(name, category_id)
    largest = max((i for i in taken if isinstance(i, int)), default=0)
    for name in names:
        lacking = [c for c in splits.values() if name not in c.names]
        if not lacking:
            continue
        new_id: Any = known.get(name, wanted.get(name))
        if not isinstance(new_id, int) or any(new_id in set(c.ids) for c in lacking):
            largest += 1
            new_id = largest
        largest = max(largest, new_id)
        for classes in lacking:
            classes.add(name, new_id)


def class_name(label: str | None) -> str:
    """Returns the class that a label is written as: without blanks around it.

    Imports leave them out too.
    """
    return (label.strip() if isinstance(label, str) else "") or NO_CATEGORY
