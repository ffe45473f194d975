"""A TLS server that lets nobody in."""

import contextlib
import socket
import ssl
import threading


class AlertingServer(threading.Thread):
    """Says in TLS's own words why it lets nobody in, as asyncio's server does not."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(daemon=True)
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._client: socket.socket | None = None

    def __enter__(self) -> int:
        self.start()
        port: int = self._listener.getsockname()[1]
        return port

    def __exit__(self, *exc: object) -> None:
        """Cuts off whoever is in the middle of it: that station lives in the loop that waits here."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        while self.is_alive():
            with contextlib.suppress(OSError):
                if self._client is not None:
                    self._client.shutdown(socket.SHUT_RDWR)
            self.join(0.1)

    def run(self) -> None:
        while True:
            try:
                self._client, _ = self._listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), self._speaking(self._client) as secured:
                secured.do_handshake()
                secured.recv(1000)

    def _speaking(self, client: socket.socket) -> ssl.SSLSocket:
        self._client = self._context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        return self._client
