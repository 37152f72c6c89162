"""Processes that begin with FiftyOne loaded, for tests that stop and kill them.

Each process that loads FiftyOne takes seconds. Here one loads it, and nothing else, and
is forked for each process that a test wants: the fork server of `multiprocessing`.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from contextlib import ExitStack
from multiprocessing.connection import Connection

import fiftyone as fo

_LOADED = ("fiftyone", "fiftyone_cocomask", "fiftyone_cocomask.datasets.importing")


class ReadyProcess:
    """A process that runs code as `python -c` does, on the database of this one.

    Args:
        code: what it runs
        arguments: what follows in ``sys.argv``

    Attributes:
        pid: its number; it has a session of its own, of the same number
        stdin: what it reads
        stdout: what it prints
    """

    def __init__(self, code: str, *arguments: str) -> None:
        # FiftyOne notes in the environment, which the server keeps, where it is.
        fo.list_datasets()
        # Not on every system.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(_LOADED))
        reads, writes = os.pipe()
        answers, prints = os.pipe()
        self._files = ExitStack()
        errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._errors = self._files.enter_context(errors)
        theirs = [reads, prints, os.dup(self._errors.fileno())]
        streams = [Connection(fd) for fd in theirs]
        self._process = context.Process(
            target=_run, args=(code, list(arguments), streams)
        )
        self._process.start()
        for stream in streams:
            stream.close()
        assert self._process.pid is not None
        self.pid: int = self._process.pid
        self.stdin = self._files.enter_context(os.fdopen(writes, "w"))
        self.stdout = self._files.enter_context(os.fdopen(answers))

    def __enter__(self) -> ReadyProcess:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def end(self) -> None:
        """Kills it if it has not ended, and closes its streams."""
        self.kill()
        self._files.close()

    def kill(self) -> None:
        """Kills it, and waits until it has ended."""
        self._process.kill()
        self._process.join()

    @property
    def exit_code(self) -> int | None:
        """Its exit code once it has ended."""
        return self._process.exitcode

    def communicate(self, seconds: float | None = None) -> tuple[str, str]:
        """Closes its input, waits until it has ended, and returns what it has printed.

        That must not be more than a pipe holds.
        """
        self.stdin.close()
        self._process.join(seconds)
        assert self._process.exitcode is not None, f"it runs after {seconds} seconds"
        self._errors.seek(0)
        return self.stdout.read(), self._errors.read()


def _run(code: str, arguments: list[str], streams: list[Connection]) -> None:
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
        stream.close()
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", closefd=False, buffering=1)
    sys.argv = ["-c", *arguments]
    exec(compile(code, "<code>", "exec"), {"__name__": "__main__"})
