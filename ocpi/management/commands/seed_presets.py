"""`manage.py seed_presets`: publishes the CPO templates in `ocpi/presets/data/`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.documents import InvalidDocuments
from ocpi.presets.seeding import seed_presets


class Command(BaseCommand):
    help = "Publishes the CPO templates that the table lacks: all or nothing. A published version never changes."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = seed_presets()
        except InvalidDocuments as error:
            raise CommandError(f"Nothing was written, the files need mending:\n{error}") from error
        if options["verbosity"]:
            for line in report.lines():
                self.stdout.write(line)
