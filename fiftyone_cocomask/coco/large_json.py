"""A JSON too large to be held in memory: its lists by where their entries are in it.

The file is read in pieces; entries are found by decoding these, and read again when
their turn comes. What is out of the ordinary (other encodings, text to be mended, keys
that are there twice, broken JSON) is left to the way that reads all of it.
"""

from __future__ import annotations

import os
import re
import weakref
from array import array
from collections.abc import Iterator, Sequence
from typing import IO, TypeVar, overload

import msgspec

from ..errors import ExportError

# Smaller JSONs are read at once, which is faster.
MIN_BYTES = 2**23
_PIECE = 2**22
# Lists other than images and annotations are held as text up to this.
_MAX_TEXT = 2**26
# Keys and values other than lists are within this.
_MAX_VALUE = 2**20
_MAX_TRIES = 100
# COCO's have few members; each that is looked for takes the time of a large piece.
_MAX_MEMBERS = 200
# A number or an escaped character that is cut is an error this near to the end.
_MAX_CUT = 64
_PLACE = re.compile(r"JSON is malformed: (.*) \(byte (\d+)\)")

_Decoded = TypeVar("_Decoded")

_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_object_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_START = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*\{")
_START_OF_LIST = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*\[[ \t\r\n]*")
_KEY = re.compile(rb'[ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*:[ \t\r\n]*')
_END = re.compile(rb"[ \t\r\n]*\}[ \t\r\n]*\Z")
_SPACE = re.compile(rb"[ \t\r\n]*")
_COMMA = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]')
_SCALAR = re.compile(rb'"(?:[^"\\]|\\.)*"|[^,}\]\s]+')
_BEHIND_ENTRY = re.compile(rb"[ \t\r\n]*[,\]]")
_ENTRY_END = re.compile(rb"\}[ \t\r\n]*,")


class Unusual(Exception):
    """The file is better read in the other way."""


class ListInsteadError(Unusual):
    """The file is a list and no object.

    Args:
        first: its first entry
    """

    def __init__(self, first: msgspec.Raw) -> None:
        super().__init__()
        self.first = first


class LargeFile:
    """A file that is read by places.

    Args:
        file: the open file, which is closed when nothing holds a place in it any more
        path: what to call it in messages

    Raises:
        OSError: if it cannot be read
    """

    def __init__(self, file: IO[bytes], path: str) -> None:
        self.path = path
        self._file = file.fileno()
        weakref.finalize(self, file.close)
        self._state = self._current_state()

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        return self._state[0]

    def read(self, start: int, end: int) -> bytes:
        """Returns the bytes from one place to another, or to the end of the file.

        Raises:
            ExportError: if the file was changed since it was opened, or is gone
        """
        try:
            data = b""
            while len(data) < min(end, self.size) - start:
                more = self._piece(start + len(data), end - start - len(data))
                if not more:
                    break
                data += more
            state = self._current_state()
        except OSError as error:
            reason = error.strerror or error
            raise ExportError(f"{self.path} cannot be read: {reason}") from error
        if state != self._state:
            raise ExportError(
                f"{self.path} was changed while it was read; do it again when the file "
                "is complete"
            )
        return data

    def _piece(self, start: int, length: int) -> bytes:
        if hasattr(os, "pread"):
            # Forked processes share the place that a file is read from.
            return os.pread(self._file, length, start)
        os.lseek(self._file, start, os.SEEK_SET)
        return os.read(self._file, length)

    def _current_state(self) -> tuple[int, int]:
        state = os.fstat(self._file)
        return state.st_size, state.st_mtime_ns


class LargeList(Sequence[msgspec.Raw]):
    """The undecoded entries of a list in a file, read when they are asked for.

    Args:
        file: the file
    """

    def __init__(self, file: LargeFile) -> None:
        self._file = file
        self._starts = array("Q")
        self._ends = array("Q")

    def add(self, start: int, end: int) -> None:
        """Adds the entry between two places of the file."""
        self._starts.append(start)
        self._ends.append(end)

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, place: int) -> msgspec.Raw: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[msgspec.Raw]: ...

    def __getitem__(self, place: int | slice) -> msgspec.Raw | Sequence[msgspec.Raw]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        return msgspec.Raw(self._file.read(self._starts[place], self._ends[place]))

    def __iter__(self) -> Iterator[msgspec.Raw]:
        """Yields the entries in their order, many of them read together."""
        return self._read(range(len(self)))

    def at(self, places: Sequence[int]) -> list[msgspec.Raw]:
        """Returns the entries at some ascending places.

        Those that follow on are read together.
        """
        return list(self._read(places))

    def _read(self, places: Sequence[int]) -> Iterator[msgspec.Raw]:
        first = 0
        while first < len(places):
            begin = self._starts[places[first]]
            last = first + 1
            while (
                last < len(places)
                and places[last] == places[last - 1] + 1
                and self._ends[places[last]] - begin <= _PIECE
            ):
                last += 1
            data = self._file.read(begin, self._ends[places[last - 1]])
            for place in places[first:last]:
                start, end = self._starts[place] - begin, self._ends[place] - begin
                yield msgspec.Raw(data[start:end])
            first = last

    def text(self) -> msgspec.Raw:
        """Returns the whole list, undecoded.

        Raises:
            Unusual: if it is too large for that
        """
        if not len(self):
            return msgspec.Raw(b"[]")
        if self._ends[-1] - self._starts[0] > _MAX_TEXT:
            raise Unusual
        return msgspec.Raw(
            b"[" + self._file.read(self._starts[0], self._ends[-1]) + b"]"
        )


