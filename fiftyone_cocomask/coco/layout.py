"""Which files of an export are its JSONs, what splits they are, where images lie."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ExportError
from .files import FolderFiles
from .formats import describe_other_folder
from .image_finder import SPLIT_NAMES, Files, ImageFinder
from .words import printable
from .zips import ZipFiles

ROBOFLOW_JSON = "_annotations.coco.json"
DEFAULT_SPLIT = "default"
_MAX_README = 2**20
# So many JSONs that might be COCO's are tried.
_MAX_GUESSES = 20
_ANNOTATION_FOLDERS = frozenset({"annotations", "annotation", "labels"})
# What the names of COCO JSONs have around the name of their split.
_NAME_AFFIXES = re.compile(
    r"^_?(annotations?|instances|labels|coco|result)(?=$|[-_. ])[-_. ]*"
    r"|[-_. ]*(annotations?|coco)$"
)


@dataclass(slots=True)
class SplitFiles:
    """One split of an export.

    Attributes:
        name: the split's name
        json_name: the name of its JSON, for messages
        read_json: returns the JSON's bytes
        images: finds its images
    """

    name: str
    json_name: str
    read_json: Callable[[], bytes]
    images: ImageFinder


@dataclass(slots=True)
class ExportFiles:
    """The files of an export.

    Attributes:
        name: the export's name
        files: all its files
        splits: its splits, in the order of their names
        readmes: Roboflow's README texts, by name
        ignored_jsons: the names of JSON files that were left out
        guessed: whether nothing says that the JSONs are COCO's
        others: further files to close in the end
    """

    name: str
    files: Files
    splits: list[SplitFiles]
    readmes: dict[str, str] = field(default_factory=dict)
    ignored_jsons: list[str] = field(default_factory=list)
    guessed: bool = False
    others: tuple[Files, ...] = ()

    def close(self) -> None:
        """Closes what reading it opened."""
        for files in (self.files, *self.others):
            files.close()


def find_export(path: Path, image_dir: Path | None = None) -> ExportFiles:
    """Finds the splits of an export.

    Args:
        path: a folder that holds COCO JSONs at any depth, a zip of one, or a COCO JSON
        image_dir: where the images are, if not beside the JSON

    Raises:
        ExportError: if there is nothing of the kind
    """
    # os.path's functions, unlike Path's, say False of what cannot be a path.
    if image_dir is not None and not os.path.isdir(image_dir):
        raise ExportError(f"image_dir is not a folder: {printable(str(image_dir))}")
    if os.path.isdir(path):
        return _export_of(FolderFiles(path), path.resolve().name, image_dir)
    if not os.path.isfile(path):
        raise ExportError(f"There is no export at {printable(str(path))}")
    if path.suffix.lower() == ".zip" or _is_zip(path):
        files = ZipFiles(path)
        try:
            return _export_of(files, path.stem.removesuffix(".coco"), image_dir)
        except ExportError:
            files.close()
            raise
    return _export_of_json(path, image_dir)


def _export_of(files: Files, name: str, image_dir: Path | None) -> ExportFiles:
    jsons, ignored, guessed = _coco_jsons(files.names)
    if not jsons:
        other = describe_other_folder(files.names)
        hint = f"; it looks like {other}: export it as COCO" if other else ""
        links = ", ".join(sorted(files.refused_links)[:3])
        refused = f"; links that lead out of it are refused: {links}" if links else ""
        raise ExportError(f"{files.root} holds no {ROBOFLOW_JSON}{hint}{refused}")
    names = _split_names(jsons, name)
    image_files: Files = files if image_dir is None else FolderFiles(image_dir)
    folders = {name.rpartition("/")[0] for name in jsons} - {""}
    taken = frozenset({*names.values(), *folders})
    splits = [
        SplitFiles(
            names[json_name],
            files.path(json_name),
            _reader(files, json_name),
            ImageFinder(
                image_files,
                "" if image_dir is not None else _base_of(json_name),
                names[json_name],
                taken,
                json_name.rpartition("/")[0],
            ),
        )
        for json_name in jsons
    ]
    splits.sort(key=lambda split: split.name)
    return ExportFiles(
        name, image_files, splits, _readmes(files), ignored, guessed, (files,)
    )


def _export_of_json(path: Path, image_dir: Path | None) -> ExportFiles:
    name = _name_of_json(path.name)
    folder = path.resolve().parent
    in_annotations = folder.name in _ANNOTATION_FOLDERS
    root = image_dir or (folder.parent if in_annotations else folder)
    files = FolderFiles(root)
    split = name or (folder.name if folder.name in SPLIT_NAMES else DEFAULT_SPLIT)
    taken = SPLIT_NAMES if split in SPLIT_NAMES else frozenset[str]()
    export_name = folder.name if path.name == ROBOFLOW_JSON or not name else path.stem
    return ExportFiles(
        export_name,
        files,
        [
            SplitFiles(
                split,
                str(path),
                _reader_of_path(path),
                ImageFinder(files, "", split, taken),
            )
        ],
        _readmes(files),
    )


def _coco_jsons(names: frozenset[str]) -> tuple[list[str], list[str], bool]:
    """Returns the COCO JSONs among the files, and the other JSONs.

    Roboflow's where there are any; else those named as COCO names its own; else all,
    which is a guess: the last value says so.
    """
    jsons = sorted(name for name in names if name.lower().endswith(".json"))
    for pattern in (r"_annotations\.coco\.json", r".*\.coco\.json", r"instances.*"):
        wanted = [n for n in jsons if re.fullmatch(pattern, n.rpartition("/")[2])]
        if wanted:
            return wanted, sorted(set(jsons) - set(wanted)), False
    return jsons[:_MAX_GUESSES], jsons[_MAX_GUESSES:], True


def _split_names(jsons: list[str], export: str) -> dict[str, str]:
    """Returns a name for each JSON's split; no two share one."""
    short = {name: _split_name(name, export) for name in jsons}
    repeated = {name for name, count in Counter(short.values()).items() if count > 1}
    names: dict[str, str] = {}
    taken: set[str] = set()
    for json_name, name in short.items():
        if name in repeated:
            name = json_name.rpartition("/")[0] or name
        safe = unique = _safe_split_name(name)
        number = 1
        while unique in taken:
            number += 1
            unique = f"{safe}-{number}"
        taken.add(unique)
        names[json_name] = unique
    return names


