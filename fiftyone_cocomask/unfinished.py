"""Files that are there whole or not at all, and removal of what kills left of them."""

from __future__ import annotations

import filecmp
import itertools
import os
import re
import secrets
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from .running import has_ended, process_space

_NAME = re.compile(r"\.writing-([0-9a-f]{8})-(\d+)-[0-9a-f]{16}(-[a-z]+)?")
# Names of version 0.1, which do not tell whose they are.
_OLD_NAME = re.compile(r"\.writing-[0-9a-f]{16}(-[a-z]+)?")
# Nobody writes one file for longer: what is older was left by a run that ended.
_MAX_SECONDS = 24 * 3600
# So many files are open at once. A disk takes all of them in the time of a few.
_GROUP = 64
# Not every system has it.
_ADVISE = getattr(os, "posix_fadvise", None)


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


class GroupedWrites:
    """Writes files as :func:`whole_file` does, but waits for many of them together.

    All files of a group are written, then the disk is told to begin with each, and
    then each is waited for: the first one brings the others along, since a file system
    commits them together. Threads that write and wait take four times the CPU.

    Leaving its ``with`` block writes what is left.
    """

    def __init__(self) -> None:
        self._waiting: list[_GroupedFile] = []

    def add(
        self,
        path: str | Path,
        fill: Callable[[BinaryIO], Any],
        done: Callable[[Exception | None], Any],
    ) -> None:
        """Has a file written, with others.

        Args:
            path: the file; its folder is made if need be
            fill: writes the content
            done: called afterwards, in the order of the calls, with None or with what
                kept the file from being written
        """
        self._waiting.append(_GroupedFile(str(path), fill, done))
        if len(self._waiting) >= _GROUP:
            self.finish()

    def finish(self) -> None:
        """Writes all that was added, and waits for it."""
        files, self._waiting = self._waiting, []
        try:
            for step in _GroupedFile.STEPS:
                for file in files:
                    file.take(step)
        except BaseException:
            for file in files:
                file.remove()
            raise
        for file in files:
            file.done(file.error)

    def __enter__(self) -> GroupedWrites:
        return self

    def __exit__(
        self, kind: Any, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.finish()


class _GroupedFile:
    """A file of a group.

    Attributes:
        done: see :meth:`GroupedWrites.add`
        error: what kept it from being written
    """

    def __init__(
        self,
        path: str,
        fill: Callable[[BinaryIO], Any],
        done: Callable[[Exception | None], Any],
    ) -> None:
        self.done = done
        self.error: Exception | None = None
        self._path = path
        self._fill = fill
        self._unfinished = os.path.join(os.path.dirname(path), unfinished_name())

    def take(self, step: Callable[[_GroupedFile], None]) -> None:
        """Takes one of the steps, unless one before it has failed."""
        if self.error is not None:
            return
        try:
            step(self)
        except Exception as error:
            self.error = error
            self.remove()

    def remove(self) -> None:
        """Leaves nothing of a file that has no name yet."""
        if hasattr(self, "_file"):
            with suppress(OSError):
                self._file.close()
            with suppress(OSError):
                os.remove(self._unfinished)

    def _write(self) -> None:
        try:
            self._file = open(self._unfinished, "xb")  # noqa: SIM115
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            self._file = open(self._unfinished, "xb")  # noqa: SIM115
        self._fill(self._file)
        self._file.flush()

    def _push(self) -> None:
        # What is not needed in memory goes to the disk at once.
        if _ADVISE is not None:
            _ADVISE(self._file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def _wait(self) -> None:
        os.fsync(self._file.fileno())
        self._file.close()

    def _place(self) -> None:
        os.replace(self._unfinished, self._path)

    STEPS = (_write, _push, _wait, _place)


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


@cache
def _space() -> str:
    return f"{zlib.crc32(process_space().encode()):08x}"
