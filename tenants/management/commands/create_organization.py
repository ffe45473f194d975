"""`manage.py create_organization NAME [--slug SLUG]`: prints the new organization's id and nothing else."""

from typing import Any

from django.core.management.base import CommandParser

from tenants.management.by_hand import CommandByHand
from tenants.organizations import create_organization


class Command(CommandByHand):
    help = "Makes an organization and prints its id."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--slug", default="", help="By default derived from the name.")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = create_organization(name=options["name"], slug=options["slug"])
        self.stdout.write(str(organization.pk))
