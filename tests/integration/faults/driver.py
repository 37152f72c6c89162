"""Runs calls that end before one of their writes, each in a process of its own.

It has FiftyOne loaded and forks for each call, so that nothing that one process
remembers helps the next. What is there before a call is put back as documents and
files. A line of JSON on stdin is a request, one on stdout its answer.
"""

from __future__ import annotations

import json
import os
import pickle
import select
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
from pymongo import monitoring

from .counter import COUNTER, KILLED
from .proxy import Proxy


def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    proxy = Proxy(port)
    # FiftyOne is loaded, and has not connected yet.
    os.environ.pop("FIFTYONE_PRIVATE_DATABASE_PORT", None)
    fo.config.database_uri = (
        f"mongodb://127.0.0.1:{proxy.port}/"
        "?serverSelectionTimeoutMS=2000&connectTimeoutMS=2000"
    )
    fo.config.database_name = "faults"
    fo.config.default_dataset_dir = str(folder / "datasets")
    monitoring.register(COUNTER)
    from .jobs import JOBS, write_exports

    import_all()
    write_exports(folder)
    for line in sys.stdin:
        request = json.loads(line)
        job = JOBS[request["job"]]
        if request["do"] == "prepare":
            answer = None
            if not place_of(job, folder).exists():
                answer = in_process(prepare, job, folder)
        elif request["do"] == "disturb":
            answer = disturb(job, folder, request["at"], proxy, request["how"])
        elif request["do"] == "complete":
            answer = in_process(complete, job, folder)
        else:
            answer = in_process(read)
        print(json.dumps(answer), flush=True)


def import_all() -> None:
    """Imports what the calls would import in each process anew."""
    import pandas  # noqa: F401
    from PIL import Image

    import fiftyone_cocomask as fcm

    from . import content  # noqa: F401

    Image.preinit()
    for name in fcm.__all__:
        getattr(fcm, name)


def prepare(job: Any, folder: Path) -> Any:
    """Makes what is there before a call, and keeps it."""
    shutil.rmtree(folder / "datasets", ignore_errors=True)
    for name in database().list_collection_names():
        database().drop_collection(name)
    connect_anew()
    job.prepare(folder)
    (folder / "datasets").mkdir(exist_ok=True)
    collections = {
        name: list(database()[name].find())
        for name in database().list_collection_names()
    }
    kept = place_of(job, folder)
    shutil.copytree(folder / "datasets", kept / "files")
    (kept / "collections").write_bytes(pickle.dumps(collections))


def place_of(job: Any, folder: Path) -> Path:
    """Returns where what is there before a call is kept; several calls share it."""
    return folder / f"before-{job.prepare.__name__}"


def put_back(job: Any, folder: Path) -> None:
    """Puts back what was there before a call."""
    kept = place_of(job, folder)
    collections = pickle.loads((kept / "collections").read_bytes())
    for name in database().list_collection_names():
        if name not in collections:
            database().drop_collection(name)
    for name, documents in collections.items():
        database()[name].delete_many({})
        if documents:
            database()[name].insert_many(documents)
    shutil.rmtree(folder / "datasets", ignore_errors=True)
    shutil.copytree(kept / "files", folder / "datasets")


def failure(error: Exception) -> dict[str, str]:
    """Returns what a call has failed with."""
    return {
        "error": type(error).__name__,
        "said": str(error) or traceback.format_exc()[-1500:],
    }


def disturb(job: Any, folder: Path, at: int, proxy: Proxy, how: str) -> Any:
    """Makes a call and ends it, or its database, before a write of it."""
    ask, asked = os.pipe()
    told, tell = os.pipe()

    def cut() -> None:
        os.write(asked, b"x")
        os.read(told, 1)

    def act() -> Any:
        put_back(job, folder)
        COUNTER.arm(at, cut if how == "database" else lambda: os._exit(KILLED))
        try:
            job.act(folder)
        except Exception as error:
            return failure(error)
        return {"writes": COUNTER.number}

    answer = in_process(lambda: act(), waiting=(ask, lambda: cut_off(proxy, tell)))
    proxy.open()
    for pipe in (ask, asked, told, tell):
        os.close(pipe)
    return answer


def cut_off(proxy: Proxy, tell: int) -> None:
    proxy.close()
    os.write(tell, b"x")


def complete(job: Any, folder: Path) -> Any:
    """Reads what a fault has left, makes the call again, and tells what is there."""
    from .content import content
    from .jobs import NAME

    if fo.dataset_exists(NAME):
        content(fo.load_dataset(NAME))
    try:
        job.act(folder)
    except Exception as error:
        return failure(error)
    return content(fo.load_dataset(NAME))


def read() -> Any:
    """Tells what is there."""
    from .content import content
    from .jobs import NAME

    return content(fo.load_dataset(NAME))


def in_process(
    call: Callable[..., Any],
    *arguments: Any,
    waiting: tuple[int, Callable[[], None]] | None = None,
) -> Any:
    """Returns what a call returns in a process of its own, or how that ended."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(2, 1)
        try:
            answer = call(*arguments)
        except BaseException:
            answer = {"error": "unexpected", "said": traceback.format_exc()}
        with os.fdopen(theirs, "w") as stream:
            stream.write(json.dumps(answer))
        os._exit(0)
    os.close(theirs)
    text = b""
    watched = [ours] + ([waiting[0]] if waiting else [])
    while True:
        ready, _, _ = select.select(watched, [], [])
        if waiting and waiting[0] in ready:
            os.read(waiting[0], 1)
            waiting[1]()
            watched = [ours]
        if ours in ready:
            part = os.read(ours, 2**16)
            if not part:
                break
            text += part
    os.close(ours)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) == KILLED:
        return {"killed": True}
    return json.loads(text)


def database() -> Any:
    from fiftyone.core.odm import get_db_conn

    return get_db_conn()


def connect_anew() -> None:
    """Writes what FiftyOne expects in every database."""
    from fiftyone.core.odm import get_db_config

    get_db_config()
