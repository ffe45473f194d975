"""Brands and their charger models: facts that all organizations share, seeded from `catalog/data/`."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, NotRequired, Self, TypedDict

from django.core.exceptions import ValidationError
from django.db import models
from django.templatetags.static import static

from catalog import rules
from catalog.shapes import Problem
from catalog.vocabulary import CurrentType, Mounting, OcppVersion, SourceBasis


class ConnectorData(TypedDict):
    """One physical outlet as `ChargerModel.connectors` stores it.

    `phases` is 1 for DC; `max_voltage_v` is line to line where there are three phases; outlets that share an EVSE, so
    that only one of them can charge at a time, carry the same `evse` number.
    """

    type: str
    format: str
    phases: int
    max_current_a: float
    max_voltage_v: float
    max_power_kw: float
    evse: NotRequired[int]


class VendorKey(TypedDict):
    """A configuration key that only this manufacturer's stations have; `value` is its factory setting."""

    key: str
    value: str
    readonly: bool
    reboot_required: bool


@dataclass(frozen=True, slots=True)
class Outlet:
    """An outlet with its numbers on the wire: `number` is OCPP 1.6's connectorId, the other two are 2.0.1's."""

    number: int
    evse_id: int
    connector_id: int
    type: str
    format: str
    phases: int
    max_current_a: float
    max_voltage_v: float
    max_power_w: int


def picture_url(image: str) -> str:
    """The address of a picture: a path below the static files, or an absolute URL that staff entered."""
    return image if not image or "://" in image else static(image)


def tagged(words: Iterable[str]) -> str:
    """`|CCS2|CHAdeMO|`: with a bar at both ends, `contains "|CCS2|"` finds whole words on every database."""
    return "".join(f"|{word}" for word in words) + "|"


def refuse(problems: Iterable[Problem]) -> None:
    """Raises Django's ValidationError with each problem at the field where its path begins; none, none."""
    errors: dict[str, list[str]] = {}
    for problem in problems:
        errors.setdefault(re.split(r"[.\[]", problem.path)[0], []).append(str(problem))
    if errors:
        raise ValidationError(errors)


class ChargerModelQuerySet(models.QuerySet["ChargerModel"]):
    def offering(
        self, *, connector_type: str | None = None, current_type: str | None = None, ocpp_version: str | None = None
    ) -> Self:
        """Models with all the given traits; a trait that is not given does not matter."""
        found = self
        if connector_type:
            found = found.filter(connector_type_tags__contains=tagged([connector_type]))
        if current_type:
            found = found.filter(current_type=current_type)
        if ocpp_version:
            found = found.filter(ocpp_version_tags__contains=tagged([ocpp_version]))
        return found


class BrandQuerySet(models.QuerySet["Brand"]):
    def with_model(self, **traits: str) -> Self:
        """Brands that have a model with all these traits (see `offering`); all brands when none is given."""
        if not traits:
            return self
        return self.filter(models.Exists(ChargerModel.objects.offering(**traits).filter(brand=models.OuterRef("pk"))))


class Brand(models.Model):
    """A manufacturer. `vendor_keys` is a list of `VendorKey`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=50)
    image = models.CharField(max_length=300, blank=True, help_text="A path below the static files, or a URL.")
    vendor_keys = models.JSONField(default=list, blank=True)
    edited_by_staff = models.BooleanField(default=False, help_text="Seeding keeps this row as it is.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = BrandQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.vendor_keys:
            refuse(rules.VENDOR_KEYS(self.vendor_keys, "vendor_keys"))

    @property
    def image_url(self) -> str:
        return picture_url(self.image)


class ChargerModel(models.Model):
    """A product: what it can do, and where that was read.

    `connectors` is a list of `ConnectorData`, `power_levels_kw` a list of numbers in kW (the contract calls it
    `supported_kwh`), `ocpp_versions` a list like `["OCPP1.6"]`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="models")
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=80)
    description = models.TextField(blank=True)
    image = models.CharField(max_length=300, blank=True, help_text="A path below the static files, or a URL.")
    current_type = models.CharField(max_length=2, choices=CurrentType)
    mounting = models.CharField(max_length=5, choices=Mounting, default=Mounting.WALL)
    power_levels_kw = models.JSONField(default=list)
    connectors = models.JSONField(default=list)
    ocpp_versions = models.JSONField(default=list)
    has_modem = models.BooleanField("mobile network modem", default=False)
    has_meter = models.BooleanField("MID meter", default=False)
    has_display = models.BooleanField("display", default=False)
    firmware_version = models.CharField(max_length=50, blank=True)
    serial_pattern = models.CharField(
        max_length=25, blank=True, help_text="# stands for a digit, @ for a capital letter."
    )
    source_url = models.URLField(max_length=300, blank=True)
    source_date = models.DateField(null=True, blank=True)
    source_basis = models.CharField(max_length=8, choices=SourceBasis, default=SourceBasis.RECALLED)
    source_note = models.TextField(blank=True, help_text="Which facts the source states.")
    edited_by_staff = models.BooleanField(default=False, help_text="Seeding keeps this row as it is.")
    # Copies of what the lists above hold, kept by save(): text that every database can search alike.
    connector_type_tags = models.CharField(max_length=200, editable=False)
    ocpp_version_tags = models.CharField(max_length=60, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ChargerModelQuerySet.as_manager()

    class Meta:
        verbose_name = "charger model"
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["brand", "slug"], name="charger_model_slug_per_brand"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.connector_type_tags = tagged(self.connector_types)
        self.ocpp_version_tags = tagged(self.ocpp_versions)
        super().save(*args, **kwargs)

    def clean(self) -> None:
        facts = {name: getattr(self, name) for name in rules.FACTS}
        refuse(rules.MODEL_FACTS(facts, ""))

    @property
    def image_url(self) -> str:
        return picture_url(self.image)

    @property
    def connector_count(self) -> int:
        return len(self.connectors)

    @property
    def connector_types(self) -> list[str]:
        """Each type once, in the order of the outlets."""
        return list(dict.fromkeys(connector["type"] for connector in self.connectors))

    @property
    def max_power_w(self) -> int:
        """What the strongest outlet can deliver, in watts."""
        return max((outlet.max_power_w for outlet in self.outlets()), default=0)

    def supports(self, ocpp_version: OcppVersion | str) -> bool:
        return ocpp_version in self.ocpp_versions

    def outlets(self) -> list[Outlet]:
        """The outlets in order, numbered for both protocol versions; without `evse` each has an EVSE of its own."""
        outlets: list[Outlet] = []
        for number, connector in enumerate(self.connectors, start=1):
            evse_id = connector.get("evse", number)
            outlets.append(
                Outlet(
                    number=number,
                    evse_id=evse_id,
                    connector_id=1 + sum(other.evse_id == evse_id for other in outlets),
                    type=connector["type"],
                    format=connector["format"],
                    phases=connector["phases"],
                    max_current_a=connector["max_current_a"],
                    max_voltage_v=connector["max_voltage_v"],
                    max_power_w=round(connector["max_power_kw"] * 1000),
                )
            )
        return outlets
