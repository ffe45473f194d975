"""What must hold before Django is imported: a Python that can run us, and a data folder that can be written.

Written so that an old Python can still read this file and say so in one sentence.
"""

import os
import sys
import tempfile

OLDEST = (3, 11)


def python_problem():  # type: () -> str
    """A sentence when this Python is too old, else an empty string."""
    if sys.version_info[:2] >= OLDEST:
        return ""
    return (
        "OCPPLAB Gateway needs Python 3.11 or newer; this is {}.{}. On Debian: apt install python3 python3-venv".format(
            *sys.version_info[:2]
        )
    )


def data_dir_problem(path):  # type: (str) -> str
    """A sentence when the data folder cannot be created or written, else an empty string."""
    try:
        os.makedirs(path, exist_ok=True)
        # The permission bits say nothing about read-only file systems, full disks or root: only writing does.
        with tempfile.TemporaryFile(dir=path) as probe:
            probe.write(b"x")
    except OSError as error:
        return "Cannot write to the data folder {}: {}. Choose another: make run DATA_DIR=/somewhere".format(
            path, error.strerror or error
        )
    return ""


def exit_if_unfit():  # type: () -> None
    """Ends the process with status 2 and a sentence on stderr when it could not work."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    data_dir = os.environ.get("DATA_DIR") or os.path.join(here, "data")
    problem = python_problem() or data_dir_problem(data_dir)
    if problem:
        sys.stderr.write(problem + "\n")
        sys.exit(2)
