"""`manage.py seed_catalog`: brings the catalog's tables in line with the reviewed files in `catalog/data/`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.documents import InvalidDocuments
from catalog.services import seed_catalog


class Command(BaseCommand):
    help = "Loads the catalog's data files: all or nothing, keeping what staff edited and what chargers use."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = seed_catalog()
        except InvalidDocuments as error:
            raise CommandError(f"Nothing was written, the data files need mending:\n{error}") from error
        if options["verbosity"]:
            for line in report.lines():
                self.stdout.write(line)
