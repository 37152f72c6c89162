"""Ctrl-C where Python's own way falls short: while FiftyOne loads, and at the end."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

INTERRUPTED = 130


@contextmanager
def ended_while_loading(say: Callable[[], None]) -> Iterator[None]:
    """Ends the process at once on a Ctrl-C while FiftyOne is being loaded.

    FiftyOne tries what it can import, takes a ``KeyboardInterrupt`` then for a package
    that is not there, and goes on. No command has written anything by then.

    Args:
        say: tells the person what is kept
    """

    def handle(number: int, frame: Any) -> None:
        if _is_fiftyone_loading():
            # FiftyOne may be writing to stderr at this very moment.
            with suppress(RuntimeError):
                say()
            os._exit(INTERRUPTED)
        signal.default_int_handler(number, frame)

    if not _may_handle():
        yield
        return
    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def end_at_once_with(code: int) -> None:
    """Makes a Ctrl-C end the process, without a word, from now on.

    A command is done then, and what Python and libraries do at exit would only answer
    with where they were.
    """
    if _may_handle():
        signal.signal(signal.SIGINT, lambda *_: os._exit(code))


def _may_handle() -> bool:
    """Whether Ctrl-C is for Python, as by default, and this thread may change that."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _is_fiftyone_loading() -> bool:
    fiftyone = sys.modules.get("fiftyone")
    # Its public names are there all at once, at the end.
    return fiftyone is not None and not hasattr(fiftyone, "load_dataset")
