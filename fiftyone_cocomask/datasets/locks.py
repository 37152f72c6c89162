"""One at a time: work on a dataset that two must not do at once."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import fiftyone as fo
import psutil
import pymongo
from fiftyone.core.odm import get_db_conn
from pymongo.errors import DuplicateKeyError, PyMongoError

from ..errors import CocoMaskError
from ..running import has_ended, process_space
from .database_errors import explain_database_errors
from .documents import Document, dataset_id

_COLLECTION = "cocomask.locks"
# A lock that is not renewed for this long is of a process, or a machine, that is gone.
_LASTS = timedelta(seconds=120)
_RENEWED_EVERY_S = 20.0
# How long letting others in may take: MongoDB may be away, which has been said by then.
_RELEASED_WITHIN_S = 2.0

# How long to wait for somebody else: a killed process may take a moment to end.
_WAITS_S = 2.0

# The owners of locks that this process has given up, but that the database still has.
_given_up: set[str] = set()


class Lock:
    """The lock that this process holds.

    Args:
        content: what the database holds of it
    """

    def __init__(self, content: Document) -> None:
        self._content = content
        self._stopped = threading.Event()
        self._renewing = threading.Thread(target=self._renew, daemon=True)
        self._renewing.start()

    def check(self) -> None:
        """Checks that the lock is still this process's.

        A process that was stopped for minutes, by whatever, may have lost it.

        Raises:
            CocoMaskError: if somebody else has taken it
        """
        with explain_database_errors():
            found = _locks().find_one(self._condition)
        if found is None:
            raise CocoMaskError(
                f"The {self._content['work']} was interrupted for minutes and "
                "somebody else has begun one since; run the same call again"
            )

    def release(self) -> None:
        """Lets others in."""
        self._stopped.set()
        # One that stays is known here, or is of a process that has ended, or expires.
        _given_up.add(self._content["owner"])
        with suppress(PyMongoError), pymongo.timeout(_RELEASED_WITHIN_S):
            _locks().delete_one(self._condition)
            _given_up.discard(self._content["owner"])

    @property
    def _condition(self) -> Document:
        return {"_id": self._content["_id"], "owner": self._content["owner"]}

    def _renew(self) -> None:
        while not self._stopped.wait(_RENEWED_EVERY_S):
            try:
                _locks().update_one(
                    self._condition, {"$set": {"expires": _now() + _LASTS}}
                )
            except PyMongoError:
                continue


@contextmanager
def locked(dataset: fo.Dataset | str, work: str) -> Iterator[Lock]:
    """Keeps others, of any process and machine, from the same work on a dataset.

    The lock of a process that was killed is taken over: at once on its own machine, on
    others after two minutes.

    Args:
        dataset: the dataset, or the name of one that is not there yet
        work: what is done, as a noun: ``"import"``

    Yields:
        the :class:`Lock`

    Raises:
        CocoMaskError: if somebody else is at work; it says who
    """
    lock = Lock(_acquire(dataset, work))
    try:
        yield lock
    finally:
        lock.release()


def _acquire(dataset: fo.Dataset | str, work: str) -> Document:
    name = dataset if isinstance(dataset, str) else dataset.name
    key = f"name {name}" if isinstance(dataset, str) else dataset_id(dataset)
    content: Document = {
        "_id": f"{key}/{work}",
        "work": work,
        "owner": str(uuid4()),
        "place": process_space(),
        "process": os.getpid(),
        "started": psutil.Process().create_time(),
        "since": _now(),
        "expires": _now() + _LASTS,
    }
    waits_until = time.monotonic() + _WAITS_S
    with explain_database_errors():
        while True:
            try:
                _locks().insert_one(content)
                return content
            except DuplicateKeyError:
                found = _locks().find_one({"_id": content["_id"]})
            if found is None:
                continue
            if not _is_abandoned(found):
                if time.monotonic() < waits_until:
                    time.sleep(0.1)
                    continue
                raise CocoMaskError(
                    f"Dataset '{name}' has another {work} going on, of process "
                    f"{found['process']} on {found['place'].partition('/')[0]} since "
                    f"{found['since']:%H:%M} UTC; run the same call again when it is "
                    "done"
                )
            theirs = {"_id": found["_id"], "owner": found["owner"]}
            if _locks().find_one_and_replace(theirs, content) is not None:
                return content


def _is_abandoned(found: Document) -> bool:
    """Whether a lock is of a process that has ended."""
    if found["expires"] < _now() or found["owner"] in _given_up:
        return True
    if found["place"] != process_space():
        return False
    return has_ended(found["process"], found["started"])


def _locks() -> Any:
    return get_db_conn()[_COLLECTION]


def _now() -> datetime:
    """Returns the time as MongoDB gives it back: UTC, without a time zone."""
    return datetime.now(timezone.utc).replace(tzinfo=None)
