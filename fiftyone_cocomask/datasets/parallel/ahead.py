"""Items of an iterator fetched while the ones before are worked on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_ItemT = TypeVar("_ItemT")


def one_ahead(items: Iterator[_ItemT]) -> Iterator[_ItemT]:
    """Yields items, of which the next one is fetched in a thread meanwhile.

    The database makes the next batch of documents while the last one is worked on.
    """
    end = object()
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(next, items, end)
        while (item := pending.result()) is not end:
            pending = pool.submit(next, items, end)
            yield item  # type: ignore[misc]
