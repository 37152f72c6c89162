"""The JSONs of an export: which are read, and why others are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import IO

import msgspec

from ..errors import ExportError
from ..words import agree, count, shortened_name
from .document import (
    Document,
    OtherFormatError,
    Raw,
    decode,
    parse_document,
    read_large_document,
)
from .file_index import FileIndex
from .issues import Action, IssueCode
from .large_json import MIN_BYTES
from .split_folders import base_of_json

ROBOFLOW_JSON = "_annotations.coco.json"
# The names of COCO JSONs: Roboflow's own, others', COCO's own.
_NAMES_OF_COCO = (r"_annotations\.coco\.json", r".*\.coco\.json", r"instances.*")
_EXAMPLES = 3
_MAX_TOLD = 100
# What a JSON that is broken holds if it was one of COCO's.
_KEYS_OF_COCO = re.compile(rb'"(images|annotations|categories)"')
_MAX_SEARCHED = 2**20

Finding = tuple[IssueCode, str, Action]
_Name = msgspec.defstruct("_Name", [("file_name", object, None)], gc=False)
_name_decoder = msgspec.json.Decoder(_Name)


@dataclass(slots=True)
class JsonFile:
    """A JSON of an export.

    Attributes:
        name: its name in the export
        path: what to call it in messages
        read: returns its bytes
        size: returns their number
        on_disk: opens it as a file of the operating system's
    """

    name: str
    path: str
    read: Callable[[], bytes]
    size: Callable[[], int]
    on_disk: Callable[[], IO[bytes]]
    _document: Document | None = field(default=None, repr=False)

    def document(self) -> Document:
        """Returns its parts; they are read once.

        Raises:
            ExportError: if it is not a COCO JSON
        """
        if self._document is None:
            self._document = self._large_document()
        if self._document is None:
            self._document = parse_document(self._bytes(), self.path)
        return self._document

    def take_document(self) -> Document:
        """Returns its parts, which the caller may use up."""
        document, self._document = self.document(), None
        return document

    def looks_like_coco(self) -> bool:
        """Whether a JSON that cannot be read seems to be one of COCO's."""
        try:
            data = self.read()
        except (OSError, MemoryError):
            return True
        ends = data[:_MAX_SEARCHED] + data[-_MAX_SEARCHED:]
        return _KEYS_OF_COCO.search(ends) is not None or b"git-lfs" in data[:100]

    def _large_document(self) -> Document | None:
        try:
            if self.size() < MIN_BYTES:
                return None
            return read_large_document(self.on_disk(), self.path)
        except OSError:
            # Said when all of it is read.
            return None

    def _bytes(self) -> bytes:
        try:
            return self.read()
        except OSError as error:
            reason = error.strerror or error
            raise ExportError(f"{self.path} cannot be read: {reason}") from error
        except MemoryError:
            raise ExportError(f"{self.path} is larger than the memory") from None


@dataclass(slots=True)
class ChosenJsons:
    """The JSONs of an export.

    Attributes:
        named: those that are COCO's by their names
        others: those whose content says so
        findings: what there is to say of the rest
    """

    named: list[JsonFile]
    others: list[JsonFile]
    findings: list[Finding]


def choose_jsons(jsons: Iterable[JsonFile], index: FileIndex) -> ChosenJsons:
    """Chooses the COCO JSONs among all JSONs of an export.

    Roboflow's are known by their names, or else others by those that COCO gave its
    own. Any other JSON is read where its content is COCO's too. What is not read is
    told: as an error where annotations are lost by that.

    Args:
        jsons: the JSONs
        index: all files of the export

    Raises:
        ExportError: if none of the JSONs is one of COCO's
    """
    jsons = sorted(jsons, key=lambda json: json.name)
    named = _named(jsons)
    names = {json.name for json in named}
    read, findings, errors = _read([j for j in jsons if j.name not in names])
    if not named and not read and errors:
        raise errors[0]
    others = _without_repetitions(named, read, index, findings)
    return ChosenJsons(named, others, findings)


def _named(jsons: list[JsonFile]) -> list[JsonFile]:
    for pattern in _NAMES_OF_COCO:
        wanted = re.compile(pattern, re.IGNORECASE)
        found = [j for j in jsons if wanted.fullmatch(j.name.rpartition("/")[2])]
        if found and pattern != _NAMES_OF_COCO[0]:
            # Results are called after the JSON that they are of.
            found = [j for j in found if not _is_other_format(j)] or found
        if found:
            return found
    return []


def _is_other_format(json: JsonFile) -> bool:
    """Whether a JSON is certainly none of COCO's with objects."""
    try:
        json.document()
    except ExportError as error:
        return isinstance(error, OtherFormatError)
    return False


