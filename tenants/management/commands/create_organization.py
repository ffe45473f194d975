"""`manage.py create_organization NAME [--slug SLUG]`: prints the new organization's id and nothing else."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ocpplab.api.errors import InvalidRequest
from tenants.audit import Actor, act_as
from tenants.organizations import create_organization


class Command(BaseCommand):
    help = "Makes an organization and prints its id."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--slug", default="", help="By default derived from the name.")

    def handle(self, *args: Any, **options: Any) -> None:
        act_as(Actor(f"command line ({getpass.getuser()})"))
        try:
            organization = create_organization(name=options["name"], slug=options["slug"])
        except InvalidRequest as error:
            raise CommandError(error.message) from None
        self.stdout.write(str(organization.pk))
