"""Work of several processes, in order, with few batches in memory."""

from __future__ import annotations

import multiprocessing
import os
import random
import runpy
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_PACKAGE = __name__.rsplit(".", 3)[0]
_PACKAGE_DIR = Path(__file__).resolve().parents[2]
_BATCHES_PER_WORKER = 4

# Forked processes have what the one has that starts them; others get it pickled.
CAN_FORK = "fork" in multiprocessing.get_all_start_methods()


def num_cores() -> int:
    """Returns the number of cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_in_processes(
    function: Callable[[Item], Result], items: Iterable[Item], num_workers: int
) -> Generator[Result, None, None]:
    """Yields the results of a function for each item, in the items' order.

    Close it if it may not be read to its end: that ends the processes.

    Args:
        function: a function that can be pickled
        items: read only as far ahead as keeps the processes busy
        num_workers: the number of processes; below 2, this one does the work
    """
    if num_workers < 2:
        yield from map(function, items)
        return
    waiting: deque[Future[Result]] = deque()
    with _pool(num_workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= _BATCHES_PER_WORKER * num_workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            # After an error or Ctrl-C: end with what is under way.
            pool.shutdown(cancel_futures=True)


def _pool(num_workers: int) -> ProcessPoolExecutor:
    """Returns a pool whose processes know this package under its present name.

    FiftyOne loads plugins under a name that no import finds. A forked process has it
    already; a spawned one is told where it is.
    """
    if CAN_FORK:
        return ProcessPoolExecutor(
            num_workers,
            mp_context=multiprocessing.get_context("fork"),
            initializer=prepare_worker,
        )
    names: dict[str, Any] = {"package": _PACKAGE, "folder": str(_PACKAGE_DIR)}
    return ProcessPoolExecutor(
        num_workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=runpy.run_path,
        initargs=(str(Path(__file__).with_name("spawned.py")), names),
    )


def prepare_worker() -> None:
    """Leaves Ctrl-C to the process that started this one, and ends with that.

    A worker waits for work on a pipe that other workers hold open too: it would wait
    for ever once the process that gives the work was killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Forked processes would draw the same numbers.
    random.seed()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: Any) -> None:
    parent.join()
    os._exit(1)
