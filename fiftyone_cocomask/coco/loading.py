"""The file of an image: found, unpacked if need be, its header read."""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..errors import ExportError
from .files import UnsafeNameError
from .fingerprints import fingerprint
from .image_finder import FoundImage, ImageFinder, ImageMissingError
from .images import ImageFileError, ImageHeader, ImageTooLargeError, read_header
from .issues import IssueCode
from .zips import ZipFiles

_ItemT = TypeVar("_ItemT")
_ResultT = TypeVar("_ResultT")

# Errors caused by the folder to unpack to, not by the file.
_FOLDER_ERRORS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}
)


@dataclass(frozen=True, slots=True)
class LoadedImage:
    """An image file that was found and whose header was read.

    Attributes:
        name: the file's name in the export
        path: its path; in a zip that was not unpacked, what it would be
        found: how it was found
        header: its header
        fingerprint: tells the file from others, if that was asked for
    """

    name: str
    path: Path
    found: FoundImage
    header: ImageHeader
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class UnusableImage:
    """Why an image cannot become a sample.

    Attributes:
        code: the kind of reason
        reason: the reason, as the end of a sentence
        name: the file's name in the export, if it was found
    """

    code: IssueCode
    reason: str
    name: str | None = None


def load_image(
    finder: ImageFinder,
    file_name: str,
    unpack_to: Path | None,
    wants_fingerprint: bool = False,
) -> LoadedImage | UnusableImage:
    """Finds the file that a JSON names and reads its header.

    Args:
        finder: finds the files of the split
        file_name: the name in the JSON
        unpack_to: the folder to unpack a zip's files to; None reads them in place
        wants_fingerprint: whether to tell the file from others of its name

    Raises:
        ExportError: if that folder cannot be written to
    """
    try:
        found = finder.find(file_name)
    except UnsafeNameError as error:
        return UnusableImage(
            IssueCode.FILE_NAME_UNSAFE, f"its name is refused: {error}"
        )
    except ImageMissingError as error:
        return UnusableImage(IssueCode.IMAGE_MISSING, str(error))
    files, name = finder.files, found.name
    try:
        if unpack_to is not None and isinstance(files, ZipFiles):
            # An image that was edited since it was unpacked has the original's mark.
            path, mark = files.unpack(name, unpack_to)
            is_unpacked = True
        else:
            path, mark, is_unpacked = Path(files.path(name)), None, False
        with open(path, "rb") if is_unpacked else files.open(name) as file:
            header = read_header(file)
            if wants_fingerprint and mark is None:
                mark = fingerprint(file, header.size_bytes)
    except ImageTooLargeError as error:
        return UnusableImage(IssueCode.IMAGE_TOO_LARGE, str(error), name)
    except ImageFileError as error:
        return UnusableImage(IssueCode.IMAGE_UNREADABLE, str(error), name)
    except OSError as error:
        reason = error.strerror or str(error)
        if unpack_to is not None and isinstance(files, ZipFiles):
            if error.errno in _FOLDER_ERRORS or not unpack_to.is_dir():
                raise ExportError(
                    f"{files.root} cannot be unpacked to {unpack_to}: {reason}"
                ) from error
            if error.errno is not None:
                reason = f"it cannot be unpacked to {unpack_to}: {reason}"
        return UnusableImage(IssueCode.IMAGE_UNREADABLE, reason, name)
    return LoadedImage(name, path, found, header, mark)


def mapped(
    function: Callable[[_ItemT], _ResultT],
    items: Iterable[_ItemT],
    num_workers: int,
) -> Iterator[_ResultT]:
    """Yields the results of a function in order, computed a little ahead in threads.

    Args:
        function: the function
        items: what to call it with
        num_workers: the number of threads; 1 computes in turn
    """
    if num_workers < 2:
        yield from map(function, items)
        return
    pending: deque[Future[_ResultT]] = deque()
    with ThreadPoolExecutor(num_workers) as pool:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > 4 * num_workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
