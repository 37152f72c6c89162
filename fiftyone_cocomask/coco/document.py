"""A COCO JSON -> its parts, with images and annotations undecoded until needed."""

from __future__ import annotations

import codecs
import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import msgspec

from ..errors import ExportError
from ..words import shortened, type_name
from .formats import describe_other_annotations, describe_other_format
from .large_json import LargeList, ListInsteadError, Unusual, large_parts
from .records import CocoId
from .repeated_keys import lost_parts, repeated_keys

Raw = msgspec.Raw

WANTED = "a COCO JSON has the lists 'images', 'annotations' and 'categories'"

# Literals that Python's json writes and JSON does not have. Strings are matched as a
# whole, so that what they hold stays as it is.
_TOKEN = re.compile(
    rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|-?\b(?:NaN|Infinity)\b', re.DOTALL
)
# A pair of surrogates, half a pair, any other escape.
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
_CHUNK = 2**24
# Texts of so many digits may be ids.
_MAX_DIGITS = 25
# Python makes no whole numbers of more digits than 4,300.
_MAX_WHOLE = 4000

_object_decoder = msgspec.json.Decoder(dict[str, Raw])
_list_decoder = msgspec.json.Decoder(list[Raw])
_any_decoder = msgspec.json.Decoder()


class OtherFormatError(ExportError):
    """A JSON that is not one of COCO's with objects.

    Args:
        message: the sentence
        kind: what it is, if that is known
        is_of_coco: whether it is a JSON that comes with COCO: of captions, panoptic
            segments or results
    """

    def __init__(
        self, message: str, kind: str | None = None, is_of_coco: bool = False
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.is_of_coco = is_of_coco


@dataclass(slots=True)
class Document:
    """The parts of one COCO JSON.

    Attributes:
        images: its images, undecoded
        annotations: its annotations, undecoded
        categories: its categories; None if there is no such list
        info: its ``info``, or an empty object
        licenses: its ``licenses``, or an empty list
        parts: all of its top level but images and annotations, undecoded
        repaired: what of its text had to be put right, in words, or None
        repeated: what it says of keys that are there twice, in words
        has_annotations: whether it has a list of annotations
    """

    images: Sequence[Raw]
    annotations: Sequence[Raw]
    categories: list[Any] | None
    info: dict[str, Any]
    licenses: list[Any]
    parts: dict[str, Raw]
    repaired: str | None
    repeated: list[str] = field(default_factory=list)
    has_annotations: bool = True


def parse_document(data: bytes, name: str) -> Document:
    """Takes a COCO JSON apart.

    Args:
        data: the file's bytes, in UTF-8, UTF-16 or UTF-32, with or without a BOM
        name: what to call the file in messages

    Raises:
        ExportError: if it is not a COCO JSON; the message says what it is, or what is
            wrong at which place
    """
    _refuse_what_is_no_json(data, name)
    data, repaired = _as_utf8(data)
    parts, data, repaired_escapes = _parts(data, name)
    lost = lost_parts(data, parts)
    return _document(dict(parts), lost, repaired or repaired_escapes, name)


def read_large_document(file: IO[bytes], name: str) -> Document | None:
    """Takes a large COCO JSON apart without holding it in memory.

    Args:
        file: the open file, which is closed when nothing of it is to be read any more
        name: what to call it in messages

    Returns:
        its parts; None if it has to be read at once

    Raises:
        ExportError: if it is not a COCO JSON
        OSError: if it cannot be read
    """
    try:
        found = large_parts(file, name)
        if "images" not in found:
            raise _lacks(found, "images", name)
        parts = {
            key: part.text()
            if isinstance(part, LargeList) and key not in ("images", "annotations")
            else part
            for key, part in found.items()
        }
    except ListInsteadError as error:
        raise _no_object([error.first], name) from None
    except Unusual:
        return None
    return _document(parts, [], None, name)


def _document(
    parts: dict[str, Raw | LargeList],
    lost: list[tuple[str, Raw]],
    repaired: str | None,
    name: str,
) -> Document:
    has_nothing = "annotations" in parts and _is_null(parts["annotations"])
    images: Sequence[Raw] = []
    if not (has_nothing and "images" in parts and _is_null(parts["images"])):
        images = _list(parts, "images", name)
    has_annotations = _has_annotations(parts, images, name)
    annotations = _list(parts, "annotations", name) if has_annotations else []
    categories = None
    if not _is_null(parts.get("categories")):
        categories = _list(parts, "categories", name)
    repeated = _join_lists(
        lost, {"images": images, "annotations": annotations, "categories": categories}
    )
    if annotations:
        other = describe_other_annotations(decode(annotations[0]))
        if other:
            raise OtherFormatError(
                f"{name} is {other}, not a COCO export with objects", other, True
            )
    return Document(
        images,
        annotations,
        None
        if categories is None
        else [_decoded(raw, "a category", repeated) for raw in categories],
        _value(parts, "info", dict, repeated),
        _value(parts, "licenses", list, repeated),
        {
            key: part
            for key, part in parts.items()
            if key not in ("images", "annotations") and isinstance(part, Raw)
        },
        repaired,
        repeated,
        # They may have been put together from elsewhere in the JSON.
        has_annotations or bool(annotations),
    )


def decode(raw: Raw) -> Any:
    """Returns the value of an undecoded part; None where that is impossible.

    A number too large for a double becomes infinity.
    """
    try:
        return _any_decoder.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        try:
            return json.loads(bytes(raw), parse_int=_whole_number)
        except (ValueError, RecursionError):
            return None


def normal_id(value: Any) -> CocoId | None:
    """Returns an id in its one normal form: 7, 7.0 and "7" are the same.

    None for what cannot be an id: true, 7.5, null, lists.
    """
    kind = type(value)
    if kind is int:
        return value if -(2**63) <= value < 2**63 else str(value)
    if kind is float and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if kind is str:
        text = value.strip()
        if len(text) < _MAX_DIGITS and re.fullmatch(r"-?[0-9]+", text):
            return normal_id(int(text)) if str(int(text)) == text else text
        return text or None
    return None


def _refuse_what_is_no_json(data: bytes, name: str) -> None:
    start = data[:200].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    blank = b" \t\r\n\0"
    if not data[:_CHUNK].strip(blank) and not data.strip(blank):
        raise ExportError(f"{name} is empty; {WANTED}")
    if start.startswith(b"version https://git-lfs"):
        raise ExportError(
            f"{name} is a Git LFS pointer, not the file itself; run 'git lfs pull'"
        )
    if start.startswith(b"<"):
        raise ExportError(f"{name} is HTML or XML, not JSON; {WANTED}")


def _as_utf8(data: bytes) -> tuple[bytes, str | None]:
    """Returns the text as UTF-8, and what had to be replaced in it."""
    encoding = json.detect_encoding(data)
    if encoding == "utf-8-sig":
        data, encoding = data[len(codecs.BOM_UTF8) :], "utf-8"
    if encoding != "utf-8":
        text = data.decode(encoding, "replace")
        repaired = "bytes that are not text" if "\ufffd" in text else None
        return text.encode("utf-8", "replace"), repaired
    if data.isascii() or _is_utf8(data):
        return data, None
    return data.decode("utf-8", "replace").encode(), "bytes that are not UTF-8"


def _is_utf8(data: bytes) -> bool:
    # Piece by piece: decoded at once, the text would need up to four times the memory.
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    try:
        for start in range(0, len(data), _CHUNK):
            decoder.decode(view[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _parts(data: bytes, name: str) -> tuple[dict[str, Raw], bytes, str | None]:
    """Returns the values of the top-level object, its text, and what was put right."""
    try:
        return _object_decoder.decode(data), data, None
    except RecursionError:
        raise ExportError(f"{name} is nested too deeply to be a COCO JSON") from None
    except msgspec.ValidationError:
        raise _other_format(data, name) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        mended = _TOKEN.sub(_mended, data)
        if mended == data:
            raise ExportError(f"{name} is {_broken_json(data, error)}") from None
    try:
        repaired = "half characters" if b"\\ufffd" in mended else None
        return _object_decoder.decode(mended), mended, repaired
    except msgspec.ValidationError:
        raise _other_format(mended, name) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ExportError(f"{name} is {_broken_json(mended, error)}") from None


def _mended(match: re.Match[bytes]) -> bytes:
    token = match.group()
    if not token.startswith(b'"'):
        return b'"' + token + b'"'
    return _ESCAPE.sub(lambda m: rb"\ufffd" if m[1] else m[0], token)


def _broken_json(data: bytes, error: Exception) -> str:
    if "truncated" in str(error):
        return f"cut off: its JSON stops in the middle after {len(data):,} bytes"
    if b"\0" in data[:1024]:
        return "not valid JSON, nor a zip: it is a binary file"
    reason = str(error).removeprefix("JSON is malformed: ")
    return f"not valid JSON: {reason}"


def _list(parts: dict[str, Raw | LargeList], key: str, name: str) -> Sequence[Raw]:
    part = parts.get(key)
    if part is None:
        raise _lacks(parts, key, name)
    if isinstance(part, LargeList):
        return part
    try:
        return _list_decoder.decode(part)
    except msgspec.ValidationError:
        found = type_name(decode(part))
        raise OtherFormatError(
            f"{name} has {found} at '{key}' where a list was expected; {WANTED}"
        ) from None


def _lacks(parts: dict[str, Raw | LargeList], key: str, name: str) -> OtherFormatError:
    other = describe_other_format(parts)
    if other:
        return OtherFormatError(
            f"{name} is {other}, not a COCO export; {WANTED}", other
        )
    return OtherFormatError(f"{name} has no '{key}'; {WANTED}")


def _has_annotations(
    parts: dict[str, Raw | LargeList], images: Sequence[Raw], name: str
) -> bool:
    """Whether there is a list of annotations; a split without objects may lack it.

    Raises:
        OtherFormatError: if nothing else says that it is a COCO JSON
    """
    if not _is_null(parts.get("annotations")):
        return True
    first = decode(images[0]) if images else None
    lists_files = isinstance(first, dict) and (
        "file_name" in first or "coco_url" in first
    )
    if not (lists_files or "annotations" in parts or "categories" in parts):
        raise _lacks(parts, "annotations", name)
    return False


def _is_null(raw: Raw | LargeList | None) -> bool:
    if isinstance(raw, LargeList):
        return False
    return raw is None or (len(memoryview(raw)) == 4 and bytes(raw) == b"null")


def _join_lists(
    lost: list[tuple[str, Raw]], lists: dict[str, Sequence[Raw] | None]
) -> list[str]:
    """Puts lists that have one key together, and says what was there twice."""
    said: dict[str, None] = {}
    found: dict[str, list[list[Raw]]] = {}
    for key, raw in lost:
        entries = lists.get(key)
        short = shortened(key)
        if not isinstance(entries, list):
            said[f"'{short}' is there twice; the last one counts"] = None
            continue
        try:
            earlier = _list_decoder.decode(raw)
        except msgspec.ValidationError:
            said[f"'{short}' is there twice, once not as a list; the list counts"] = (
                None
            )
            continue
        if len(earlier) != len(entries) or any(
            bytes(a) != bytes(b) for a, b in zip(earlier, entries, strict=True)
        ):
            found.setdefault(key, []).append(earlier)
        said[f"'{short}' is there twice; what both hold was put together"] = None
    for key, several in found.items():
        entries = lists[key]
        if isinstance(entries, list):
            entries[:0] = itertools.chain.from_iterable(several)
    return list(said)


def _value(
    parts: dict[str, Raw | LargeList], key: str, kind: type, repeated: list[str]
) -> Any:
    part = parts.get(key)
    if not isinstance(part, Raw):
        return kind()
    value = _decoded(part, f"'{key}'", repeated)
    return value if isinstance(value, kind) else kind()


def _decoded(raw: Raw, place: str, repeated: list[str]) -> Any:
    """Returns a value, and adds what is said of keys that are there twice."""
    value = decode(raw)
    if isinstance(value, dict):
        repeated += [
            f"{place} has '{shortened(key)}' twice; the last one counts"
            for key in repeated_keys(raw, value)
        ]
    return value


def _other_format(data: bytes, name: str) -> ExportError:
    value: Any
    try:
        value = _list_decoder.decode(data)
    except RecursionError:
        return ExportError(f"{name} is nested too deeply to be a COCO JSON")
    except msgspec.ValidationError:
        value = decode(Raw(data))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return ExportError(f"{name} is {_broken_json(data, error)}")
    return _no_object(value, name)


def _no_object(value: Any, name: str) -> OtherFormatError:
    """Returns what to say of a JSON that is a list, or another value."""
    other = describe_other_format(value)
    if other:
        is_of_coco = other.startswith("a COCO ")
        return OtherFormatError(
            f"{name} is {other}, not a COCO export; {WANTED}", other, is_of_coco
        )
    return OtherFormatError(
        f"{name} holds {type_name(value)} where an object was expected; {WANTED}",
        type_name(value),
    )


def _whole_number(text: str) -> int | float:
    return int(text) if len(text) <= _MAX_WHOLE else float(text)
