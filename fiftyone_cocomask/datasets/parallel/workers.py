"""How many workers a call may use: what was asked for, within FiftyOne's limits."""

from __future__ import annotations

import fiftyone.core.utils as fou

from ...errors import CocoMaskError


def process_count(num_workers: int | None) -> int:
    """Returns a number of processes; below 2, this process does the work.

    Args:
        num_workers: what was asked for. None is
            ``fo.config.default_process_pool_workers``, else this process alone

    Raises:
        CocoMaskError: if it is not a number of processes
    """
    _check(num_workers)
    return fou.recommend_process_pool_workers(num_workers, default_num_workers=1)


def _check(num_workers: int | None) -> None:
    if num_workers is None:
        return
    if not isinstance(num_workers, int) or isinstance(num_workers, bool):
        raise CocoMaskError(f"num_workers must be a whole number, not {num_workers!r}")
    if num_workers < 0:
        raise CocoMaskError(f"num_workers must be 0 or more, not {num_workers}")
