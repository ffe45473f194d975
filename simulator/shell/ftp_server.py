"""FTP, as the standard library speaks it: in a thread, in passive mode, to an address that was judged before."""

import ftplib
import io
from collections.abc import Callable
from ftplib import FTP
from urllib.parse import SplitResult, unquote

PORT = 21
ERRORS = (ftplib.Error, OSError, EOFError, ValueError)  # ValueError: line breaks in a path or a name
REFUSALS = ("530", "532", "550", "553")


class NotAllowed(Exception):
    """The server does not let this user do that."""


class Visit:
    """One connection. Data connections go to the same host, whatever address its answers name.

    Once `over` is set, from another thread, the next piece of a file ends it.
    """

    def __init__(self, host: str, parts: SplitResult, timeout: float) -> None:
        self.over = False
        self._host = host
        self._port = parts.port or PORT
        self._path = unquote(parts.path).lstrip("/")
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._timeout = timeout

    def fetch(self, take: Callable[[bytes], None]) -> None:
        """Raises NotAllowed, one of ERRORS, or what `take` raises."""

        def piece(data: bytes) -> None:
            self._heed()
            take(data)

        self._talk(lambda server: server.retrbinary(f"RETR {self._path}", piece))

    def store(self, name: str, content: bytes) -> None:
        """A path that ends in a slash, or is empty, is a folder. Raises NotAllowed or one of ERRORS."""
        path = self._path + name if not self._path or self._path.endswith("/") else self._path
        self._talk(
            lambda server: server.storbinary(f"STOR {path}", io.BytesIO(content), callback=lambda _: self._heed())
        )

    def _heed(self) -> None:
        if self.over:
            raise OSError("ended")

    def _talk(self, exchange: Callable[[FTP], str]) -> None:
        with FTP(timeout=self._timeout) as server:  # noqa: S321 - the CSMS's choice; see SupportedFileTransferProtocols
            server.connect(self._host, self._port)
            try:
                server.login(self._user, self._password)
                exchange(server)
            except ftplib.error_perm as error:
                if str(error)[:3] in REFUSALS:
                    raise NotAllowed(str(error)) from None
                raise
