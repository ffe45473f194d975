"""A program for the supervisor's tests: says that it lives, then does what its first argument says."""

import os
import signal
import sys
import threading


def main(behaviour: str) -> None:
    if behaviour == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("bye"))
    print(f"alive {os.getpid()}", flush=True)
    if behaviour == "dies":
        sys.exit(3)
    if behaviour == "freezes":
        os.kill(os.getpid(), signal.SIGSTOP)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])
