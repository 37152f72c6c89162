"""Files that are there whole or not at all, and removal of what kills left of them."""

from __future__ import annotations

import filecmp
import itertools
import os
import re
import secrets
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from .running import has_ended, process_space

_NAME = re.compile(r"\.writing-([0-9a-f]{8})-(\d+)-[0-9a-f]{16}(-[a-z]+)?")
# Names of version 0.1, which do not tell whose they are.
_OLD_NAME = re.compile(r"\.writing-[0-9a-f]{16}(-[a-z]+)?")
# Nobody writes one file for longer: what is older was left by a run that ended.
_MAX_SECONDS = 24 * 3600
# A disk takes several files in the time of one.
_THREADS = 8
_MAX_WAITING = 4 * _THREADS


def unfinished_name() -> str:
    """Returns a name for a file until it is whole, which no other run has."""
    return f".writing-{_space()}-{os.getpid()}-{secrets.token_hex(8)}"


@contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """Opens a file to write; it has its name once all of it is on disk.

    Several processes may write the same file: each writes its own and puts it into the
    place. A power cut leaves the whole file too, or what was there before.

    Args:
        path: the file, in a folder that is there; a present one is replaced

    Raises:
        OSError: if it cannot be written; what was there before is as it was then
    """
    unfinished = os.path.join(os.path.dirname(path), unfinished_name())
    try:
        with open(unfinished, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            os.remove(unfinished)
        raise


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Opens a file to write as :func:`whole_file` does, but replaces none.

    Where a file of other content has the name, this one gets a number behind it.

    Args:
        path: the file, in a folder that is there

    Raises:
        OSError: if it cannot be written
    """
    unfinished = path.with_name(unfinished_name())
    try:
        with open(unfinished, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        for number in itertools.count(1):
            end = f"-{number}" if number > 1 else ""
            if _take_place(
                unfinished, path.with_name(f"{path.stem}{end}{path.suffix}")
            ):
                return
    finally:
        with suppress(OSError):
            os.remove(unfinished)


def _take_place(unfinished: Path, path: Path) -> bool:
    """Gives a file its name; returns whether that has its content now."""
    try:
        os.link(unfinished, path)
    except FileExistsError:
        return path.is_file() and filecmp.cmp(unfinished, path, shallow=False)
    except OSError:  # The file system has no links.
        if path.exists():
            return path.is_file() and filecmp.cmp(unfinished, path, shallow=False)
        os.replace(unfinished, path)
    return True


class WritesAhead:
    """Writes files in threads: most of the time goes by waiting for the disk.

    Leaving its ``with`` block waits for all of them.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS)
        self._waiting: deque[tuple[Future[None], Callable[[Future[None]], None]]]
        self._waiting = deque()

    def add(
        self, write: Callable[[], None], done: Callable[[Future[None]], None]
    ) -> None:
        """Has a file written.

        Args:
            write: writes it, in a thread
            done: called afterwards, in this thread and in the order of the calls, with
                what became of it
        """
        self._waiting.append((self._pool.submit(write), done))
        if len(self._waiting) > _MAX_WAITING:
            self._finish_one()

    def finish(self) -> None:
        """Waits until all that was added is written."""
        while self._waiting:
            self._finish_one()

    def close(self) -> None:
        """Waits for what is being written, and leaves the rest."""
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> WritesAhead:
        return self

    def __exit__(
        self, kind: Any, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.finish()
        finally:
            self.close()

    def _finish_one(self) -> None:
        future, done = self._waiting.popleft()
        with suppress(Exception):
            future.result()
        done(future)


def remove_unfinished(folder: str | Path, *, below: bool = True) -> None:
    """Removes what runs that were killed left in a folder.

    What another run is writing at this moment stays.

    Args:
        folder: the folder; it need not be there
        below: whether to look into its folders too
    """
    for place, folders, names in os.walk(folder):
        for name in names:
            if name.startswith(".writing-") and _is_left(place, name):
                with suppress(OSError):
                    os.remove(os.path.join(place, name))
        if not below:
            folders.clear()


def _is_left(place: str, name: str) -> bool:
    match = _NAME.fullmatch(name)
    if match is None and not _OLD_NAME.fullmatch(name):
        return False
    try:
        age = time.time() - os.lstat(os.path.join(place, name)).st_mtime
    except OSError:
        return False
    if age > _MAX_SECONDS:
        return True
    return match is not None and match[1] == _space() and has_ended(int(match[2]))


def _space() -> str:
    return f"{zlib.crc32(process_space().encode()):08x}"
