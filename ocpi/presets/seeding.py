"""Bringing the reviewed presets into the table, and the gallery that callers choose from."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction

from catalog.documents import InvalidDocuments
from catalog.services import find_models
from ocpi.models import Preset
from ocpi.presets.content import FOLDER, read_preset_files
from ocpi.presets.plan import group_sizes
from ocpplab.api.errors import NotFound
from tenants import audit


@dataclass(slots=True)
class SeedReport:
    """What seeding did; presets are named `slug v1`."""

    created: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        yield f"{len(self.created)} presets published, {len(self.unchanged)} unchanged"
        if self.created:
            yield f"published: {', '.join(self.created)}"
        if self.differing:
            yield (
                "kept as published, though the file says otherwise (raise its version): " + ", ".join(self.differing)
            )


@transaction.atomic
def seed_presets(folder: Path = FOLDER) -> SeedReport:
    """Publishes what the table lacks. Raises InvalidDocuments having written nothing; needs the catalog.

    A published version is never changed: bundles were built from it, and the same order must give the same bundle.
    """
    documents = read_preset_files(folder)
    if problems := model_problems(documents):
        raise InvalidDocuments(problems)
    known = {(row.slug, row.version): row for row in Preset.objects.all()}
    report = SeedReport()
    for document in documents:
        _publish(document, known.get((document["slug"], document["version"])), report)
    if report.created:
        audit.record(
            "seed_presets",
            object_type="preset",
            object_id="presets",
            organization_id=None,
            summary=", ".join(report.created),
        )
    return report


def model_problems(documents: list[dict[str, Any]]) -> list[str]:
    """What the catalog lacks of what they are made from."""
    groups = [(document, group) for document in documents for group in document["groups"]]
    models = find_models({(group["brand_slug"], group["model_slug"]) for _, group in groups})
    problems = []
    for document, group in groups:
        model = models.get((group["brand_slug"], group["model_slug"]))
        name = f"{document['slug']}.json: {group['brand_slug']}/{group['model_slug']}"
        if model is None:
            problems.append(f"{name} is not in the catalog")
        elif not model.supports(group["ocpp_version"]) or group["connector_type"] not in model.connector_types:
            problems.append(f"{name} has no {group['connector_type']} with {group['ocpp_version']}")
    return problems


def _publish(document: dict[str, Any], row: Preset | None, report: SeedReport) -> None:
    name = f"{document['slug']} v{document['version']}"
    if row is None:
        Preset.objects.create(
            slug=document["slug"],
            version=document["version"],
            description=document["description"],
            content=document,
        )
        report.created.append(name)
    else:
        (report.unchanged if row.content == document else report.differing).append(name)


def next_version(slug: str) -> int:
    newest = Preset.objects.filter(slug=slug).order_by("-version").first()
    return newest.version + 1 if newest else 1


@transaction.atomic
def publish_edited(content: dict[str, Any]) -> Preset:
    """A staff member's edit as a version of its own; `content` has been checked."""
    preset = Preset.objects.create(
        slug=content["slug"],
        version=content["version"],
        description=content["description"],
        content=content,
        edited=True,
    )
    audit.record("edit_preset", object_type="preset", object_id=preset.pk, organization_id=None, summary=str(preset))
    return preset


def gallery() -> list[Preset]:
    """The newest version of each preset, by slug."""
    newest: dict[str, Preset] = {}
    for preset in Preset.objects.order_by("slug", "version"):
        newest[preset.slug] = preset
    return list(newest.values())


def find_preset(slug: str) -> Preset:
    """Its newest version; raises NotFound."""
    preset = Preset.objects.filter(slug=slug).order_by("-version").first()
    if preset is None:
        raise NotFound(f"Template {slug}" if slug.isascii() and len(slug) <= 60 else "Template")
    return preset


def size_of(preset: Preset) -> tuple[int, int]:
    """Locations and chargers in all, before any override."""
    locations: int = preset.content["locations"]
    return locations, locations * sum(group_sizes(preset.content, None))
