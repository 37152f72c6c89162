"""Whether an image of an export says what it said at the last import.

Nearly all do when an export is imported again. Their annotations need not be made into
labels then, only to be compared with those that are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from hashlib import blake2b
from itertools import chain
from operator import attrgetter
from pathlib import PurePath
from typing import Any

import msgspec
import numpy as np

from ...coco.records import Annotation, ImageRecord
from ...version import __version__

_DIGEST_BYTES = 9


def said_digest(record: ImageRecord, tags: Sequence[str]) -> bytes | None:
    """Returns a digest of all that an import writes on the sample of an image.

    Another version of this plugin may make something else of the same export, so its
    images are new to it.

    Args:
        record: the image
        tags: the tags that every sample of the import gets

    Returns:
        a few bytes; None if an annotation has a value that cannot be compared
    """
    annotations = list(map(_of_annotation, record.annotations))
    rings: list[Any] = [annotation.rings for annotation in record.annotations]
    sizes = [list(map(len, of_one)) for of_one in rings]
    try:
        said = (__version__, tags, _of_image(record), annotations, sizes)
        digest = blake2b(_encoder.encode(said), digest_size=_DIGEST_BYTES)
        digest.update(b"".join(chain.from_iterable(rings)))
    except (TypeError, ValueError, OverflowError, BufferError):
        return None
    return digest.digest()


def _all_but(kind: type, left_out: str) -> attrgetter[tuple[Any, ...]]:
    names = [field.name for field in fields(kind) if field.name != left_out]
    return attrgetter(*names)


# Encoding the numbers of the rings one by one would take longer than all the rest.
_of_image = _all_but(ImageRecord, "annotations")
_of_annotation = _all_but(Annotation, "rings")


def _plain(value: Any) -> Any:
    """Returns a part of a record as what MessagePack has."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, PurePath):
        return str(value)
    raise NotImplementedError(f"a {type(value).__name__} cannot be encoded")


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)
