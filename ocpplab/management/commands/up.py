"""Runs the whole lab on this machine: `make run` ends here."""

import asyncio
import io
import os
import socket
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, SystemCheckError
from django.db import DatabaseError, connections

from ocpplab import first_run, fresh_database, premises, welcome
from ocpplab.supervisor import Program, Supervisor

CELERY = ("-q", "-A", "ocpplab.celery")
QUIET = ("--without-gossip", "--without-mingle", "-l", "WARNING")
ENVIRONMENT = {
    "CELERY_SKIP_CHECKS": "1",  # they walk through every URL, and have been made once already
    "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",  # containers do
}


def programs(listener: socket.socket) -> list[Program]:
    """The processes of a lab. Beat ends first, so that nothing new becomes due; the web last, since the chargers that
    say goodbye to the house CSMS find it there. Worker and simulators, which need some seconds, end together.
    """
    schedule = ("-s", str(settings.DATA_DIR / "beat-schedule"), "--pidfile=")
    return [
        Program("beat", "celery", (*CELERY, "beat", *schedule, "-l", "WARNING"), stage=1, grace=5),
        Program("worker", "celery", worker("worker", "-c", "4", "-Q", "celery"), stage=2),
        *(simulator(number) for number in range(1, settings.SIMULATORS + 1)),
        Program("web", "ocpplab.web", web_arguments(listener), stage=3, grace=5, inherits=(listener.fileno(),)),
    ]


def worker(name: str, *options: str) -> tuple[str, ...]:
    return (*CELERY, "worker", "-P", "threads", "-n", f"{name}@%h", *options, *QUIET)


def simulator(number: int) -> Program:
    """Half a lease of patience: a node that hangs is gone before another one may take its chargers."""
    name = f"simulator-{number}"
    arguments = worker(name, "--simulator", "-c", "2", "-Q", f"sim.{number}")
    return Program(name, "celery", arguments, stage=2, patience=settings.SIMULATOR_LEASE_SECONDS / 2, grace=15)


def web_arguments(listener: socket.socket) -> tuple[str, ...]:
    proxy = ("--proxy-headers",) if settings.SECURE_PROXY_SSL_HEADER else ()
    sockets = ("--websocket_timeout", "-1", "--application-close-timeout", "3")
    return ("--fd", str(listener.fileno()), "-v", "0", "--no-server-name", *sockets, *proxy, "ocpplab.asgi:application")


def say(name: str, line: str) -> None:
    sys.stdout.write(f"{name:<11} | {line}\n")
    sys.stdout.flush()


class Command(BaseCommand):
    help = "Migrates, seeds, and runs web, worker, beat and simulator under one supervisor until Ctrl-C."
    requires_system_checks = ["ocpplab"]  # the others walk through every URL, which costs a second

    def check(self, *args: Any, **options: Any) -> None:
        try:
            super().check(*args, **options)
        except SystemCheckError as refusal:
            refusal.returncode = 2  # as whatever else keeps a lab from starting
            raise

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        # A relative folder would mean another place to the children.
        os.environ |= {"DATA_DIR": str(settings.DATA_DIR)} | ENVIRONMENT
        try:
            lock = premises.hold(settings.DATA_DIR)
            listener = premises.listen(settings.BIND_HOST, settings.PORT)
        except premises.Occupied as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        with lock, listener:
            lab = self.prepare()
            status = asyncio.run(self.supervise(listener, lab, began))
        sys.exit(status)

    def prepare(self) -> first_run.Lab:
        (settings.DATA_DIR / "broker" / "control").mkdir(parents=True, exist_ok=True)
        try:
            fresh_database.create_if_missing()
            call_command("migrate", verbosity=0, interactive=False)
        except DatabaseError as error:
            raise CommandError(f"The database does not answer: {error}".strip(), returncode=2) from None
        call_command("seed_catalog", stdout=io.StringIO())
        call_command("seed_presets", stdout=io.StringIO())
        lab = first_run.prepare()
        connections.close_all()
        return lab

    async def supervise(self, listener: socket.socket, lab: first_run.Lab, began: float) -> int:
        supervisor = Supervisor(programs(listener), folder=str(settings.BASE_DIR), say=say)
        return await supervisor.run(lambda: self.greet(lab, began))

    async def greet(self, lab: first_run.Lab, began: float) -> None:
        """Prints the welcome once the lab answers; says so if it takes unusually long."""
        health = await welcome.until_healthy(lab.facts.base_url)
        say("up", f"{health} after {time.monotonic() - began:.1f} s")
        sys.stdout.write(welcome.text(lab))
        sys.stdout.flush()
