"""A way to MongoDB that can be cut, as if its server had been killed."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Proxy:
    """Passes on what is sent to a port of its own.

    Args:
        target: the port of the server
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._connections: set[socket.socket] = set()
        self._server: socket.socket | None = None
        self.port = 0
        self.open()

    def open(self) -> None:
        """Listens, again on the same port."""
        if self._server is not None:
            return
        self._server = socket.create_server(("127.0.0.1", self.port))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, args=[self._server], daemon=True).start()

    def close(self) -> None:
        """Closes all connections and refuses new ones."""
        server, self._server = self._server, None
        if server is not None:
            # Wakes up `accept`, which closing alone does not.
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            server.close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._connections.clear()

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            if self._server is not server:
                client.close()
                return
            upstream = socket.create_connection(("127.0.0.1", self._target))
            self._connections |= {client, upstream}
            for source, sink in ((client, upstream), (upstream, client)):
                threading.Thread(
                    target=self._pass, args=[source, sink], daemon=True
                ).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(2**16):
                sink.sendall(data)
        # Both, which ends the other direction, too.
        for connection in (source, sink):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
            self._connections.discard(connection)
