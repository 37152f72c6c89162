"""The files of an export in a zip: read in place, or unpacked one by one."""

from __future__ import annotations

import os
import stat
import threading
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from io import BytesIO
from itertools import count
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO, NamedTuple

from ..errors import ExportError
from ..words import shortened
from .files import MAX_DEPTH, UnsafeNameError, checked_name, is_junk
from .fingerprints import fingerprint
from .unpacking import is_file, is_written, write_file
from .zip_members import member_pieces

# Deflate packs at most 1,032 to 1; JSON packs to some 50 to 1, images hardly at all.
MAX_RATIO = 200
# Below this, a ratio says nothing and no harm is done.
_HARMLESS_BYTES = 2**26
MAX_FILES = 2_000_000
# The flag of a name that is said to be in UTF-8.
_UTF_8 = 0x800

# Returns by which fingerprints a file is known; None of one that is not.
KnownMarks = Callable[[Path], Collection[str] | None]


class Unpacked(NamedTuple):
    """A file of a zip that was unpacked.

    Attributes:
        path: its path
        mark: its fingerprint in the zip, where somebody has edited it since
    """

    path: Path
    mark: str | None = None


class ZipFiles:
    """The files in a zip.

    Args:
        path: the zip

    Attributes:
        root: the zip's path, absolute and without links
        names: the names of the files in it, relative and with ``/``; systems' own
            files are not among them
        refused_links: always empty: a zip with links is refused
        known_marks: says of a file where another one would be unpacked to whether it
            has to stay, and by which fingerprints it is known

    Raises:
        ExportError: if it is not a zip that can be read, or one that could do harm:
            with names that lead elsewhere, links, or the size of a bomb
    """

    def __init__(self, path: Path) -> None:
        self.root = Path(os.path.realpath(path))
        self.refused_links: set[str] = set()
        self.known_marks: KnownMarks = _knows_nothing
        try:
            self._archive = zipfile.ZipFile(self.root)
        except OSError as error:
            reason = error.strerror or error
            raise ExportError(f"{path} cannot be read: {reason}") from error
        except Exception as error:  # zipfile raises whatever broken bytes cause
            raise ExportError(f"{path} is not a readable zip: {error}") from error
        self._process = os.getpid()
        self._reopening = threading.Lock()
        try:
            self._members = self._checked_members()
        except ExportError:
            self.close()
            raise
        self.names = frozenset(name for name in self._members if not _is_junk(name))

    def __contains__(self, name: str) -> bool:
        """Whether there is a file of this name, which need not be in ``names``."""
        return name in self._members

    def path(self, name: str) -> str:
        """Returns a path that names a file in the zip; no such file exists."""
        return f"{self.root}/{name}"

    def open(self, name: str) -> IO[bytes]:
        """Returns a file for reading, after a check of its checksum.

        Raises:
            OSError: if its data is broken
        """
        return BytesIO(self.read(name))

    def on_disk(self, name: str) -> IO[bytes]:
        """Returns a file for reading that is unpacked, and gone when it is closed.

        Raises:
            OSError: if its data is broken, or there is no room for it
        """
        with ExitStack() as stack:
            file = stack.enter_context(TemporaryFile())
            for piece in member_pieces(self._zip, self._members[name]):
                file.write(piece)
            file.flush()
            stack.pop_all()
        return file

    def read(self, name: str) -> bytes:
        """Returns what is in a file.

        Raises:
            OSError: if its data is broken
        """
        return b"".join(member_pieces(self._zip, self._members[name]))

    def size(self, name: str) -> int:
        """Returns the unpacked size of a file in bytes."""
        return self._members[name].file_size

    def sample(self, name: str) -> int:
        """Returns what differs for most files of one size: the checksum."""
        return self._members[name].CRC

    def unpack(self, name: str, folder: Path) -> Unpacked:
        """Unpacks one file, unless it is there already.

        The file appears whole or not at all, and never in the place of a known one. If
        a known one was this file and somebody has edited it since, the edited one is
        used; otherwise this file gets another name.

        Args:
            name: the file's name
            folder: the folder to unpack below

        Raises:
            OSError: if its data is broken or it cannot be written
        """
        member = self._members[name]
        mark: str | None = None
        free: str | None = None
        for other in _names_for(name, member.CRC):
            there = folder / other
            if is_written(there, member.file_size, member.CRC):
                return Unpacked(there)
            marks = self.known_marks(there) if is_file(there) else None
            if marks is None:
                free = free or other
                # Under its own name there may be another file than the last time.
                if other != name:
                    break
            elif marks:
                mark = mark or fingerprint(self.open(name), member.file_size)
                if mark in marks:
                    return Unpacked(there, mark)
        assert free is not None
        pieces = member_pieces(self._zip, member)
        return Unpacked(write_file(folder, free, pieces))

    def close(self) -> None:
        """Closes the zip."""
        self._archive.close()

    @property
    def _zip(self) -> zipfile.ZipFile:
        """The open zip, of this process: forked ones share the place in a file."""
        with self._reopening:
            if self._process != os.getpid():
                self._archive = zipfile.ZipFile(self.root)
                self._process = os.getpid()
        return self._archive

    def _checked_members(self) -> dict[str, zipfile.ZipInfo]:
        infos = self._zip.infolist()
        if len(infos) > MAX_FILES:
            raise self._refused(f"it lists {len(infos):,} files")
        self._check_sizes(infos)
        members: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            name = self._checked_member_name(info)
            if info.is_dir():
                continue
            if name in members and not _is_junk(name):
                raise self._refused(f"it holds '{shortened(name)}' twice")
            members[name] = info
        return members

    def _check_sizes(self, infos: list[zipfile.ZipInfo]) -> None:
        packed = sum(info.compress_size for info in infos)
        if packed > os.path.getsize(self.root):
            raise self._refused("its files overlap, as in a zip bomb")
        unpacked = sum(info.file_size for info in infos)
        largest = max(infos, key=lambda info: info.file_size, default=None)
        if unpacked > max(MAX_RATIO * packed, _HARMLESS_BYTES) and largest is not None:
            raise self._refused(
                f"it would unpack to {unpacked:,} bytes from {packed:,}, as a zip bomb "
                f"does; its largest file is '{shortened(largest.filename)}'"
            )

    def _checked_member_name(self, info: zipfile.ZipInfo) -> str:
        # A link's type is in the upper half of its attributes, as on Unix.
        mode = info.external_attr >> 16
        short = shortened(info.filename)
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise self._refused(f"it holds a link or device, '{short}'")
        if info.flag_bits & 0x1:
            raise self._refused(f"'{short}' in it is encrypted")
        if info.filename.count("/") > MAX_DEPTH:
            raise self._refused(f"'{short}' is more than {MAX_DEPTH} folders deep")
        try:
            return checked_name(_member_name(info))
        except UnsafeNameError as error:
            raise self._refused(
                f"the name '{short}' in it is unsafe: {error}"
            ) from None

    def _refused(self, reason: str) -> ExportError:
        return ExportError(f"{self.root} is refused: {reason}")


def _member_name(info: zipfile.ZipInfo) -> str:
    """Returns a file's name, also where it is in UTF-8 and the zip does not say so.

    macOS writes names like that, which Python reads in the encoding of MS-DOS.
    """
    name = info.filename
    if name.isascii() or info.flag_bits & _UTF_8:
        return name
    try:
        return name.encode("cp437").decode()
    except UnicodeError:
        return name


def _is_junk(name: str) -> bool:
    return any(map(is_junk, name.split("/")))


def _names_for(name: str, checksum: int) -> Iterator[str]:
    """Yields the names that a file may get: its own, then others beside that."""
    yield name
    path = PurePosixPath(name)
    for number in count():
        more = f"-{number}" if number else ""
        yield str(path.with_name(f"{path.stem}-{checksum:08x}{more}{path.suffix}"))


def _knows_nothing(path: Path) -> None:
    return None
