"""What the start says about the address it was told to be reached at."""

import socket
import threading
from collections.abc import Iterator

import pytest

from ocpplab.welcome import ask_health


@pytest.fixture
def no_web_server() -> Iterator[str]:
    """The address of something that takes connections and speaks another protocol."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"SSH-2.0-lab\r\n")

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_what_is_no_web_server_is_quoted(no_web_server: str) -> None:
    assert ask_health(no_web_server) == "SSH-2.0-lab"


def test_nobody_at_the_address_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "refused" in ask_health(f"http://127.0.0.1:{port}")
