"""A FiftyOne for tests that need MongoDB, and datasets that they make."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest

from fiftyone_cocomask.demo.own_fiftyone import delete_own_fiftyone, use_own_fiftyone

# In memory where there is room: MongoDB waits for the disk with each new dataset.
_MEMORY = "/dev/shm"
_HAS_ROOM = os.path.isdir(_MEMORY) and shutil.disk_usage(_MEMORY).free > 2**31
_FOLDER = Path(
    tempfile.mkdtemp(prefix="cocomask-tests-", dir=_MEMORY if _HAS_ROOM else None)
)
atexit.register(delete_own_fiftyone, _FOLDER)
# Before the import below: FiftyOne reads its settings when it is imported.
use_own_fiftyone(_FOLDER, show_progress_bars=False)

import fiftyone as fo  # noqa: E402
import fiftyone.service.util as service_util  # noqa: E402
from fiftyone.core.service import Service  # noqa: E402

# Before a database starts, its process imports FiftyOne. On a busy machine that takes
# longer than the minute that FiftyOne waits.
Service._wait_for_child_port = partialmethod(Service._wait_for_child_port, timeout=900)

_listening_ports = service_util.get_listening_tcp_ports


def _ports_of_servers(process: Any) -> Iterator[int]:
    """Yields ports, but not of a child that is still a copy of FiftyOne's process.

    Until it becomes the database, it has its parent's port, which FiftyOne would take
    for the database's.
    """
    if process.exe() != process.parent().exe():
        yield from _listening_ports(process)


service_util.get_listening_tcp_ports = _ports_of_servers

# An option of FiftyOne's: manifests are read again where one has changed, not for each
# call of an operator. Processes that tests start, and the App, have it as it is.
fo.config.plugins_cache_enabled = True


@pytest.fixture
def new_dataset() -> Iterator[Callable[..., fo.Dataset]]:
    """Makes empty datasets; every dataset that a test makes is deleted after it."""
    before = set(fo.list_datasets())
    yield fo.Dataset
    for name in set(fo.list_datasets()) - before:
        fo.delete_dataset(name)
