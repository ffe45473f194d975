"""What must hold before Django is imported: a Python that can run us, settings that can be read, a data folder.

Written so that an old Python can still read this file and say so in one sentence.
"""

import os
import sys
import tempfile
from urllib.parse import urlsplit

OLDEST = (3, 11)
HIGHEST_PORT = 65535
NUMBERS = (
    "SIMULATORS",
    "SIMULATOR_CONNECTS_PER_SECOND",
    "SIMULATOR_LEASE_SECONDS",
    "MESSAGE_RETENTION_DAYS",
    "LOG_FOLLOWERS",
    "OCPI_PEER_SECONDS",
)
SWITCHES = ("DEBUG", "TRUST_PROXY", "ALLOW_PRIVATE_CSMS", "OCPI_ALLOW_PRIVATE_PEERS", "OCPI_REQUIRE_HTTPS")
ON_OR_OFF = ("true", "yes", "y", "on", "ok", "1", "false", "no", "n", "off", "0")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
WEB = ("http", "https")
DATABASES = ("postgres", "postgresql", "sqlite")
REDIS = ("redis", "rediss", "unix")
DATABASE_FORM = "postgres://user:password@host:5432/name"
REDIS_FORM = "redis://host:6379/0"
PUBLIC_FORM = "https://lab.example"


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


def environment_problem(given):  # type: (dict[str, str]) -> str
    """A sentence about the first setting that makes no sense, else an empty string. Empty ones count as absent."""
    problem = port_problem(given.get("PORT", ""))
    for name in NUMBERS:
        problem = problem or number_problem(name, given.get(name, ""))
    for name in SWITCHES:
        problem = problem or switch_problem(name, given.get(name, ""))
    for name, schemes, form in (
        ("DATABASE_URL", DATABASES, DATABASE_FORM),
        ("REDIS_URL", REDIS, REDIS_FORM),
        ("PUBLIC_URL", WEB, PUBLIC_FORM),
    ):
        problem = problem or url_problem(name, given.get(name, ""), schemes, form)
    return problem or log_level_problem(given.get("LOG_LEVEL", "")) or keys_problem(given.get("JWT_KEYS", ""))


def port_problem(text):  # type: (str) -> str
    if not text or (is_whole(text) and 0 < int(text) <= HIGHEST_PORT):
        return ""
    return "PORT={} is no port: take a number from 1 to {}, as in make run PORT=9000".format(text, HIGHEST_PORT)


def is_whole(text):  # type: (str) -> bool
    return text.isdigit() and len(text) < 10


def number_problem(name, text):  # type: (str, str) -> str
    kind = "a number" if name.endswith("_SECONDS") else "a whole number"
    try:
        float(text or 0) if name.endswith("_SECONDS") else int(text or 0)
    except ValueError:
        return "{}={} is not {}: leave it out for its default.".format(name, text, kind)
    return ""


def switch_problem(name, text):  # type: (str, str) -> str
    """A switch that means to be off must not be taken for on, nor the other way round."""
    if not text or text.lower() in ON_OR_OFF:
        return ""
    return "{}={} is neither true nor false: leave it out for its default.".format(name, text)


def log_level_problem(text):  # type: (str) -> str
    if not text or text in LOG_LEVELS:
        return ""
    return "LOG_LEVEL={} is no level: take one of {}.".format(text, ", ".join(LOG_LEVELS))


def keys_problem(text):  # type: (str) -> str
    """The keys themselves are not shown: they are secrets."""
    if all("=" in pair for pair in text.split(",") if pair):
        return ""
    return "JWT_KEYS is no list of keys: it looks like id=secret,id=secret"


def url_problem(name, text, schemes, form):  # type: (str, str, tuple[str, ...], str) -> str
    """The address itself is not shown: it may hold a password."""
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return "{} is no URL ({}): it looks like {}".format(name, error, form)
    if parts.scheme not in schemes:
        found = "begins with {}://".format(parts.scheme) if parts.scheme else "is no URL"
        return "{} {}, which the gateway cannot use: it looks like {}".format(name, found, form)
    if parts.scheme in ("sqlite", "unix"):
        return "" if parts.path.strip("/") else "{} names no file.".format(name)
    if not host or (schemes is DATABASES and not parts.path.strip("/")):
        return "{} names no {}: it looks like {}".format(name, "database" if host else "host", form)
    return ""


def exit_if_unfit():  # type: () -> None
    """Ends the process with status 2 and a sentence on stderr when it could not work."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    data_dir = os.environ.get("DATA_DIR") or os.path.join(here, "data")
    problem = python_problem() or environment_problem(dict(os.environ)) or data_dir_problem(data_dir)
    if problem:
        sys.stderr.write(problem + "\n")
        sys.exit(2)
