"""File servers of the tests' own: HTTP(S) and FTP, in threads, with a note of everything they were asked."""

import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self


class Asked(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Reply(NamedTuple):
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}


Rule = Reply | Callable[[Asked], Reply]


class FileServer:
    """`rules[path]` says what a path answers, whatever the method unless the rule asks; else 404.

    `opened` and `left` are for rules that make a client wait: it has asked; it may have its answer.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.rules: dict[str, Rule] = {}
        self.asked: list[Asked] = []
        self.opened, self.left = threading.Event(), threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'http' if tls is None else 'https'}://{host}:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.left.set()
        self._server.shutdown()
        self._server.server_close()

    def held(self, asked: Asked) -> Reply:
        """A rule: nothing comes until `left` is set."""
        self.opened.set()
        self.left.wait(30)
        return Reply(200, b"at last")

    def methods(self) -> list[str]:
        return [one.method for one in self.asked]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(self.command, self.path, dict(self.headers), body)
                server.asked.append(asked)
                rule = server.rules.get(self.path.partition("?")[0], Reply(404))
                status, content, headers = rule(asked) if callable(rule) else rule
                try:
                    self.send_response(status)
                    for name, value in ({"Content-Length": str(len(content))} | headers).items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    pass  # the client has gone

            do_GET = do_PUT = do_POST = answer  # noqa: N815 - names that the base class calls

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


class FtpServer:
    """Enough of RFC 959 for one user with one password, in extended passive mode. `files` by path."""

    def __init__(self, password: str = "secret") -> None:
        self.files: dict[str, bytes] = {}
        self._password = password
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                control = self._socket.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._talk, args=(control,), daemon=True).start()

    def _talk(self, control: socket.socket) -> None:
        data: socket.socket | None = None
        with control, control.makefile("rwb", buffering=0) as wire:
            wire.write(b"220 ready\r\n")
            for line in wire:
                name, _, argument = line.decode().strip().partition(" ")
                if name in ("EPSV", "PASV"):
                    data = socket.create_server(("127.0.0.1", 0))
                    port = data.getsockname()[1]
                    # The address of PASV's answer is a lie that no client may believe.
                    told = f"227 (169,254,0,1,{port >> 8},{port & 255})" if name == "PASV" else f"229 (|||{port}|)"
                    wire.write(f"{told}\r\n".encode())
                elif name in ("RETR", "STOR") and data is not None:
                    wire.write(b"150 go\r\n")
                    wire.write(self._moved(name, argument, data))
                else:
                    wire.write(self._said(name, argument))
                if name == "QUIT":
                    break
        if data is not None:
            data.close()

    def _said(self, name: str, argument: str) -> bytes:
        if name == "USER":
            return b"331 password?\r\n"
        if name == "PASS" and argument != self._password:
            return b"530 no\r\n"
        return {"PASS": b"230 in\r\n", "QUIT": b"221 bye\r\n"}.get(name, b"200 ok\r\n")

    def _moved(self, name: str, path: str, data: socket.socket) -> bytes:
        with data, data.accept()[0] as connection:
            if name == "STOR":
                self.files[path] = b"".join(iter(lambda: connection.recv(65536), b""))
            elif path in self.files:
                connection.sendall(self.files[path])
            else:
                return b"550 no such file\r\n"
        return b"226 done\r\n"
