"""Processes of FiftyOne's own command that take delegated operations from the queue."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fiftyone.operators.delegated import DelegatedOperationService

from ..ready_process import ReadyProcess
from .delegation import operations

SECONDS = 600

# The command of FiftyOne's, as `fiftyone` runs it.
COMMAND = "from fiftyone.core.cli import main; main()"

# `fiftyone delegated launch`, which says in a file what it does.
LAUNCH = """
import os, sys
import fiftyone as fo
from fiftyone.core.cli import main

log = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT)
os.dup2(log, 1)
os.dup2(log, 2)
sys.stdout.reconfigure(line_buffering=True)
fo.config.allow_legacy_orchestrators = True
main()
"""


class Workers:
    """Processes of FiftyOne's own command that take what is queued."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        self._running: list[tuple[ReadyProcess, Path]] = []

    def start(self, number: int) -> None:
        for _ in range(number):
            output = self._folder / f"worker-{next(self._numbers)}.log"
            process = ReadyProcess(LAUNCH, str(output), "delegated", "launch")
            self._running.append((process, output))
        for _, output in self._running:
            self.wait(lambda: "service running" in said(output))  # noqa: B023

    def command(self, *arguments: str) -> None:
        """Runs a command of FiftyOne as a person would."""
        with ReadyProcess(COMMAND, "delegated", *arguments) as process:
            _, errors = process.communicate(SECONDS)
            assert process.exit_code == 0, errors

    def kill_one_in_the_middle(self, is_begun: Callable[[Any], bool]) -> str:
        """Kills a worker whose operation has begun, and returns the operation's id."""
        # The moment may be short.
        killed = self.wait(lambda: self._kill(is_begun), every=0.01)
        assert DelegatedOperationService().get(killed).run_state == "running"
        return str(killed)

    def _kill(self, is_begun: Callable[[Any], bool]) -> Any:
        for operation in operations("running"):
            for process, output in self._running:
                is_its = f"Running operation {operation.id}" in said(output)
                if is_its and is_begun(operation):
                    # It may be done in this moment.
                    os.kill(process.pid, signal.SIGSTOP)
                    state = DelegatedOperationService().get(operation.id).run_state
                    if state != "running":
                        os.kill(process.pid, signal.SIGCONT)
                        continue
                    process.end()
                    self._running.remove((process, output))
                    return operation.id
        return None

    def wait(self, condition: Callable[[], Any], every: float = 0.05) -> Any:
        """Waits until a condition holds, and returns what it says.

        Args:
            condition: what to wait for
            every: after so many seconds it is looked at again, which takes from the
                processes that are waited for
        """
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            if found := condition():
                return found
            time.sleep(every)
        raise AssertionError([said(output) for _, output in self._running])

    def stop(self) -> None:
        for process, _ in self._running:
            process.end()


def said(output: Path) -> str:
    """Returns what a process has said, which may not have begun."""
    return output.read_text() if output.exists() else ""
