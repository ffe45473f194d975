"""`manage.py prune_messages [--days N]`: forgets traffic older than the retention and that of deleted chargers."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from chargers.services.pruning import prune


class Command(BaseCommand):
    help = "Deletes frames, connection events, counters and finished commands older than the retention."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, help="keep this many days (default: MESSAGE_RETENTION_DAYS)")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Deleted {prune(days=options['days'])}.")
