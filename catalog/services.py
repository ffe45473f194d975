"""The catalog's writes and the questions other rooms ask it.

Seeding makes the tables equal to the reviewed files in `catalog/data/`: all of them or none. Rows that staff edited
are theirs, and rows that chargers stand on are never deleted; both are reported.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import ManyToOneRel, ProtectedError

from catalog.documents import read_documents
from catalog.models import Brand, ChargerModel
from catalog.rules import BRAND_FILE
from tenants import audit

DATA_FOLDER = Path(__file__).resolve().parent / "data"


@dataclass(slots=True)
class SeedReport:
    """What seeding did. Brands are named by slug, models as `brand/model`."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    in_use: list[str] = field(default_factory=list)

    @property
    def changes(self) -> int:
        return len(self.created) + len(self.updated) + len(self.removed)

    def lines(self) -> Iterator[str]:
        """One line for each outcome that happened, with the names where somebody may want to look."""
        yield f"{self.changes} changes, {len(self.unchanged)} rows unchanged"
        for outcome, names in (
            ("created", self.created),
            ("updated", self.updated),
            ("removed", self.removed),
            ("kept as edited by staff", self.kept),
            ("kept because chargers use it, though the data files no longer have it", self.in_use),
        ):
            if names:
                yield f"{outcome}: {len(names)} ({', '.join(names)})"


# --- reading --------------------------------------------------------------------------------------------------------


def read_brand_files(folder: Path = DATA_FOLDER) -> list[dict[str, Any]]:
    """One document a brand. Raises InvalidDocuments with all problems of all files."""
    return read_documents(folder, BRAND_FILE)


# --- seeding --------------------------------------------------------------------------------------------------------


def seed_catalog(folder: Path = DATA_FOLDER) -> SeedReport:
    """Writes the data files into the tables, in one transaction. Raises InvalidDocuments having written nothing."""
    documents = read_brand_files(folder)
    report = SeedReport()
    with transaction.atomic():
        brands = {brand.slug: brand for brand in Brand.objects.all()}
        models = {(model.brand.slug, model.slug): model for model in ChargerModel.objects.select_related("brand")}
        for document in documents:
            slug = document["slug"]
            brand = brands.pop(slug, None) or Brand(slug=slug)
            _store(brand, brand_values(document), slug, report)
            for entry in document["models"]:
                model = models.pop((slug, entry["slug"]), None) or ChargerModel(brand=brand, slug=entry["slug"])
                _store(model, model_values(slug, entry), f"{slug}/{entry['slug']}", report)
        # Models before brands: a brand without models no longer protects itself.
        for (brand_slug, model_slug), model in models.items():
            _remove(model, f"{brand_slug}/{model_slug}", report)
        for slug, brand in brands.items():
            _remove(brand, slug, report)
        if report.changes:
            audit.record(
                "seed_catalog",
                object_type="catalog",
                object_id="catalog",
                organization_id=None,
                summary=f"{report.changes} changes",
                details={"created": report.created, "updated": report.updated, "removed": report.removed},
            )
    return report


def brand_values(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": document["name"],
        "image": f"catalog/{document['slug']}.svg",
        "vendor_keys": document["vendor_keys"],
    }


def model_values(brand_slug: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in entry.items() if name != "slug"}
    values["image"] = f"catalog/{brand_slug}/{entry['slug']}.svg"
    values["source_date"] = date.fromisoformat(entry["source_date"])
    values.setdefault("serial_pattern", "")
    return values


def _store(row: Brand | ChargerModel, values: Mapping[str, Any], label: str, report: SeedReport) -> None:
    is_new = row._state.adding
    if row.edited_by_staff:
        report.kept.append(label)
    elif not is_new and all(getattr(row, name) == value for name, value in values.items()):
        report.unchanged.append(label)
    else:
        for name, value in values.items():
            setattr(row, name, value)
        row.save()
        (report.created if is_new else report.updated).append(label)


def _remove(row: Brand | ChargerModel, label: str, report: SeedReport) -> None:
    """Deletes a row that the files no longer have, unless it is staff's own or something stands on it."""
    if row.edited_by_staff:
        report.kept.append(label)
        return
    try:
        with transaction.atomic():
            row.delete()
        report.removed.append(label)
    except ProtectedError:
        report.in_use.append(label)


# --- staff ----------------------------------------------------------------------------------------------------------


def save_as_staff(row: Brand | ChargerModel, *, summary: str) -> None:
    """Stores a staff member's edit; from now on seeding leaves the row alone."""
    with transaction.atomic():
        row.edited_by_staff = True
        row.save()
        _record("edit_catalog", row, summary)


def hand_back(row: Brand | ChargerModel) -> None:
    """Gives a row back to the data files: the next seeding brings their values again."""
    with transaction.atomic():
        row.edited_by_staff = False
        row.save(update_fields=["edited_by_staff"])
        _record("hand_back_catalog", row, "")


def delete_as_staff(row: Brand | ChargerModel) -> None:
    """Deletes a row nothing stands on; raises ProtectedError otherwise. A shipped row comes back when seeding."""
    with transaction.atomic():
        _record("delete_catalog", row, str(row))
        row.delete()


def is_in_use(row: Brand | ChargerModel) -> bool:
    """True while rows of any organization (or, for a brand, models) refer to this one."""
    # Hidden ones too: rooms above the catalog need no name for the way back.
    relations = row._meta.get_fields(include_hidden=True)
    return any(
        relation.related_model._base_manager.filter(**{relation.field.name: row}).exists()
        for relation in relations
        if isinstance(relation, ManyToOneRel)
    )


def _record(verb: str, row: Brand | ChargerModel, summary: str) -> None:
    audit.record(verb, object_type=row._meta.model_name or "", object_id=row.pk, organization_id=None, summary=summary)


# --- questions ------------------------------------------------------------------------------------------------------


def find_model(brand_slug: str, model_slug: str) -> ChargerModel | None:
    """The model with its brand, in one query; None when either slug is unknown."""
    return ChargerModel.objects.select_related("brand").filter(brand__slug=brand_slug, slug=model_slug).first()


def find_models(slugs: Collection[tuple[str, str]]) -> dict[tuple[str, str], ChargerModel]:
    """Models with their brands by (brand slug, model slug), in one query; at least those asked for that exist."""
    rows = ChargerModel.objects.select_related("brand").filter(
        brand__slug__in={brand for brand, _ in slugs}, slug__in={model for _, model in slugs}
    )
    return {(row.brand.slug, row.slug): row for row in rows}