def _read(
    jsons: list[JsonFile],
) -> tuple[list[JsonFile], list[Finding], list[ExportError]]:
    """Returns the COCO JSONs among some, what to say of the rest, and why.

    The reasons begin with those of what seems to be COCO's but is broken.
    """
    read: list[JsonFile] = []
    findings: list[Finding] = []
    foreign: list[tuple[JsonFile, OtherFormatError]] = []
    broken: list[ExportError] = []
    related: list[ExportError] = []
    for json in jsons:
        try:
            json.document()
            read.append(json)
        except OtherFormatError as error:
            _forget_what_was_read(error)
            if error.is_of_coco:
                related.append(error)
                findings.append((IssueCode.JSON_SET_ASIDE, str(error), Action.KEPT))
            else:
                foreign.append((json, error))
        except ExportError as error:
            _forget_what_was_read(error)
            if json.looks_like_coco():
                broken.append(error)
                findings.append((IssueCode.JSON_NOT_READ, str(error), Action.DROPPED))
            else:
                related.append(error)
                findings.append((IssueCode.JSON_SET_ASIDE, str(error), Action.KEPT))
    findings = _at_most(findings)
    if foreign:
        are = agree(len(foreign), "is not a COCO export", "are not COCO exports")
        listed = ", ".join(
            shortened_name(json.name) + (f" ({error.kind})" if error.kind else "")
            for json, error in foreign[:_EXAMPLES]
        )
        findings.append(
            (
                IssueCode.JSON_IGNORED,
                f"{count(len(foreign), 'other JSON file')} {are}: {listed}",
                Action.KEPT,
            )
        )
    return read, findings, [*broken, *related, *(error for _, error in foreign)]


def _forget_what_was_read(error: ExportError) -> None:
    """Takes from an error where it was raised: that holds the bytes of its JSON."""
    error.__traceback__ = error.__context__ = None


def _without_repetitions(
    named: list[JsonFile],
    read: list[JsonFile],
    index: FileIndex,
    findings: list[Finding],
) -> list[JsonFile]:
    """Returns the JSONs that list other images than those before them.

    Of JSONs that are known by their content alone, several may list the same images,
    each with annotations of its own: all are read.
    """
    if not read:
        return []
    first: dict[str, JsonFile] = {}
    for json in named:
        try:
            for name in _listed(json, index):
                first.setdefault(name, json)
        except ExportError:
            # Said when it is read as a split.
            continue
    kept = []
    told: list[Finding] = []
    plain_first = sorted(read, key=lambda json: _is_of_keypoints(json.document()))
    for json in plain_first:
        listed = _listed(json, index)
        same = next((first[name] for name in listed if name in first), None)
        reason = None if same is None else _repetition(json, same, listed, bool(named))
        if reason is not None:
            told.append(reason)
            continue
        kept.append(json)
        for name in listed:
            first.setdefault(name, json)
    findings[:0] = _at_most(told)
    return sorted(kept, key=lambda json: json.name)


def _repetition(
    json: JsonFile, other: JsonFile, listed: list[str], has_named: bool
) -> Finding | None:
    """Returns why a JSON is left out, if another one lists its images, else None."""
    document, theirs = json.document(), other.document()
    if _is_copy(document, theirs):
        return (
            IssueCode.JSON_SET_ASIDE,
            f"{json.path} has the images and annotations of {other.path}; it counts "
            "once",
            Action.KEPT,
        )
    if _is_of_keypoints(document) and not _is_of_keypoints(theirs):
        return (
            IssueCode.JSON_SET_ASIDE,
            f"{json.path} has keypoints of images that {other.path} lists too; it was "
            "not read",
            Action.KEPT,
        )
    if not has_named:
        return None
    number = len(document.annotations)
    return (
        IssueCode.JSON_NOT_READ,
        f"{json.path} lists images that {other.path} lists too, with other "
        f"annotations: its {count(number, 'annotation')} "
        f"{agree(number, 'was', 'were')} not read; give its own path to "
        "read it, or move it away",
        Action.DROPPED,
    )


def _listed(json: JsonFile, index: FileIndex) -> list[str]:
    """Returns the files that a JSON lists, as if they were where its names say."""
    base = base_of_json(json.name.rpartition("/")[0], index)
    names = []
    for raw in json.document().images:
        try:
            name = _name_decoder.decode(raw).file_name  # type: ignore[attr-defined]
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            continue
        if isinstance(name, str) and name.strip():
            names.append(f"{base}/{name}" if base else name)
    return names


def _is_copy(document: Document, other: Document) -> bool:
    """Whether two JSONs have the same images and annotations, however written."""
    if len(document.images) != len(other.images) or (
        len(document.annotations) != len(other.annotations)
    ):
        return False
    pairs = zip(_normal(document), _normal(other), strict=True)
    return all(ours == theirs for ours, theirs in pairs)


def _normal(document: Document) -> Iterator[bytes]:
    for raws in (document.images, document.annotations):
        yield from sorted(map(_digest, raws))


def _digest(raw: Raw) -> bytes:
    data = msgspec.json.encode(decode(raw), order="deterministic")
    return blake2b(data, digest_size=16).digest()


def _is_of_keypoints(document: Document) -> bool:
    """Whether the first annotation of a JSON has keypoints."""
    first = decode(document.annotations[0]) if document.annotations else None
    return isinstance(first, dict) and isinstance(first.get("keypoints"), list)


def _at_most(findings: list[Finding]) -> list[Finding]:
    """Returns the first hundred findings of each kind, and how many more there are."""
    kept: list[Finding] = []
    more: dict[tuple[IssueCode, Action], int] = {}
    for code, message, action in findings:
        number = more.get((code, action), 0)
        more[code, action] = number + 1
        if number < _MAX_TOLD:
            kept.append((code, message, action))
    for (code, action), number in more.items():
        if number > _MAX_TOLD:
            message = f"{count(number - _MAX_TOLD, 'more JSON file')} like those before"
            kept.append((code, message, action))
    return kept
