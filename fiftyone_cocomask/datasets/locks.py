"""One at a time: work on a dataset that two must not do at once."""

from __future__ import annotations

import functools
import inspect
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

import fiftyone as fo
import psutil
import pymongo
from fiftyone.core.odm import get_db_conn
from pymongo.errors import DuplicateKeyError, PyMongoError

from ..errors import CocoMaskError
from ..running import has_ended, process_space
from .database_errors import explain_database_errors
from .documents import Document, current_dataset, dataset_id, root_dataset
from .documents.runs import reload_runs

P = ParamSpec("P")
R = TypeVar("R")

# What is done under a key of a run: none may be made, renamed or deleted meanwhile.
RUN_OF = "run of '{eval_key}'"
# Searches for mask issues and changes of labels read what others of them write.
ISSUES = "search for mask issues, or change of labels,"
_OUTLINE = "change of its fields or saved views"

_COLLECTION = "cocomask.locks"
# A lock that is not renewed for this long is of a process, or a machine, that is gone.
_LASTS = timedelta(seconds=120)
_RENEWED_EVERY_S = 20.0
# Who joins what tasks have found waits for those of machines that are gone.
WAITS_TO_JOIN_S = _LASTS.total_seconds() + _RENEWED_EVERY_S
# How long letting others in may take: MongoDB may be away, which has been said by then.
_RELEASED_WITHIN_S = 2.0

# How long to wait for somebody else, as a rule.
_WAITS_S = 2.0
# Declaring fields takes moments: who is at it is waited for.
_WAITS_FOR_OUTLINE_S = 60.0

# The owners of locks that this process has given up, but that the database still has.
_given_up: set[str] = set()


class AtWorkError(CocoMaskError):
    """Somebody else does what only one may do at a time."""


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
def locked(
    dataset: fo.Dataset | str,
    work: str,
    *,
    shared: bool = False,
    waits_s: float | None = None,
) -> Iterator[Lock]:
    """Keeps others, of any process and machine, from the same work on a dataset.

    The lock of a process that was killed is taken over: at once on its own machine, on
    others after two minutes. What others have changed on the dataset until then is read
    anew.

    Args:
        dataset: the dataset, or the name of one that is not there yet
        work: what is done, as a noun: ``"import"``
        shared: whether others who share it may be at work too, as the tasks of one run
        waits_s: how long to wait for who is at work; by default two seconds, since a
            killed process may take a moment to end

    Yields:
        the :class:`Lock`

    Raises:
        AtWorkError: if somebody else is at work; it says who
    """
    waits_until = time.monotonic() + (_WAITS_S if waits_s is None else waits_s)
    lock = Lock(_acquire(dataset, work, shared, waits_until))
    try:
        if not isinstance(dataset, str):
            reload_runs(current_dataset(dataset))
        yield lock
    finally:
        lock.release()


def one_at_a_time(work: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Makes a function of a dataset one that only one may call at a time.

    A dry run, which writes nothing, is not kept from anything.

    Args:
        work: as for :func:`locked`, with the names of arguments in braces
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            given = signature.bind(*args, **kwargs)
            given.apply_defaults()
            if given.arguments.get("dry_run"):
                return function(*args, **kwargs)
            dataset = root_dataset(next(iter(given.arguments.values())))
            with locked(dataset, work.format(**given.arguments)):
                return function(*args, **kwargs)

        return call

    return decorate


@contextmanager
def changing_outline(dataset: fo.Dataset) -> Iterator[None]:
    """Keeps others from changing the fields and saved views that a dataset lists.

    FiftyOne reads the whole list, and writes the whole list: of two changes at the same
    time one would be lost.

    Raises:
        AtWorkError: if others do it all the time
    """
    with locked(dataset, _OUTLINE, waits_s=_WAITS_FOR_OUTLINE_S):
        yield


def _acquire(
    dataset: fo.Dataset | str, work: str, shared: bool, waits_until: float
) -> Document:
    name = dataset if isinstance(dataset, str) else dataset.name
    key = f"name {name}" if isinstance(dataset, str) else dataset_id(dataset)
    lock, owner = f"{key}/{work}", str(uuid4())
    content: Document = {
        "_id": f"{lock}/{owner}" if shared else lock,
        "lock": lock,
        "shared": shared,
        "work": work,
        "owner": owner,
        "place": process_space(),
        "process": os.getpid(),
        "started": psutil.Process().create_time(),
        "since": _now(),
        "expires": _now() + _LASTS,
    }
    try:
        with explain_database_errors():
            while (found := _in_the_way(content)) is not None:
                if time.monotonic() >= waits_until:
                    raise AtWorkError(
                        f"Dataset '{name}' has another {work} going on, of process "
                        f"{found['process']} on {found['place'].partition('/')[0]} "
                        f"since {found['since']:%H:%M} UTC; run the same call again "
                        "when it is done"
                    )
                time.sleep(0.1)
    except BaseException:
        # MongoDB may have it all the same.
        _given_up.add(owner)
        raise
    return content


def _in_the_way(content: Document) -> Document | None:
    """Takes a lock; returns whose is in the way, if any is, and has none then.

    Who shares a lock has an entry of its own. Each writes its entry before it looks for
    others, so that of two that are in each other's way at least one sees it.
    """
    try:
        _locks().insert_one(content)
    except DuplicateKeyError:
        found: Document | None = _locks().find_one({"_id": content["_id"]})
        if found is None:
            return _in_the_way(content)
        theirs = {"_id": found["_id"], "owner": found["owner"]}
        if not _is_abandoned(found):
            return found
        if _locks().find_one_and_replace(theirs, content) is None:
            return found
    others = {"lock": content["lock"], "_id": {"$ne": content["_id"]}}
    for other in _locks().find(others):
        if content["shared"] and other["shared"]:
            continue
        if not _is_abandoned(other):
            _locks().delete_one({"_id": content["_id"], "owner": content["owner"]})
            entry: Document = other
            return entry
        _locks().delete_one({"_id": other["_id"], "owner": other["owner"]})
    return None


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
