"""What a JSON may call an image's file: names of other systems, URLs, encoded names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, unquote_plus

from .files import is_image_name

Parts = tuple[str, ...]
"""The folders of a name, outermost first, and its last part."""

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:[/\\]{2}")
_DRIVE = re.compile(r"^[A-Za-z]:")
# Names are encoded twice where an address was put into another one.
_MAX_DECODINGS = 3


def spellings(file_name: str) -> list[Parts]:
    r"""Returns what a name in a JSON may stand for, the most literal first.

    ``..\..\images\a%20b.jpg`` is ``a%20b.jpg`` in ``images``, or else ``a b.jpg``
    there. Parts that climb, drives and hosts are left out: what is left names a file
    below any folder, and never one outside of it.
    """
    found: dict[Parts, None] = {}
    for text in _texts(file_name):
        for parts in (_parts(text), _parts(_DRIVE.sub("", text))):
            if parts:
                found[parts] = None
    return list(found)


def _texts(name: str) -> Iterator[str]:
    address = _SCHEME.sub("", name)
    is_url = address != name
    if is_url:
        # The host is not a folder of the export.
        address = address[re.search(r"[/\\]|$", address).end() :]  # type: ignore[union-attr]
    else:
        yield name
        yield from _decoded(name)
    path, query = re.match(r"([^?#]*)(.*)", address, re.DOTALL).groups()  # type: ignore[union-attr]
    yield path
    yield from _decoded(path)
    yield unquote_plus(path)
    if is_url:
        # A sign that an address must encode, not encoded.
        yield address
        yield from _decoded(address)
    yield name.strip()
    # As in /data/local-files/?d=images/a.jpg.
    for _, value in parse_qsl(query[1:].partition("#")[0]):
        if is_image_name(value):
            yield value
            yield from _decoded(value)


def _decoded(text: str) -> Iterator[str]:
    for _ in range(_MAX_DECODINGS):
        before, text = text, unquote(text)
        if text == before:
            return
        yield text


def _parts(text: str) -> Parts:
    if "\0" in text:
        return ()
    ends_open = text.endswith(("/", "\\"))
    parts = tuple(p for p in re.split(r"[/\\]", text) if p not in ("", ".", ".."))
    return () if ends_open else parts
