"""Work on a batch while the database is busy with the one before or after it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

_ItemT = TypeVar("_ItemT")


def one_ahead(items: Iterator[_ItemT]) -> Generator[_ItemT, None, None]:
    """Yields items, of which the next one is fetched in a thread meanwhile.

    The database makes the next batch of documents while the last one is worked on.
    """
    end = object()
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(next, items, end)
        while (item := pending.result()) is not end:
            pending = pool.submit(next, items, end)
            yield item  # type: ignore[misc]


class OneBehind:
    """Calls functions in their order in a thread, each while the next is prepared.

    The database takes in a batch of documents while the next one is made. It is a
    context manager, which ends with what is under way.
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._pending: Future[Any] | None = None

    def __enter__(self) -> OneBehind:
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        """Calls a function once the one before has returned; raises what that raised.

        Args:
            function: the function
            *args: what to call it with
        """
        self.wait()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1)
        self._pending = self._pool.submit(function, *args)

    def wait(self) -> Any:
        """Returns what the last function returns; raises what it raises.

        None if there is none, or it was waited for before.
        """
        pending, self._pending = self._pending, None
        return None if pending is None else pending.result()
