"""The folder of an export: nothing outside of it, and nothing in it overwritten."""

from __future__ import annotations

import filecmp
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from weakref import WeakSet

import fiftyone.core.storage as fos
import psutil

from ...choices import Images
from ...coco.files import UnsafeNameError, checked_name, is_image_name
from ...coco.jsons import ROBOFLOW_JSON
from ...coco.layout import DEFAULT_SPLIT
from ...errors import CocoMaskError
from ...running import has_ended, process_space
from ...unfinished import GroupedWrites, remove_unfinished, whole_file
from ..folders import check_is_inside, safe_name

# Is there while an export is written, so that a stopped one can be done again.
_MARKER = ".unfinished-export"


class ImageUnavailableError(Exception):
    """An image file that cannot be read."""


class ExportFolder:
    """The folder that an export is written to.

    Args:
        output_dir: the folder, made if need be
        sources: folders that exports came from, which are never written to
        files: JSONs that exports were, which are never replaced
        overwrite: whether it may hold an export already, whose JSONs are replaced

    Raises:
        CocoMaskError: if it cannot be written to
    """

    def __init__(
        self,
        output_dir: str | Path,
        sources: list[Path],
        files: list[Path],
        *,
        overwrite: bool,
    ) -> None:
        if (
            not isinstance(output_dir, (str, os.PathLike))
            or not str(output_dir).strip()
        ):
            raise CocoMaskError(f"output_dir must be a folder, not {output_dir!r}")
        self.path = Path(fos.normalize_path(str(output_dir)))
        self._sources = [source.resolve() for source in sources]
        self._files = {file.resolve() for file in files}
        self._folders: dict[Path, Path] = {}
        self._names: set[int] = set()
        self._writes = GroupedWrites()
        self._reading: WeakSet[BinaryIO] = WeakSet()
        self._waiting: set[str] = set()
        self._is_begun = False
        with self.errors():
            is_file = self.path.exists() and not self.path.is_dir()
            is_free = overwrite or is_file or not self.holds_something()
        if is_file:
            raise CocoMaskError(f"output_dir is a file: {self.path}")
        self._refuse_source(self.path.resolve())
        if not is_free:
            raise CocoMaskError(
                f"{self.path} is not empty; give another output_dir, or overwrite=True "
                "to replace the export in it"
            )

    def holds_something(self) -> bool:
        """Whether it holds anything but what an unfinished export left."""
        if not self.path.exists() or (self.path / _MARKER).exists():
            return False
        with os.scandir(self.path) as entries:
            return any(True for _ in entries)

    def begin(self) -> None:
        """Makes the folder.

        Raises:
            CocoMaskError: if it cannot be written to, or another process writes to it
        """
        marker = self.path / _MARKER
        writer = _running_writer(marker)
        if writer is not None:
            raise CocoMaskError(
                f"Process {writer} is writing an export into {self.path}; give another "
                "output_dir, or wait for its end"
            )
        with self.errors():
            os.makedirs(self.path, exist_ok=True)
            own = psutil.Process()
            written = [process_space(), own.pid, own.create_time()]
            with whole_file(marker) as file:
                file.write(json.dumps(written).encode())
        self._is_begun = True
        remove_unfinished(self.path)

    def finish_images(self) -> None:
        """Waits until the images that were put are there.

        Raises:
            CocoMaskError: if one cannot be written
        """
        self._writes.finish()

    def close(self) -> None:
        """Closes the images that were to be copied; nobody is at work any more."""
        for reading in self._reading:
            reading.close()
        if self._is_begun:
            # This process may live on, and another one do the export again.
            with suppress(OSError), whole_file(self.path / _MARKER):
                pass

    def end(self) -> None:
        """Says that the export is complete."""
        self._is_begun = False
        with suppress(OSError):
            (self.path / _MARKER).unlink(missing_ok=True)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns what the disk refuses into one sentence."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise CocoMaskError(
                f"{self.path} cannot be written to: {reason}"
            ) from error

    def folders_of(self, splits: Sequence[str]) -> dict[str, Path]:
        """Returns the folder of each split; the whole where there are no splits."""
        folders: dict[str, Path] = {}
        taken: set[str] = set()
        for split in splits:
            parts = [safe_name(part) for part in re.split(r"[/\\]", split)]
            if list(splits) == [DEFAULT_SPLIT]:
                parts = []
            stem, number = "/".join(parts), 1
            # Names that differ in what folders cannot, or in case, would share one.
            while "/".join(parts).casefold() in taken:
                number += 1
                parts = f"{stem}-{number}".split("/")
            taken.add("/".join(parts).casefold())
            folders[split] = self.path.joinpath(*parts)
            self._refuse_source(folders[split].resolve())
            path = folders[split] / ROBOFLOW_JSON
            if any(_is_one(path.resolve(), file) for file in self._files):
                raise CocoMaskError(
                    f"{path} is what the dataset came from; give another output_dir"
                )
        return folders

    def place_of(self, folder: Path) -> str:
        """Returns where a split's folder is in the export; empty for that itself."""
        place = folder.relative_to(self.path).as_posix()
        return "" if place == "." else place

    def json_of(self, folder: Path) -> Path:
        """Returns the path of a split's JSON, whose folder is there afterwards."""
        return self._made(folder) / ROBOFLOW_JSON

    def other_jsons(self, written: set[Path]) -> list[str]:
        """Returns the JSONs of earlier exports that were not replaced."""
        found = sorted(self.path.rglob(ROBOFLOW_JSON))
        return [str(p.relative_to(self.path)) for p in found if p not in written]

    def name_for(self, folder: Path, wanted: str | None, filepath: str) -> str:
        """Returns the file name of an image in its split's folder; each is given once.

        Args:
            folder: the split's folder
            wanted: its name in the export that it was imported from; kept where it can
                be. Others get a name that no image of any split has, since Roboflow's
                uploader looks for annotations by name
            filepath: the image's file
        """
        name = _usable_name(wanted)
        if (
            name is not None
            and self._is_apart(folder, name)
            and self._take(f"{folder}/{name}")
        ):
            self._take(name.casefold())
            return name
        base = _usable_name(safe_name(os.path.basename(filepath))) or "image.jpg"
        stem, extension = os.path.splitext(base)
        number = 1
        name = base
        while not self._take(name.casefold()):
            number += 1
            name = f"{stem}-{number}{extension}"
        self._take(f"{folder}/{name}")
        return name

    def put(self, source: str, folder: Path, name: str, images: Images) -> str:
        """Copies or links an image file.

        Returns:
            the name that it got: another one where a file with other content is there

        Raises:
            ImageUnavailableError: if it cannot be read
            CocoMaskError: if it cannot be written
        """
        target = folder / name
        with self.errors():
            self._made(target.parent)
        if str(target).casefold() in self._waiting:
            # On some file systems these are one file.
            self._writes.finish()
        while os.path.lexists(target):
            if target.is_file() and _is_same(source, target):
                return name
            name = self.name_for(folder, None, name)
            target = folder / name
        if images == "link":
            with suppress(OSError):
                os.link(os.path.realpath(source), target)
                return name
        self._copy(source, target)
        return name

    def _copy(self, source: str, target: Path) -> None:
        try:
            reading = open(source, "rb")  # noqa: SIM115
        except OSError as error:
            raise ImageUnavailableError(error.strerror or str(error)) from error
        self._reading.add(reading)

        def copy(writing: BinaryIO) -> None:
            with reading:
                shutil.copyfileobj(reading, writing, 2**20)

        waiting = str(target).casefold()

        def done(error: Exception | None) -> None:
            self._waiting.discard(waiting)
            if error is not None:
                with self.errors():
                    raise error

        self._waiting.add(waiting)
        self._writes.add(target, copy, done)

    def _made(self, folder: Path) -> Path:
        """Makes a folder of the export; one that a link leads out of it is refused."""
        if folder not in self._folders:
            folder.mkdir(parents=True, exist_ok=True)
            check_is_inside(folder, self.path)
            real = folder.resolve()
            self._refuse_source(real)
            self._folders[folder] = real
        return folder

    def _refuse_source(self, real: Path) -> None:
        for source in self._sources:
            if any(_is_one(folder, source) for folder in (real, *real.parents)):
                raise CocoMaskError(
                    f"{real} is in the folder that the export came from, {source}; "
                    "give another output_dir"
                )

    def _is_apart(self, folder: Path, name: str) -> bool:
        """Whether no folder of a name is an image, and the name is no such folder.

        Names of which the files lie elsewhere can be so.
        """
        own = checked_name(name)
        folders = [own[:end] for end, sign in enumerate(own) if sign == "/"]
        if hash(f"{folder}/{own}/") in self._names or any(
            hash(f"{folder}/{part}") in self._names for part in folders
        ):
            return False
        for part in folders:
            self._take(f"{folder}/{part}/")
        return True

    def _take(self, name: str) -> bool:
        """Takes a name, if it is free. Hashes are kept: names would take far more."""
        key = hash(name)
        if key in self._names:
            return False
        self._names.add(key)
        return True


