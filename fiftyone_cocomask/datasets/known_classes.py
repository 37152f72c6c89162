"""The classes that a caller may name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import fiftyone as fo

from ..errors import CocoMaskError
from .label_lists import LabelList

# A message lists at most this many classes.
_MAX_SHOWN = 20


def known_classes(dataset: fo.Dataset, found: Iterable[str]) -> list[str]:
    """Returns the classes that labels have, and those that the dataset lists."""
    listed = [str(name) for name in (dataset.default_mask_targets or {}).values()]
    return list(dict.fromkeys([*found, *dataset.default_classes, *listed]))


def check_classes(
    argument: str, classes: Sequence[str], names: list[str], label_field: str
) -> None:
    """Checks that there are classes of some names: a mistyped one does nothing.

    Raises:
        CocoMaskError: if there is no such class
    """
    unknown = [name for name in classes if name not in names]
    if classes and not unknown:
        return
    shown = ", ".join(names[:_MAX_SHOWN])
    more = f" and {len(names) - _MAX_SHOWN:,} more" if len(names) > _MAX_SHOWN else ""
    has = f"'{label_field}' has {shown or 'no classes'}{more}"
    if not classes:
        raise CocoMaskError(f"{argument} names no class; {has}")
    raise CocoMaskError(f"{argument} has no class {unknown[0]!r}; {has}")


def check_label_classes(
    dataset: fo.Dataset, labels: LabelList, argument: str, classes: Sequence[str]
) -> None:
    """Checks that labels have, or the dataset lists, the classes that are named.

    Raises:
        CocoMaskError: if there is no such class
    """
    if classes:
        names = known_classes(dataset, dataset.distinct(f"{labels.path}.label"))
        check_classes(argument, classes, names, labels.field)
