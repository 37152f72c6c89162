"""Which files of an export are its JSONs, what splits they are, where images lie."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ..errors import ExportError
from ..words import printable, shortened_name
from .document import Document
from .file_index import FileIndex
from .files import FolderFiles, is_image_name
from .formats import describe_other_folder
from .image_finder import Files, ImageFinder
from .jsons import ROBOFLOW_JSON, Finding, JsonFile, choose_jsons
from .split_folders import (
    SplitFolders,
    SplitPlace,
    base_of_json,
    is_annotation_folder,
    is_split_name,
)
from .zips import ZipFiles

DEFAULT_SPLIT = "default"
_MAX_README = 2**20
_MAX_READMES = 100
# Folders of images that a folder with nothing but JSONs may have beside it. For names
# of less meaning, nothing outside of the JSON's folder is looked at.
_FOLDERS_BESIDE_JSONS = frozenset({"images", "image", "imgs", "img", "jpegimages"})
# What the names of COCO JSONs have around the name of their split.
_NAME_AFFIXES = re.compile(
    r"^_?(annotations?|instances|labels|coco|result)(?=$|[-_. ])[-_. ]*"
    r"|[-_. ]*(annotations?|coco|instances|instances[-_. ]default)$",
    re.IGNORECASE,
)


@dataclass(slots=True)
class SplitFiles:
    """One split of an export.

    Attributes:
        name: the split's name
        json_name: the name of its JSON, for messages
        document: returns the JSON's parts, once
        images: finds its images
        json_in_export: the JSON's name among the export's files
    """

    name: str
    json_name: str
    document: Callable[[], Document]
    images: ImageFinder
    json_in_export: str = ""


@dataclass(slots=True)
class ExportFiles:
    """The files of an export.

    Attributes:
        name: the export's name
        files: its images' files, and what is beside them
        splits: its splits, in the order of their names
        readmes: Roboflow's README texts, by name
        findings: what there is to say of its other JSONs
        others: further files to close in the end
    """

    name: str
    files: Files
    splits: list[SplitFiles]
    readmes: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    others: tuple[Files, ...] = ()

    def close(self) -> None:
        """Closes what reading it opened."""
        for files in (self.files, *self.others):
            files.close()


def find_export(
    path: str | Path,
    image_dir: str | Path | None = None,
    known_splits: Collection[str] = (),
) -> ExportFiles:
    """Finds the splits of an export.

    Args:
        path: a folder that holds COCO JSONs at any depth, a zip of one, or a COCO JSON
        image_dir: where the images are, if not beside the JSON
        known_splits: the names of the splits that a dataset has already

    Raises:
        ExportError: if there is nothing of the kind
    """
    place = _given_path(path, "path")
    images = None if image_dir is None else _given_path(image_dir, "image_dir")
    # os.path's functions, unlike Path's, say False of what cannot be a path.
    if images is not None and not os.path.isdir(images):
        raise ExportError(f"image_dir is not a folder: {printable(str(images))}")
    if os.path.isdir(place):
        name = place.resolve().name
        return _export_of(FolderFiles(place), name, images, known_splits)
    if not os.path.isfile(place):
        raise ExportError(f"There is no export at {printable(str(place))}")
    if place.suffix.lower() == ".zip" or _is_zip(place):
        files = ZipFiles(place)
        try:
            name = place.stem.removesuffix(".coco")
            return _export_of(files, name, images, known_splits)
        except ExportError:
            files.close()
            raise
    return _export_of_json(place, images)


def _given_path(path: str | Path, option: str) -> Path:
    """Returns a path that a caller gave, absolute.

    Raises:
        ExportError: if it is not one that files can have and a database can store
    """
    if not isinstance(path, (str, os.PathLike)):
        raise ExportError(f"{option} must be a path, not {printable(repr(path))}")
    text = os.fsdecode(path)
    if not text.strip():
        raise ExportError(f"{option} is empty; give the path of an export")
    text = os.path.expanduser(text)
    try:
        os.path.realpath(text).encode()
    except UnicodeEncodeError:
        raise ExportError(
            f"{printable(text)} has a name that is not valid UTF-8, which FiftyOne "
            "cannot store; rename it"
        ) from None
    except ValueError:
        # A name with a NUL, which no file has.
        raise ExportError(f"There is no export at {printable(text)}") from None
    return Path(text)


def _export_of(
    files: Files, name: str, image_dir: Path | None, known_splits: Collection[str]
) -> ExportFiles:
    index = FileIndex(files.names)
    jsons = [
        JsonFile(
            n,
            files.path(n),
            partial(files.read, n),
            partial(files.size, n),
            partial(files.on_disk, n),
        )
        for n in files.names
        if n.lower().endswith(".json")
    ]
    if not jsons:
        raise _no_json(files)
    chosen = choose_jsons(jsons, index)
    names = _split_names(chosen.named, name, known_splits)
    names |= _split_names(chosen.others, name, known_splits, names.values())
    image_files, image_index = files, index
    if image_dir is not None:
        image_files = FolderFiles(image_dir)
        image_index = FileIndex(image_files.names)
    every = [*chosen.named, *chosen.others]
    places = [
        SplitPlace(
            names[json.name],
            base_of_json(json.name.rpartition("/")[0], index)
            if image_dir is None
            else "",
        )
        for json in every
    ]
    folders = SplitFolders(places)
    splits = [
        SplitFiles(
            place.name,
            json.path,
            json.take_document,
            ImageFinder(image_files, image_index, place, folders),
            json.name,
        )
        for json, place in zip(every, places, strict=True)
    ]
    splits.sort(key=lambda split: split.name)
    return ExportFiles(
        name, image_files, splits, _readmes(files), chosen.findings, (files,)
    )


def _no_json(files: Files) -> ExportError:
    other = describe_other_folder(files.names)
    hint = f"; it looks like {other}: export it as COCO" if other else ""
    links = ", ".join(map(shortened_name, sorted(files.refused_links)[:3]))
    refused = f"; links that lead out of it are refused: {links}" if links else ""
    return ExportError(f"{files.root} holds no {ROBOFLOW_JSON}{hint}{refused}")


def _export_of_json(path: Path, image_dir: Path | None) -> ExportFiles:
    name = _name_of_json(path.name)
    folder, files = _files_of_json(path, image_dir)
    split = name or (folder.name if is_split_name(folder.name) else DEFAULT_SPLIT)
    export_name = folder.name if path.name == ROBOFLOW_JSON or not name else path.stem
    json = JsonFile(
        path.name,
        str(path),
        path.read_bytes,
        size=lambda: path.stat().st_size,
        on_disk=lambda: path.open("rb"),
    )
    finder = ImageFinder(files, FileIndex(files.names), SplitPlace(split, ""))
    return ExportFiles(
        export_name,
        files,
        [SplitFiles(_safe_split_name(split), json.path, json.take_document, finder)],
        _readmes(files),
    )


def _files_of_json(path: Path, image_dir: Path | None) -> tuple[Path, FolderFiles]:
    """Returns the folder that a JSON is in, and the files among which its images are.

    Those beside the JSON or beside its folder of annotations. A JSON that is a link, or
    in a folder that is one, is taken to be where the link is, or else, where no images
    are there, where it leads.
    """
    given = Path(os.path.abspath(path))
    folder = given.parent
    if image_dir is not None:
        return folder, FolderFiles(image_dir)
    root = _root_of_json(folder)
    files = FolderFiles(root)
    real = path.resolve().parent
    real_root = _root_of_json(real)
    if real_root.resolve() != files.root and not _has_images(files):
        beside_real = FolderFiles(real_root)
        if _has_images(beside_real):
            return real, beside_real
    # It was asked for by its own path, so it is read wherever links on that lead.
    for place, outer in ((given, root), (folder.resolve() / path.name, files.root)):
        if place.is_relative_to(outer):
            way = place.relative_to(outer)
            files.refused_links -= {part.as_posix() for part in (way, *way.parents)}
    return folder, files


def _has_images(files: FolderFiles) -> bool:
    return any(map(is_image_name, files.names))


def _root_of_json(folder: Path) -> Path:
    if is_annotation_folder(folder.name):
        return folder.parent
    try:
        names = os.listdir(folder)
        beside = os.listdir(folder.parent)
    except OSError:
        return folder
    has_images = any(
        is_image_name(name) or os.path.isdir(folder / name) for name in names
    )
    has_image_folder = any(
        name.lower() in _FOLDERS_BESIDE_JSONS and os.path.isdir(folder.parent / name)
        for name in beside
    )
    return folder.parent if has_image_folder and not has_images else folder


def _split_names(
    jsons: list[JsonFile],
    export: str,
    known: Collection[str],
    used: Iterable[str] = (),
) -> dict[str, str]:
    """Returns a name for each JSON's split, by the JSON's; no two share one.

    Splits that would share a name are named after their folders. So is one that is
    known by its folder's name, even if no other split shares its own name now.
    """
    short = {json.name: _split_name(json.name, export) for json in jsons}
    repeated = {name for name, count in Counter(short.values()).items() if count > 1}
    names: dict[str, str] = {}
    taken = set(used)
    for json_name, name in short.items():
        folder = json_name.rpartition("/")[0]
        if name in repeated:
            name = folder or name
        elif folder and _safe_split_name(name) not in known:
            longer = (folder, f"{export}/{folder}")
            name = next((n for n in longer if _safe_split_name(n) in known), name)
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
    if own:
        return own
    while folder and is_annotation_folder(folder):
        folder = folder.rpartition("/")[0]
    if folder:
        return folder.rpartition("/")[2]
    return export if is_split_name(export) else DEFAULT_SPLIT


def _name_of_json(file_name: str) -> str:
    """Returns what a JSON's name says of its split: ``val`` of ``instances_val``."""
    stem = re.sub(r"\.json$", "", file_name, flags=re.IGNORECASE)
    before = None
    while stem != before:
        before, stem = stem, _NAME_AFFIXES.sub("", stem)
    return stem.strip("_-. ")


def _safe_split_name(name: str) -> str:
    """Returns a name that can be a folder, a tag and a key in MongoDB."""
    plain = "".join(sign if sign.isprintable() else "_" for sign in name)
    return re.sub(r"[.$:*?\"<>|\\]", "_", plain).strip() or DEFAULT_SPLIT


def _readmes(files: Files) -> dict[str, str]:
    """Returns the texts that Roboflow puts beside an export's splits."""
    texts: dict[str, str] = {}
    for name in sorted(files.names):
        last = name.rpartition("/")[2]
        if re.fullmatch(r"README\.\w+\.txt", last) and name.count("/") < 3:
            if len(texts) == _MAX_READMES:
                break
            try:
                if files.size(name) < _MAX_README:
                    texts[name] = files.read(name).decode("utf-8", "replace")
            except OSError:
                continue
    return texts


def _is_zip(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False
