"""What the commands share that a person types: who it was, and a sentence where there is no database yet."""

import getpass
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from ocpplab.api.errors import GatewayError
from tenants.audit import Actor, act_as


class CommandByHand(BaseCommand):
    def execute(self, *args: Any, **options: Any) -> str | None:
        act_as(Actor(f"command line ({who()})"))
        try:
            return super().execute(*args, **options)
        except GatewayError as refusal:
            raise CommandError(refusal.message) from None
        except DatabaseError as error:
            raise CommandError(f"{str(error).strip()}. `make run` prepares the database of its DATA_DIR.") from None


def who() -> str:
    """The login name; the number where the machine knows no name for it, as in many containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
