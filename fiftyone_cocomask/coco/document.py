"""A COCO JSON -> its parts, with images and annotations undecoded until needed."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from typing import Any

import msgspec

from ..errors import ExportError
from .formats import describe_other_annotations, describe_other_format
from .records import CocoId
from .words import type_name

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
_MAX_DIGITS = 25

_object_decoder = msgspec.json.Decoder(dict[str, Raw])
_list_decoder = msgspec.json.Decoder(list[Raw])
_any_decoder = msgspec.json.Decoder()


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
    """

    images: list[Raw]
    annotations: list[Raw]
    categories: list[Any] | None
    info: dict[str, Any]
    licenses: list[Any]
    parts: dict[str, Raw]
    repaired: str | None


def parse_document(data: bytes, name: str) -> Document:
    """Takes a COCO JSON apart.

    Args:
        data: the file's bytes, in UTF-8, UTF-16 or UTF-32, with or without a BOM
        name: what to call the file in messages

    Raises:
        ExportError: if it is no COCO JSON; the message says what it is, or what is
            wrong at which place
    """
    _refuse_what_is_no_json(data, name)
    data, repaired = _as_utf8(data)
    parts, repaired_escapes = _parts(data, name)
    images = _list(parts, "images", name)
    annotations = _list(parts, "annotations", name)
    categories = _list(parts, "categories", name) if "categories" in parts else None
    if annotations:
        other = describe_other_annotations(decode(annotations[0]))
        if other:
            raise ExportError(f"{name} is {other}, not a COCO export with objects")
    info = decode(parts.get("info", Raw(b"null")))
    licenses = decode(parts.get("licenses", Raw(b"null")))
    return Document(
        images,
        annotations,
        None if categories is None else [decode(raw) for raw in categories],
        info if isinstance(info, dict) else {},
        licenses if isinstance(licenses, list) else [],
        {k: v for k, v in parts.items() if k not in ("images", "annotations")},
        repaired or repaired_escapes,
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
        repaired = "bytes that are no text" if "\ufffd" in text else None
        return text.encode("utf-8", "replace"), repaired
    if data.isascii() or _is_utf8(data):
        return data, None
    return data.decode("utf-8", "replace").encode(), "bytes that are no UTF-8"


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


def _parts(data: bytes, name: str) -> tuple[dict[str, Raw], str | None]:
    """Returns the values of the top-level object, and what had to be put right."""
    try:
        return _object_decoder.decode(data), None
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
        return _object_decoder.decode(mended), repaired
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
    return f"no valid JSON: {error}"


def _list(parts: dict[str, Raw], key: str, name: str) -> list[Raw]:
    if key not in parts:
        other = describe_other_format(parts)
        if other:
            raise ExportError(f"{name} is {other}, not a COCO export; {WANTED}")
        raise ExportError(f"{name} has no '{key}'; {WANTED}")
    try:
        return _list_decoder.decode(parts[key])
    except msgspec.ValidationError:
        found = type_name(decode(parts[key]))
        raise ExportError(
            f"{name} has {found} at '{key}' where a list was expected; {WANTED}"
        ) from None


def _other_format(data: bytes, name: str) -> ExportError:
    value: Any
    try:
        value = _list_decoder.decode(data)
    except msgspec.MsgspecError:
        value = decode(Raw(data))
    except RecursionError:
        return ExportError(f"{name} is nested too deeply to be a COCO JSON")
    other = describe_other_format(value)
    if other:
        return ExportError(f"{name} is {other}, not a COCO export; {WANTED}")
    return ExportError(
        f"{name} holds {type_name(value)} where an object was expected; {WANTED}"
    )


def _whole_number(text: str) -> int | float:
    return int(text) if len(text) <= _MAX_DIGITS else float(text)
