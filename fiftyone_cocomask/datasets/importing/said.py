"""Whether an image of an export says what it said at the last import.

Nearly all do when an export is imported again. Their annotations need not be made into
labels then, only to be compared with those that are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import PurePath
from typing import Any

import msgspec
import numpy as np

from ...coco.records import ImageRecord
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
    try:
        said = _encoder.encode((__version__, tags, record))
    except (TypeError, ValueError, OverflowError):
        return None
    return blake2b(said, digest_size=_DIGEST_BYTES).digest()


def _plain(value: Any) -> Any:
    """Returns a part of a record as what MessagePack has."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, PurePath):
        return str(value)
    raise NotImplementedError(f"a {type(value).__name__} cannot be encoded")


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)
