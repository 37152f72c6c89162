"""A FiftyOne of its own for a process of tests: to be imported before FiftyOne is."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import psutil

from fiftyone_cocomask.demo.own_fiftyone import delete_own_fiftyone, use_own_settings

# In memory where there is room: MongoDB waits for the disk with each new dataset.
_MEMORY = "/dev/shm"
_HAS_ROOM = os.path.isdir(_MEMORY) and shutil.disk_usage(_MEMORY).free > 2**31
_FOLDER = Path(
    tempfile.mkdtemp(prefix="cocomask-tests-", dir=_MEMORY if _HAS_ROOM else None)
)
atexit.register(delete_own_fiftyone, _FOLDER)
# FiftyOne reads its settings when it is imported.
use_own_settings(_FOLDER, show_progress_bars=False)

# The database ends with the process that holds the other end of the pipe, even if that
# is killed; and so does its folder, which takes 300 MB of memory.
_KEEPER = """
import shutil, subprocess, sys
folder, *command = sys.argv[1:]
with subprocess.Popen(command, stdin=subprocess.DEVNULL) as database:
    print(database.pid, flush=True)
    sys.stdin.read()
    database.terminate()
shutil.rmtree(folder, ignore_errors=True)
"""


@cache
def load_fiftyone() -> subprocess.Popen[bytes]:
    """Starts a database, and loads FiftyOne as tests want it.

    FiftyOne would start the database itself, but from one more process that imports
    FiftyOne first: seconds.

    Returns:
        the process that keeps the database, as long as somebody keeps it
    """
    import fiftyone as fo
    from fiftyone.core.service import DatabaseService
    from fiftyone.service.util import get_listening_tcp_ports

    # An option of FiftyOne's: manifests are read again where one has changed, not for
    # each call of an operator. Processes that tests start, and the App, have it as it
    # is.
    fo.config.plugins_cache_enabled = True
    # By default it walks through all of FiftyOne's objects every few tests.
    gc.set_threshold(50_000, 20, 100)
    arguments = ["--dbpath", str(_FOLDER / "database"), "--port", "0"]
    arguments += ["--logpath", str(_FOLDER / "mongo.log")]
    if sys.platform != "win32":
        arguments.append("--nounixsocket")
    keeper = subprocess.Popen(
        [
            *(sys.executable, "-S", "-c", _KEEPER, str(_FOLDER)),
            *(DatabaseService.find_mongod(), *arguments),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C is for this process, which needs the database until its end.
        start_new_session=True,
    )
    assert keeper.stdout is not None
    database = psutil.Process(int(keeper.stdout.readline()))
    while not (ports := list(get_listening_tcp_ports(database))):
        assert keeper.poll() is None, "MongoDB does not start"
        time.sleep(0.05)
    os.environ["FIFTYONE_PRIVATE_DATABASE_PORT"] = str(ports[0])
    return keeper
