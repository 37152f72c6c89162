"""Keys that a JSON object has twice: decoders keep the last value and say nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import numpy as np

_object_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STRING = rb'"(?:[^"\\]|\\.)*"'
_BEFORE_VALUE = re.compile(rb"\s*[{,]\s*" + _STRING + rb"\s*:\s*", re.DOTALL)
_KEY_AT_END = re.compile(rb"[{,]?\s*" + _STRING + rb"\s*:\s*\Z", re.DOTALL)
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
        inner = bytes(between[:end]).lstrip(b" \t\r\n{,")
        lost += _parts_of(b"{" + inner + b"}")
    return lost


def _parts_of(data: bytes) -> list[tuple[str, msgspec.Raw]]:
    try:
        parts = _object_decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError):
        return []
    return [*lost_parts(data, parts), *parts.items()]


def _address(buffer: Any) -> int:
    return int(np.frombuffer(buffer, np.uint8).ctypes.data)
