"""The files of an export, in a folder or a zip: by name, and never outside of it.

Names in a JSON or a zip come from strangers: absolute ones, ones with ``..`` and links
that lead out of the export are refused.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ..errors import ExportError

IMAGE_EXTENSIONS = frozenset(
    {
        "jpg",
        "jpeg",
        "jpe",
        "jfif",
        "png",
        "bmp",
        "dib",
        "gif",
        "tif",
        "tiff",
        "webp",
        "avif",
        "heic",
        "heif",
        "jp2",
        "j2k",
        "ppm",
        "pgm",
        "pbm",
    }
)

_SAMPLE = 4096
# No export has folders this deep in each other, and Python walks a thousand at most.
MAX_DEPTH = 200
# On Windows, a name that begins with a drive's letter leads out of the folder;
# elsewhere, `t:1.png` is an ordinary file name.
_DRIVE = re.compile(r"[A-Za-z]:" if os.name == "nt" else r"[A-Za-z]:([/\\]|$)")


class UnsafeNameError(ValueError):
    """A name that leads, or could lead, out of the export; the message says how."""


class LinkLeadsOutError(UnsafeNameError):
    """A link that leads out of the export."""


class FolderFiles:
    """The files below a folder.

    Args:
        root: the folder

    Attributes:
        root: the folder, absolute and without links
        names: the names of all files below it, relative and with ``/``; systems' own
            files and links that lead out of the folder are not among them
        refused_links: the names of the links that lead out of the folder

    Raises:
        ExportError: if the folder cannot be read, or its folders are too deep
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        self.refused_links: set[str] = set()
        try:
            self.names = frozenset(self._walk(str(self.root), ""))
        except OSError as error:
            place = error.filename or root
            raise ExportError(f"{place} cannot be read: {error.strerror}") from error

    def __contains__(self, name: str) -> bool:
        """Whether there is a file of this name, which need not be in ``names``."""
        if name in self.names:
            return True
        path = self.path(name)
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                return False
        except (OSError, ValueError):
            return False
        if not self._is_inside(path):
            raise LinkLeadsOutError("it is a link that leads out of the export")
        return True

    def path(self, name: str) -> str:
        """Returns the path of a file."""
        return f"{self.root}/{name}"

    def open(self, name: str) -> IO[bytes]:
        """Opens a file for reading."""
        return open(self.path(name), "rb")

    def on_disk(self, name: str) -> IO[bytes]:
        """Opens a file for reading, which is one of the operating system's."""
        return self.open(name)

    def read(self, name: str) -> bytes:
        """Returns what is in a file."""
        with self.open(name) as file:
            return file.read()

    def size(self, name: str) -> int:
        """Returns the size of a file in bytes."""
        return os.stat(self.path(name)).st_size

    def sample(self, name: str) -> bytes:
        """Returns what differs for most files of one size: bytes of their middle."""
        with self.open(name) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _SAMPLE) // 2)
            return file.read(_SAMPLE)

    def close(self) -> None:
        """Does nothing: files are opened one by one."""

    def _walk(self, folder: str, prefix: str) -> Iterator[str]:
        if prefix.count("/") > MAX_DEPTH:
            raise ExportError(
                f"{self.root} has folders more than {MAX_DEPTH} deep; it is not an "
                "export"
            )
        subfolders = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_junk(entry.name) or not _is_text(entry.name):
                    continue
                name = prefix + entry.name
                if entry.is_symlink():
                    if not self._is_inside(entry.path):
                        self.refused_links.add(name)
                    elif os.path.isfile(entry.path):
                        yield name
                elif entry.is_dir():
                    subfolders.append((entry.path, f"{name}/"))
                elif entry.is_file():
                    yield name
        for path, subprefix in sorted(subfolders):
            yield from self._walk(path, subprefix)

    def _is_inside(self, path: str) -> bool:
        real = os.path.realpath(path)
        return os.path.commonpath([real, self.root]) == str(self.root)


def is_junk(name: str) -> bool:
    """Whether a file or folder is a system's own: macOS' doubles, hidden files."""
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def _is_text(name: str) -> bool:
    """Whether a name is text; on Linux it may be any bytes, which no JSON can name."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_image_name(name: str) -> bool:
    """Whether a file's name says that it is an image."""
    return name.rpartition(".")[2].lower() in IMAGE_EXTENSIONS


def checked_name(name: str) -> str:
    """Returns a relative name with ``/`` and without ``.`` parts.

    Raises:
        UnsafeNameError: if it is absolute, climbs with ``..`` or is not a file name
    """
    if not name.strip() or "\0" in name:
        raise UnsafeNameError("it is not a file name")
    parts = re.split(r"[/\\]", name) if ("/" in name or "\\" in name) else [name]
    if parts[0] == "" or _DRIVE.match(name):
        raise UnsafeNameError("it is absolute")
    if ".." in parts:
        raise UnsafeNameError("it climbs out of its folder with '..'")
    if len(parts) == 1 and name != ".":
        return name
    safe = "/".join(part for part in parts if part not in ("", "."))
    if not safe:
        raise UnsafeNameError("it is not a file name")
    if _DRIVE.match(safe):
        raise UnsafeNameError("it is absolute")
    return safe
