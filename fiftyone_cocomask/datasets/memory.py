"""The garbage collector, kept from what slows bulk work down."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def frozen_heap() -> Iterator[None]:
    """Keeps the garbage collector from looking at what is there already.

    Documents are lists of lists of numbers, so making many starts the collector again
    and again, and each time it walks through FiftyOne's own hundreds of thousands of
    objects: half the time of an import. What is made inside is collected as ever.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
