"""`manage.py draw_catalog`: draws the pictures of every brand and model in the data files anew."""

from typing import Any

from django.core.management.base import BaseCommand

from catalog.drawing import STATIC_FOLDER, pictures
from catalog.services import read_brand_files


class Command(BaseCommand):
    help = "Writes catalog/static/catalog/**.svg from the data files; run it after a model was added or changed."

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for name, picture in pictures(read_brand_files()):
            path = STATIC_FOLDER / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(picture, encoding="utf-8")
            count += 1
        self.stdout.write(f"{count} pictures drawn")
