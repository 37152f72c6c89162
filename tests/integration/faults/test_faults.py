"""Calls that end before any of their writes can be made again, and are complete then.

By default some writes of each call are tried; ``make faults`` tries all of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fiftyone.core.odm import get_db_client

from tests.conftest import needs_posix
from tests.integration.ready_process import ReadyProcess
from tests.integration.small_export import image_name

from .jobs import JOBS

pytestmark = needs_posix

ALL = bool(os.environ.get("COCOMASK_ALL_FAULTS"))
DRIVER = "from tests.integration.faults.driver import main; main()"


class Driver:
    """The process that makes the calls."""

    def __init__(self, folder: Path) -> None:
        _, port = get_db_client().address
        self._process = ReadyProcess(DRIVER, str(folder), str(port))

    def ask(self, do: str, job: str, **request: Any) -> Any:
        line = json.dumps({"do": do, "job": job, **request})
        print(line, file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def end(self) -> None:
        self._process.communicate()
        self._process.end()


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    driver = Driver(tmp_path_factory.mktemp("faults"))
    yield driver
    driver.end()


def moments(writes: int) -> Iterator[tuple[int, str]]:
    """Yields before which of a call's writes to end what."""
    if ALL:
        yield from ((at, "process") for at in range(1, writes + 1))
        yield from ((at, "database") for at in range(1, writes + 1))
    else:
        yield writes // 3 + 1, "database"
        yield 2 * writes // 3 + 1, "process"
        yield writes, "process"


def differences(expected: Any, found: Any, place: str = "") -> Iterator[str]:
    """Yields where two contents differ, and how."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted(expected.keys() | found.keys()):
            inside = expected.get(key), found.get(key)
            yield from differences(*inside, f"{place}/{key}")
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            yield f"{place}: {len(expected)} became {len(found)}"
        for index, inside in enumerate(zip(expected, found, strict=False)):
            yield from differences(*inside, f"{place}/{index}")
    elif expected != found:
        yield f"{place}: {expected!r} became {found!r}"


@pytest.mark.parametrize("job", [name for name in JOBS if ALL or JOBS[name].always])
def test_a_call_that_was_ended_is_completed_by_the_same_call(
    driver: Driver, job: str
) -> None:
    driver.ask("prepare", job)
    whole = driver.ask("disturb", job, at=0, how="process")
    assert "writes" in whole, whole
    expected = driver.ask("read", job)
    assert "samples" in expected, expected
    # A call that is made once more, since nobody knows that it has come to its end.
    found = driver.ask("complete", job)
    assert list(differences(expected, found)) == [], "made twice"
    for at, how in moments(whole["writes"]):
        disturbed = driver.ask("disturb", job, at=at, how=how)
        when = f"{how} ended before write {at} of {whole['writes']}"
        if how == "database" and "writes" in disturbed:
            # All was done: the lock of an import is let go of without an error.
            found = driver.ask("read", job)
            assert list(differences(expected, found)) == [], when
        elif how == "database":
            assert disturbed.get("error") == "DatabaseError", (when, disturbed)
            assert "\n" not in disturbed["said"]
        else:
            assert disturbed.get("killed"), (when, disturbed)
        found = driver.ask("complete", job)
        assert list(differences(expected, found)) == [], when


def test_a_replacement_that_was_killed_and_a_merge_leave_one_generation(
    driver: Driver,
) -> None:
    driver.ask("prepare", "replace")
    whole = driver.ask("disturb", "replace", at=0, how="process")
    for at, how in moments(whole["writes"]):
        if how == "process":
            driver.ask("disturb", "replace", at=at, how=how)
            found = driver.ask("complete", "merge")
            assert "samples" in found, (at, found)
            names = [sample["file_name"] for sample in found["samples"]]
            assert sorted(names) == [image_name(f"{n}") for n in range(4)], at
