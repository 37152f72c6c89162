"""Tables of the panel as files that the browser downloads."""

from __future__ import annotations

import base64
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...fiftyone_types import ExecutionContext, SampleCollection

# A file up to this size is in the message to the App itself: that works also where
# the App is behind an address of its own, as in notebooks.
MAX_BYTES_IN_MESSAGE = 4 * 2**20


def download(
    ctx: ExecutionContext, evaluation: Any, table: str, samples: SampleCollection
) -> int:
    """Makes the browser download a table of an evaluation as a CSV file.

    Args:
        ctx: the execution context
        evaluation: the evaluation
        table: the name of the table
        samples: the samples of the table

    Returns:
        the number of its rows
    """
    from ...datasets.documents import root_dataset
    from ...datasets.evaluations.tables import write_table

    name = f"{root_dataset(samples).name}-{evaluation.key}-{table}.csv"
    name = re.sub(r"[^\w.-]+", "_", name)
    path = _folder() / name
    rows = write_table(evaluation, table, path, samples)
    ctx.ops.browser_download(download_url(path), filename=name)
    return rows


def download_url(path: Path) -> str:
    """Returns the address under which the App gets a file.

    A large one is streamed by FiftyOne's own server, so the file must stay.
    """
    if path.stat().st_size > MAX_BYTES_IN_MESSAGE:
        return f"/media?filepath={quote(str(path), safe='')}"
    content = base64.b64encode(path.read_bytes()).decode()
    path.unlink()
    return f"data:text/csv;charset=utf-8;base64,{content}"


@cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    """Returns a folder for nobody else, deleted when this process ends."""
    return tempfile.TemporaryDirectory(prefix="cocomask-downloads-")


def _folder() -> Path:
    return Path(_temporary().name)
