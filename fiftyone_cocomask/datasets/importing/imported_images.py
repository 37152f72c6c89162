"""Which images earlier imports have made samples of.

An image that an export still lists, and that is no sample any more, was deleted by a
person: the next version does not bring it back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from hashlib import blake2b
from itertools import chain, count

import fiftyone as fo
from bson import ObjectId

from ...coco.records import ImageRecord
from ..database_errors import explain_database_errors
from ..documents import dataset_id
from ..import_base.info import known_images, note_known_images
from ..locks import changing_outline
from ..stores import Store
from .identity import KnownSample

_STORE = "cocomask_images"
_KEY_BYTES = 8
# So many are in an entry of the store, which may have 16 MB.
_MAX_KEYS = 2**17

Keys = Collection[bytes]


def record_key(record: ImageRecord, origin: str | None) -> bytes | None:
    """Returns a few bytes that tell an image of an export from all others.

    They are the same in its later versions, and None where its file cannot be told from
    others.

    Args:
        record: the image
        origin: the export, and its later versions
    """
    name = record.source_key or record.file_name
    return _key(origin, record.fingerprint, name)


def sample_key(sample: KnownSample) -> bytes | None:
    """Returns :func:`record_key` of the image that a sample was made of."""
    name = sample.source_key or sample.file_name
    return _key(sample.origin, sample.fingerprint, name)


def _key(origin: str | None, fingerprint: str | None, name: str | None) -> bytes | None:
    if fingerprint is None or name is None:
        return None
    text = "\0".join((origin or "", fingerprint, name))
    data = text.encode("utf-8", "surrogatepass")
    return blake2b(data, digest_size=_KEY_BYTES).digest()


class ImportedImages:
    """The keys of all images that are, or were, samples of a dataset.

    Args:
        dataset: the dataset
    """

    def __init__(self, dataset: fo.Dataset) -> None:
        self._dataset = dataset
        self._id = dataset_id(dataset)
        self._store = Store(_STORE, self._id)
        with explain_database_errors():
            self._entries = _entries(self._store)
        self._own: set[bytes] = set().union(*self._entries.values())
        self._copied: set[bytes] = set()
        if not self._entries:
            self._copied = _keys_of_original(dataset)

    def __contains__(self, key: bytes | None) -> bool:
        return key in self._own or key in self._copied

    def all(self) -> Set[bytes]:
        """Returns all keys."""
        return self._own | self._copied

    def change(self, added: Keys, removed: Keys) -> None:
        """Adds keys and removes others; a kill in between leaves the rest as it was.

        Args:
            added: those to add, if they are not there
            removed: those to remove, none of which is added
        """
        with explain_database_errors():
            for name, keys in self._entries.items():
                if not keys.isdisjoint(removed):
                    keys.difference_update(removed)
                    self._store.set(name, b"".join(keys))
            wanted = chain(added, self._copied.difference(added, removed))
            new = [key for key in wanted if key not in self._own]
            free = (str(n) for n in count() if str(n) not in self._entries)
            number = len(self._entries)
            for start in range(0, len(new), _MAX_KEYS):
                name, keys = next(free), set(new[start : start + _MAX_KEYS])
                self._store.set(name, b"".join(keys))
                number += 1
        with changing_outline(self._dataset):
            place = {"dataset": str(self._id), "entries": number}
            note_known_images(self._dataset, place)


def _keys_of_original(dataset: fo.Dataset) -> set[bytes]:
    """Returns the keys that the original of a copied dataset had when it was copied.

    Without an original, or if it is gone, there are none.
    """
    place = known_images(dataset)
    if place.get("dataset") in (None, str(dataset_id(dataset))):
        return set()
    with explain_database_errors():
        original = ObjectId(place["dataset"])
        entries = _entries(Store(_STORE, original))
    # Those that were added later are of imports that the copy did not have.
    return set().union(*(entries.get(str(n), ()) for n in range(place["entries"])))


def _entries(store: Store) -> dict[str, set[bytes]]:
    return {name: set(_split(store.get(name))) for name in store.list_keys()}


def _split(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), _KEY_BYTES):
        yield data[start : start + _KEY_BYTES]
