"""The garbage collector, kept from what slows bulk work down."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

# A batch of documents is tens of thousands of lists, of which none is garbage.
_RARE = (100_000, 10, 10)

# The collector's thresholds before each of those that are inside, of all threads.
_before: list[tuple[int, int, int]] = []
_lock = Lock()


@contextmanager
def frozen_heap() -> Iterator[None]:
    """Keeps the garbage collector from looking at what is there already.

    Documents are lists of lists of numbers, so making many starts the collector again
    and again, and each time it walks through FiftyOne's own hundreds of thousands of
    objects, and now and then through all that an import keeps of each image. What is
    made inside is still collected, but less often.

    Without it an import takes 1.45 times the CPU, an export 1.7, masks 1.05 to 1.3, the
    search for issues 1.2, and an evaluation 1.1, or 1.8 where one walk through all
    objects falls into it. A comparison of exports, at 1.05, does without.
    """
    with _lock:
        if not _before:
            gc.freeze()
        _before.append(gc.get_threshold())
        gc.set_threshold(*_RARE)
    try:
        yield
    finally:
        with _lock:
            before = _before.pop()
            if not _before:
                # The last one that ends: this is what the first one has seen.
                gc.set_threshold(*before)
                gc.unfreeze()
