"""Files that are unpacked: there whole or not at all, and only where they belong."""

from __future__ import annotations

import errno
import os
import stat
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..unfinished import whole_file


def write_file(folder: Path, name: str, pieces: Iterable[bytes]) -> Path:
    """Writes a file below a folder so that it is there whole or not at all.

    Several processes may write the same file: each writes its own and puts it into the
    place. Links in the way are not followed.

    Args:
        folder: the folder, made if need be
        name: the file's name, with ``/``
        pieces: what to write

    Returns:
        the file's path

    Raises:
        OSError: if it cannot be written
    """
    _make_folders(folder, name.split("/")[:-1])
    target = folder / name
    with whole_file(target) as file:
        for piece in pieces:
            file.write(piece)
    return target


def is_file(path: Path) -> bool:
    """Whether a file is there, and not a link to one."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def is_written(path: Path, size: int, checksum: int) -> bool:
    """Whether a file of a size and a CRC-32 is there, and not a link to one."""
    try:
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode) or found.st_size != size:
            return False
        own = 0
        with open(path, "rb") as file:
            while piece := file.read(2**20):
                own = zlib.crc32(piece, own)
    except OSError:
        return False
    return own == checksum


def _make_folders(folder: Path, parts: list[str]) -> Path:
    """Makes a folder and those in it; none of these may be a link."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        folder = folder / part
        with suppress(FileExistsError):
            os.mkdir(folder)
        mode = os.lstat(folder).st_mode
        if stat.S_ISLNK(mode):
            raise OSError(errno.ELOOP, "a link is in the way", str(folder))
        if not stat.S_ISDIR(mode):
            raise OSError(errno.ENOTDIR, "a file is in the way", str(folder))
    return folder