def large_parts(file: IO[bytes], path: str) -> dict[str, msgspec.Raw | LargeList]:
    """Returns the values of a large JSON's top-level object.

    Args:
        file: the open file, as for :class:`LargeFile`
        path: what to call it in messages

    Raises:
        ListInsteadError: if it is a list
        Unusual: if it has to be read at once
        OSError: if it cannot be read
    """
    return _Scanner(LargeFile(file, path)).parts()


class _Scanner:
    """Goes through a file once, from its beginning to its end."""

    def __init__(self, file: LargeFile) -> None:
        self._file = file
        self._place = 0
        self._begin = 0
        self._data = b""

    def parts(self) -> dict[str, msgspec.Raw | LargeList]:
        found: dict[str, msgspec.Raw | LargeList] = {}
        if _START_OF_LIST.match(self._piece(_MAX_VALUE)):
            self._skip(_START_OF_LIST)
            raise ListInsteadError(self._first_entry())
        self._skip(_START)
        while len(found) <= _MAX_MEMBERS:
            data = self._piece(_MAX_VALUE)
            if self._place + len(data) == self._file.size and _END.match(data):
                return found
            if found:
                self._skip(_COMMA)
            text = self._skip(_KEY)[1]
            is_list = self._piece(1) == b"["
            # Decoded as where all is read at once, so that the same is refused.
            member = b"{%b:%b}" % (text, b"null" if is_list else self._value())
            [(key, value)] = _decoded(member, _object_decoder).items()
            if key in found:
                raise Unusual
            found[key] = self._list() if is_list else value
        raise Unusual

    def _first_entry(self) -> msgspec.Raw:
        """Returns the entry at the current place of a list."""
        value = self._value()
        self._skip(_BEHIND_ENTRY)
        [entry] = _decoded(b"[" + value + b"]", _list_decoder)
        return entry

    def _piece(self, size: int) -> bytes:
        """Returns so many bytes from the current place on, fewer at the end."""
        start = self._place - self._begin
        if start + size > len(self._data):
            more = max(size, _PIECE)
            self._data = self._file.read(self._place, self._place + more)
            self._begin, start = self._place, 0
        return self._data[start : start + size]

    def _skip(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        match = pattern.match(self._piece(_MAX_VALUE))
        if match is None:
            raise Unusual
        self._place += match.end()
        return match

    def _value(self) -> bytes:
        """Returns what should be a value at the current place and goes past it."""
        data = self._piece(_MAX_VALUE)
        if data[:1] not in (b"{", b"["):
            return self._skip(_SCALAR)[0]
        depth = 0
        for token in _TOKEN.finditer(data):
            depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(token[0], 0)
            if depth == 0:
                self._place += token.end()
                return data[: token.end()]
        raise Unusual

    def _list(self) -> LargeList:
        """Returns the list at the current place and goes past it."""
        self._place += 1
        self._skip(_SPACE)
        entries = LargeList(self._file)
        if self._piece(1) == b"]":
            self._place += 1
            return entries
        while True:
            data = self._piece(_PIECE)
            raws, cut, is_end = _entries(data)
            if not raws:
                raise Unusual
            self._add(entries, data, raws)
            self._place += cut
            if is_end:
                self._place += 1
                return entries
            self._skip(_COMMA)

    def _add(self, entries: LargeList, data: bytes, raws: list[msgspec.Raw]) -> None:
        place = 0
        for number, raw in enumerate(raws):
            between = (_COMMA if number else _SPACE).match(data, place)
            if between is None:
                raise Unusual
            end = between.end() + len(memoryview(raw))
            entries.add(self._place + between.end(), self._place + end)
            place = end


def _entries(data: bytes) -> tuple[list[msgspec.Raw], int, bool]:
    """Returns the entries that a list goes on with, as many as data holds.

    Nearly all data ends within a list, so that is tried first: where it does, the
    entries are decoded once.

    Returns:
        the entries, where they end, and whether the list ends there
    """
    cut, raws = _up_to_last_entry(data, max_tries=1)
    if raws:
        return raws, cut, False
    end = _end_of_list(data)
    if end is not None:
        return _decoded(b"[" + data[:end] + b"]", _list_decoder), end, True
    cut, raws = _up_to_last_entry(data, max_tries=_MAX_TRIES)
    return raws, cut, False


def _end_of_list(data: bytes) -> int | None:
    """Returns where a list ends that data goes on with; None if it is longer."""
    try:
        _list_decoder.decode(b"[" + data)
    except msgspec.DecodeError as error:
        said = _PLACE.search(str(error))
        if said is not None and said[1] == "trailing characters":
            # One more than the place of the first sign behind the list, which has a
            # bracket put before it.
            return data.rfind(b"]", 0, int(said[2]) - 2)
        if said is None or int(said[2]) > len(data) - _MAX_CUT:
            # It stops in the middle of something.
            return None
        raise Unusual from error
    except (RecursionError, UnicodeDecodeError) as error:
        raise Unusual from error
    return data.rfind(b"]")


def _up_to_last_entry(data: bytes, max_tries: int) -> tuple[int, list[msgspec.Raw]]:
    """Returns where the last entry that data holds to its end ends, and all entries.

    None are found where the list does not go on behind that.
    """
    end = len(data)
    for _ in range(max_tries):
        end = data.rfind(b"}", 0, end)
        if end < 0:
            break
        if not _ENTRY_END.match(data, end):
            continue
        try:
            return end + 1, _decoded(b"[" + data[: end + 1] + b"]", _list_decoder)
        except Unusual:
            continue
    return 0, []


def _decoded(data: bytes, decoder: msgspec.json.Decoder[_Decoded]) -> _Decoded:
    try:
        if not data.isascii():
            data.decode()
        return decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Unusual from error
