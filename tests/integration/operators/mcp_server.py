"""FiftyOne's MCP server as agents start it, on these tests' database and folders."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from anyio.from_thread import start_blocking_portal
from fiftyone.core.odm import get_db_client
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.skill import Call

Answer = Callable[[Call], dict[str, Any]]


@contextmanager
def mcp_server(log: Path) -> Iterator[Answer]:
    """Starts the server, and yields what makes a call and returns its answer."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_session(log)) as session,
    ):

        def answer(call: Call) -> dict[str, Any]:
            done = portal.call(session.call_tool, call.tool, call.arguments)
            return json.loads(done.content[0].text)

        yield answer


@asynccontextmanager
async def _session(log: Path) -> AsyncIterator[ClientSession]:
    host, port = get_db_client().address
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "fiftyone_mcp.server"],
        # By itself it would join any database of FiftyOne's that is running.
        env={**os.environ, "FIFTYONE_DATABASE_URI": f"mongodb://{host}:{port}"},
    )
    with log.open("w") as errors:
        async with (
            stdio_client(server, errlog=errors) as (read, write),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            yield session
