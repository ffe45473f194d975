"""What one lab has for itself on a machine: a data folder, held by a lock, and a listening socket."""

import fcntl
import os
import socket
from pathlib import Path
from typing import IO

LOCK = "up.lock"


class Occupied(Exception):
    """Somebody else has it. The message says what to do."""


def hold(data_dir: Path) -> IO[str]:
    """Locks the data folder until the returned file is closed or this process ends. Raises Occupied."""
    # Opened without truncation: a loser must still be able to read who the winner is.
    file = os.fdopen(os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT, 0o644), "r+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = file.read().strip() or "another process"
        file.close()
        raise Occupied(
            f"The lab in {data_dir} is already running ({holder}). Stop it, or run a second one beside it: "
            "make run PORT=8001 DATA_DIR=/somewhere/else"
        ) from None
    file.truncate()
    file.write(f"process {os.getpid()}\n")
    file.flush()
    return file


def listen(host: str, port: int) -> socket.socket:
    """A bound, listening TCP socket that children may inherit. Raises Occupied, or OSError for a wrong address.

    The supervisor keeps it: while the web process restarts, callers wait in its backlog instead of being refused.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise Occupied(refusal(host, port, error)) from None
    return listener


def refusal(host: str, port: int, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return f"Port {port} needs root; try make run PORT=8000"
    if error.errno == 98:  # EADDRINUSE
        return f"Port {port} is in use; try make run PORT={port + 1}"
    return f"Cannot listen on {host} port {port}: {error.strerror}. Check BIND_HOST and PORT."
