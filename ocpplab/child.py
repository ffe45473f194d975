"""The first lines of every supervised process: tie its life to the supervisor's, start the pulse, become the program.

Run as `python -m ocpplab.child SUPERVISOR_PID PULSE_FD MODULE [ARGUMENT...]`. The module runs in this very process.
"""

import ctypes
import os
import runpy
import signal
import sys

from ocpplab import heartbeat

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with(supervisor_pid: int) -> None:
    """Asks Linux to kill this process when its parent ends; leaves at once if the parent is already gone.

    SIGKILL, since a child without supervisor must not go on speaking for its chargers while another lab starts.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != supervisor_pid:
        sys.exit("The supervisor ended before this process began.")


def main(argv: list[str]) -> None:
    supervisor_pid, pulse_fd, module, *arguments = argv
    die_with(int(supervisor_pid))
    heartbeat.start(int(pulse_fd))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