def _running_writer(marker: Path) -> int | None:
    """Returns the other process that an unfinished export is of, while it runs."""
    try:
        space, number, started = json.loads(marker.read_text())
    except (OSError, ValueError, TypeError):
        return None
    if type(number) is not int or number == os.getpid() or space != process_space():
        return None
    return None if has_ended(number, started) else number


def _is_one(path: Path, other: Path) -> bool:
    """Whether two paths are of one file, also by names that differ in case."""
    if path == other:
        return True
    with suppress(OSError):
        return os.path.samefile(path, other)
    return False


def _usable_name(name: str | None) -> str | None:
    """Returns a name that an image of an export can have as it is; else None."""
    if not isinstance(name, str):
        return None
    try:
        checked = checked_name(name)
    except UnsafeNameError:
        return None
    *_, last = parts = checked.split("/")
    is_own = any(
        part.startswith(".writing-") or part in (_MARKER, ROBOFLOW_JSON)
        for part in parts
    )
    if checked != name.removeprefix("./") or is_own or not is_image_name(last):
        return None
    if os.path.splitext(ROBOFLOW_JSON)[0].casefold() == (
        os.path.splitext(last)[0].casefold()
    ):
        # Roboflow's uploader would take the JSON for this image's own.
        return None
    return name


def _is_same(source: str, target: Path) -> bool:
    try:
        return filecmp.cmp(source, target, shallow=False)
    except OSError as error:
        raise ImageUnavailableError(error.strerror or str(error)) from error
