"""Keys that a JSON object has twice: decoders keep the last value and say nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_BEFORE_VALUE = re.compile(rb"\s*[{,]\s*" + _STRING + rb"\s*:\s*", re.DOTALL)
_KEY_AT_END = re.compile(rb"[{,]?\s*" + _STRING + rb"\s*:\s*\Z", re.DOTALL)
_KEY = re.compile(rb"[\s{,]*(" + _STRING + rb")\s*:\s*", re.DOTALL)
_TEXT = re.compile(_STRING, re.DOTALL)
_TEXT_OR_BRACKET = re.compile(_STRING + rb"|[\[\]{}]", re.DOTALL)
_OTHER = re.compile(rb"[^\s,}]*")
_MAX_KEY = 4096


def repeated_keys(raw: msgspec.Raw, value: dict[str, Any]) -> list[str]:
    """Returns the keys that an object, or one in it, has twice with different values.

    Args:
        raw: the object's text
        value: the object, decoded
    """
    text = bytes(raw)
    keys = len(value)
    for item in value.values():
        if type(item) is dict:
            keys += len(item)
    # Each key has a colon behind it; more of them are in strings or deeper objects.
    if text.count(b":") == keys:
        return []
    found: dict[str, None] = {}

    def merged(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for key, item in pairs:
            if key in merged and merged[key] != item:
                found[key] = None
            merged[key] = item
        return merged

    try:
        json.loads(text, object_pairs_hook=merged)
    except (ValueError, RecursionError):
        return []
    return list(found)


def lost_parts(
    data: bytes, parts: dict[str, msgspec.Raw]
) -> list[tuple[str, msgspec.Raw]]:
    """Returns the values of an object that later ones of the same key replaced.

    Args:
        data: the object's text
        parts: what it was decoded to, undecoded values of this very text
    """
    start = _address(data)
    end_of_last = 0
    lost: list[tuple[str, msgspec.Raw]] = []
    for raw in sorted(parts.values(), key=_address):
        begin = _address(raw) - start
        between = memoryview(data)[end_of_last:begin]
        end_of_last = begin + len(memoryview(raw))
        if len(between) <= _MAX_KEY and _BEFORE_VALUE.fullmatch(between):
            continue
        key = _KEY_AT_END.search(between[-_MAX_KEY:])
        if key is None:
            continue
        end = len(between) - (len(between[-_MAX_KEY:]) - key.start())
        lost += _members(bytes(between[:end]))
    return lost


def _members(text: bytes) -> Iterator[tuple[str, msgspec.Raw]]:
    """Yields the keys and values of an object's text, each of one key."""
    place = 0
    while key := _KEY.match(text, place):
        place = _end_of_value(text, key.end())
        try:
            name = msgspec.json.decode(key[1], type=str)
        except msgspec.MsgspecError:
            continue
        yield name, msgspec.Raw(text[key.end() : place])


def _end_of_value(text: bytes, start: int) -> int:
    """Returns where a value of a valid JSON ends, without decoding it."""
    if text[start : start + 1] not in (b"[", b"{"):
        found = _TEXT.match(text, start) or _OTHER.match(text, start)
        return found.end() if found else len(text)
    depth = 0
    for found in _TEXT_OR_BRACKET.finditer(text, start):
        if found[0] in (b"[", b"{"):
            depth += 1
        elif found[0] in (b"]", b"}"):
            depth -= 1
            if not depth:
                return found.end()
    return len(text)


def _address(buffer: Any) -> int:
    return int(np.frombuffer(buffer, np.uint8).ctypes.data)
