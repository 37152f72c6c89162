"""What was read of an export as bytes, for other machines.

MessagePack, and not pickle: whoever can write to the database could otherwise have
Python run anything.
"""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ..geometry.outlines import Outline
from .issues import IssueCode
from .records import Annotation, ImageRecord

# The kinds of values that MessagePack does not have by itself.
_ARRAY, _PATH = 1, 2

_annotation_values = attrgetter(*(field.name for field in fields(Annotation)))
_image_values = attrgetter(*(field.name for field in fields(ImageRecord)))


def packed(value: Any) -> bytes:
    """Returns plain values, and arrays, paths and records among them, as bytes.

    Raises:
        ValueError: if there is something that bytes cannot hold: a number of more than
            64 bits, half a character
    """
    try:
        return _encoder.encode(value)
    except (OverflowError, TypeError, NotImplementedError) as error:
        raise ValueError(str(error)) from error


def unpacked(data: bytes) -> Any:
    """Returns the values that :func:`packed` made bytes of.

    Tuples come back as lists, and records as :func:`packed_image` gives them.
    """
    return _decoder.decode(data)


def packed_image(record: ImageRecord) -> list[Any]:
    """Returns an image and its annotations as values for :func:`packed`."""
    values = _named(ImageRecord, _image_values(record))
    values["annotations"] = [_annotation_values(one) for one in record.annotations]
    return list(values.values())


def unpacked_image(values: list[Any]) -> ImageRecord:
    """Returns the image that :func:`packed_image` gave the values of."""
    image = _named(ImageRecord, values)
    image["annotations"] = [_annotation(one) for one in image["annotations"]]
    image["issues"] = list(map(IssueCode, image["issues"]))
    return ImageRecord(**image)


def _annotation(values: list[Any]) -> Annotation:
    annotation = _named(Annotation, values)
    annotation["issues"] = list(map(IssueCode, annotation["issues"]))
    if annotation["box"] is not None:
        annotation["box"] = tuple(annotation["box"])
    if annotation["outline"] is not None:
        annotation["outline"] = Outline(**annotation["outline"])
    return Annotation(**annotation)


def _named(kind: type, values: Any) -> dict[str, Any]:
    names = [field.name for field in fields(kind)]
    return dict(zip(names, values, strict=True))


def _extension(value: Any) -> msgspec.msgpack.Ext:
    if isinstance(value, np.ndarray):
        said = value.dtype.str, value.shape, value.tobytes()
        return msgspec.msgpack.Ext(_ARRAY, _encoder.encode(said))
    if isinstance(value, Path):
        return msgspec.msgpack.Ext(_PATH, str(value).encode())
    raise NotImplementedError(f"a {type(value).__name__} cannot be packed")


def _of_extension(code: int, data: memoryview) -> Any:
    if code == _ARRAY:
        dtype, shape, values = _decoder.decode(data)
        # A copy, since bytes cannot be written to.
        return np.frombuffer(values, dtype).reshape(shape).copy()
    if code == _PATH:
        return Path(bytes(data).decode())
    raise ValueError(f"unknown kind of value: {code}")


_encoder = msgspec.msgpack.Encoder(enc_hook=_extension)
_decoder = msgspec.msgpack.Decoder(ext_hook=_of_extension)
