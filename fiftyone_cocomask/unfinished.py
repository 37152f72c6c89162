"""Names of files that are being written, and removal of those that kills left."""

from __future__ import annotations

import os
import platform
import re
import secrets
import sys
import time
import zlib
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(r"\.writing-([0-9a-f]{8})-(\d+)-[0-9a-f]{16}(-[a-z]+)?")
# Names of version 0.1, which do not tell whose they are.
_OLD_NAME = re.compile(r"\.writing-[0-9a-f]{16}(-[a-z]+)?")
# Nobody writes one file for longer: what is older was left by a run that ended.
_MAX_SECONDS = 24 * 3600


def unfinished_name() -> str:
    """Returns a name for a file until it is whole, which no other run has."""
    return f".writing-{_host()}-{os.getpid()}-{secrets.token_hex(8)}"


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
    # On Windows there is no way to ask for a process without ending it.
    if match is None or match[1] != _host() or sys.platform == "win32":
        return False
    try:
        os.kill(int(match[2]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _host() -> str:
    return f"{zlib.crc32(platform.node().encode()):08x}"