def _split_name(json_name: str, export: str) -> str:
    folder, _, last = json_name.rpartition("/")
    own = _name_of_json(last)
    parent = folder.rpartition("/")[2]
    if own:
        return own
    if parent and parent not in _ANNOTATION_FOLDERS:
        return parent
    return export if export in SPLIT_NAMES else DEFAULT_SPLIT


def _name_of_json(file_name: str) -> str:
    """Returns what a JSON's name says of its split: ``val`` of ``instances_val``."""
    stem = re.sub(r"\.json$", "", file_name, flags=re.IGNORECASE)
    before = None
    while stem != before:
        before, stem = stem, _NAME_AFFIXES.sub("", stem)
    return stem.strip("_-. ")


def _safe_split_name(name: str) -> str:
    """Returns a name that can be a folder, a tag and a key in MongoDB."""
    return re.sub(r"[.$\0:*?\"<>|\\]", "_", name).strip() or DEFAULT_SPLIT


def _base_of(json_name: str) -> str:
    folder = json_name.rpartition("/")[0]
    if folder.rpartition("/")[2] in _ANNOTATION_FOLDERS:
        folder = folder.rpartition("/")[0]
    return f"{folder}/" if folder else ""


def _readmes(files: Files) -> dict[str, str]:
    """Returns the texts that Roboflow puts beside an export's splits."""
    texts = {}
    for name in files.names:
        last = name.rpartition("/")[2]
        if re.fullmatch(r"README\.\w+\.txt", last) and name.count("/") < 3:
            try:
                if files.size(name) < _MAX_README:
                    texts[name] = files.read(name).decode("utf-8", "replace")
            except OSError:
                continue
    return texts


def _reader(files: Files, name: str) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            return files.read(name)
        except OSError as error:
            reason = error.strerror or error
            raise ExportError(f"{files.path(name)} cannot be read: {reason}") from error

    return read


def _reader_of_path(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            reason = error.strerror or error
            raise ExportError(f"{path} cannot be read: {reason}") from error

    return read


def _is_zip(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False
