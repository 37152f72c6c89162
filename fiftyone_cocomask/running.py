"""Which processes are running: those that others left files or locks behind of."""

from __future__ import annotations

import os
import platform

import psutil


def process_space() -> str:
    """Returns where numbers of processes mean the same: a machine, or a container."""
    try:
        space = str(os.stat("/proc/self/ns/pid").st_ino)
    except OSError:
        space = ""
    return f"{platform.node()}/{space}"


def has_ended(number: int, started: float | None = None) -> bool:
    """Whether a process of this machine, or container, has ended.

    Args:
        number: the process's number
        started: when it started, where that is known: its number may be another's now
    """
    try:
        process = psutil.Process(number)
        # One that was killed is there until its parent asks for it.
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return True
        return started is not None and process.create_time() != started
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, OverflowError, ValueError):
        return False
