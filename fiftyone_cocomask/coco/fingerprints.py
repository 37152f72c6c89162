"""What tells one image file from another without reading all of it."""

from __future__ import annotations

import base64
from hashlib import blake2b
from pathlib import Path
from typing import IO

_CHUNK = 4096
# The data of these is compressed: a changed pixel changes what follows, and the size.
_COMPRESSED = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")

# What is larger is not an image, or one that nobody reads twice: nor is all of it read.
_MAX_READ = 2**28


def fingerprint(file: IO[bytes], size_bytes: int) -> str:
    """Returns a short text that is the same for files of the same content.

    It is a digest of the size and of what is at the beginning, in the middle and at the
    end; of small files, and of those whose pixels are not compressed, of everything,
    up to 256 MB.

    Args:
        file: the file; its place is moved
        size_bytes: its size
    """
    digest = blake2b(str(size_bytes).encode(), digest_size=9)
    file.seek(0)
    start = file.read(_CHUNK)
    digest.update(start)
    is_compressed = size_bytes > 3 * _CHUNK and start.startswith(_COMPRESSED)
    if is_compressed or size_bytes > _MAX_READ:
        for place in ((size_bytes - _CHUNK) // 2, size_bytes - _CHUNK):
            file.seek(place)
            digest.update(file.read(_CHUNK))
    else:
        while chunk := file.read(2**20):
            digest.update(chunk)
    return base64.b64encode(digest.digest()).decode()


def file_fingerprint(path: str | Path) -> str | None:
    """Returns the fingerprint of a file, None if it cannot be read."""
    try:
        with open(path, "rb") as file:
            size_bytes = file.seek(0, 2)
            return fingerprint(file, size_bytes)
    except OSError:
        return None
