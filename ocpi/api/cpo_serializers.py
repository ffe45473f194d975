"""The JSON shapes of bundles (gateway contract, 15.1 and 15.2)."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from chargers.api.serializers import ProvisioningErrorSerializer, csms_url
from chargers.models import ProvisioningStatus
from ocpi import bundles, cpo_settings
from ocpi.bundles import NewBundle
from ocpi.models import Cpo, Preset
from ocpi.peer import links
from ocpi.places.gazetteer import gazetteer
from ocpi.presets.seeding import size_of
from ocpi.vocabulary import VERSIONS
from ocpplab.api.fields import Flag, Text, Whole
from ocpplab.api.timestamps import iso

SHORTEST_LIFE, LONGEST_LIFE, USUAL_LIFE = 60, 604_800, 3600  # seconds
SEED_BOUND = 2**63 - 1


def known_country(code: str) -> None:
    if code.upper() not in gazetteer():
        raise serializers.ValidationError("An ISO 3166-1 alpha-2 code is needed, such as NL.")


def known_versions(text: str) -> None:
    wrong = [one for one in text.split(",") if one.strip() not in VERSIONS]
    if wrong:
        known = ", ".join(VERSIONS)
        raise serializers.ValidationError(f"OCPI {wrong[0]} is not supported; choose of {known}, comma-separated.")


class OverridesField(serializers.DictField):
    """`{locations, chargers_per_location}`, integers from 1 or null; the template's caps are checked by the service."""

    child = Whole(min_value=1, allow_null=True)

    def to_internal_value(self, data: Any) -> dict[str, int]:
        found = super().to_internal_value(data)
        unknown = {
            name: [serializers.ErrorDetail(f"Known are {' and '.join(bundles.OVERRIDES)}.", code="extra_forbidden")]
            for name in found
            if name not in bundles.OVERRIDES
        }
        if unknown:
            raise serializers.ValidationError(unknown)
        return {name: value for name, value in found.items() if value is not None}


class CpoCreateSerializer(serializers.Serializer[Any]):
    template = Text(max_length=60, help_text="A slug of the gallery.")
    country_code = Text(max_length=2, validators=[known_country], help_text="ISO 3166-1 alpha-2.")
    party_id = serializers.RegexField(r"\A[A-Za-z0-9]{3}\Z", help_text="A near variant is taken if it is in use.")
    name_prefix = Text(max_length=32, help_text="Begins the identity of every charger.")
    role = serializers.ChoiceField(choices=["cpo", "emsp"], required=False, allow_null=True, default="cpo")
    ocpi_version = Text(
        max_length=60,
        required=False,
        allow_null=True,
        validators=[known_versions],
        help_text="Or several, comma-separated. Default: the template's, usually 2.2.1.",
    )
    seed = Whole(required=False, allow_null=True, min_value=-SEED_BOUND, max_value=SEED_BOUND)
    ttl_seconds = Whole(
        required=False,
        allow_null=True,
        default=USUAL_LIFE,
        min_value=SHORTEST_LIFE,
        max_value=LONGEST_LIFE,
        help_text="Destroyed after so long; null: never.",
    )
    overrides = OverridesField(required=False, allow_null=True)
    ws_url = Text(
        max_length=500,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="A CSMS of your own instead of the built-in one.",
    )

    def validate_role(self, role: str | None) -> str | None:
        if role == "emsp":
            raise serializers.ValidationError("Only CPOs can be built: role cpo.", code="invalid_choice")
        return role

    def validate_ws_url(self, url: str | None) -> str:
        if url:
            csms_url(url)
        return url or ""


def new_bundle(data: Mapping[str, Any]) -> NewBundle:
    versions = data.get("ocpi_version")
    chosen = {one.strip() for one in versions.split(",")} if versions else set()
    return NewBundle(
        template=data["template"],
        country_code=data["country_code"].upper(),
        party_id=data["party_id"].upper(),
        name_prefix=data["name_prefix"],
        versions=",".join(one for one in VERSIONS if one in chosen) or None,
        seed=data.get("seed"),
        ttl_seconds=data["ttl_seconds"],
        overrides=data.get("overrides") or {},
        ws_url=data.get("ws_url") or "",
    )


# --- answers ----------------------------------------------------------------------------------------------------------


class PartySerializer(serializers.Serializer[Any]):
    country_code = serializers.CharField()
    party_id = serializers.CharField()
    role = serializers.CharField(help_text="CPO")


class RoamHelperSerializer(serializers.Serializer[Any]):
    credentials_payload = serializers.JSONField(help_text="A credentials body with placeholders.")
    curl_snippet = serializers.CharField(help_text="Sends it.")


class TopologySerializer(serializers.Serializer[Any]):
    locations = serializers.IntegerField()
    chargers = serializers.IntegerField()
    evses = serializers.IntegerField()
    connectors = serializers.IntegerField()


class CpoIdentitySerializer(serializers.Serializer[Any]):
    cpo_id = serializers.CharField(help_text="A positive integer as text.")
    party = PartySerializer()
    name_prefix = serializers.CharField()
    template = serializers.CharField()
    template_version = serializers.IntegerField()
    ocpi_peer_url = serializers.CharField(help_text="The versions URL for peers.")
    destroy_url = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)


class CpoAcceptedSerializer(CpoIdentitySerializer):
    token_a = serializers.CharField(help_text="Shown here only.")
    roam_helper = RoamHelperSerializer()
    workflow_run_id = serializers.CharField()
    status = serializers.ChoiceField(choices=ProvisioningStatus.choices)
    status_url = serializers.CharField()


class CpoSerializer(CpoIdentitySerializer):
    topology = TopologySerializer()
    report_url = serializers.CharField()
    token_a = serializers.CharField(allow_null=True, help_text="Always null.")
    roam_helper = serializers.JSONField(allow_null=True, help_text="Always null.")
    ocpi_version = serializers.CharField(help_text="What it offers, comma-separated.")
    seed = serializers.IntegerField()
    settings = serializers.JSONField()
    csms_url = serializers.CharField(allow_null=True, help_text="Where its chargers connect, if not at its own CSMS.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class CpoProgressSerializer(serializers.Serializer[Any]):
    current_step = serializers.CharField(allow_null=True)
    chargers_ready = serializers.IntegerField()
    chargers_total = serializers.IntegerField()


class CpoStatusSerializer(serializers.Serializer[Any]):
    cpo_id = serializers.CharField()
    status = serializers.ChoiceField(choices=ProvisioningStatus.choices)
    status_url = serializers.CharField()
    workflow_run_id = serializers.CharField()
    error = ProvisioningErrorSerializer(allow_null=True)
    progress = CpoProgressSerializer(allow_null=True, help_text="While PROVISIONING.")
    provisioned_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class CpoReportSerializer(serializers.Serializer[Any]):
    cpo_id = serializers.CharField()
    markdown = serializers.CharField()


class CpoSettingsSerializer(serializers.Serializer[Any]):
    """Only what is sent changes."""

    lenient_auth = Flag(required=False, help_text="Accept an unencoded token in versions that want Base64.")
    strict_routing = Flag(required=False, help_text="Refuse to-headers that name somebody else.")
    auto_plug = Flag(required=False, help_text="A virtual car plugs in when a session is started remotely.")
    occupied_as = serializers.ChoiceField(
        choices=["CHARGING", "BLOCKED"], required=False, help_text="Status of a connected car that takes no energy."
    )
    page_limit_cap = Whole(required=False, min_value=1, max_value=1000)
    update_interval = Whole(required=False, min_value=1, max_value=3600, help_text="Seconds between session updates.")
    rta = serializers.ChoiceField(
        choices=["default", "prefer"], required=False, help_text="prefer: ask about ALLOWED tokens too."
    )


class CpoTemplateSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    version = serializers.IntegerField()
    description = serializers.CharField()
    locations = serializers.IntegerField()
    chargers = serializers.IntegerField()


class CpoTemplatesSerializer(serializers.Serializer[Any]):
    data = CpoTemplateSerializer(many=True)  # type: ignore[assignment]  # a field, as REST framework has it
    total = serializers.IntegerField()


# --- rows as answers --------------------------------------------------------------------------------------------------


def path(cpo: Cpo, *rest: str) -> str:
    return "/".join(["/ocpi/cpos", str(cpo.pk), *rest])


def identity(cpo: Cpo) -> dict[str, Any]:
    return {
        "cpo_id": str(cpo.pk),
        "party": {"country_code": cpo.country_code, "party_id": cpo.party_id, "role": "CPO"},
        "name_prefix": cpo.name_prefix,
        "template": cpo.template,
        "template_version": cpo.template_version,
        "ocpi_peer_url": links.versions_url(cpo),
        "destroy_url": path(cpo),
        "expires_at": iso(cpo.expires_at),
    }


def accepted(cpo: Cpo, token_a: str, roam_helper: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **identity(cpo),
        "token_a": token_a,
        "roam_helper": roam_helper,
        "workflow_run_id": str(cpo.workflow_run_id),
        "status": cpo.status,
        "status_url": path(cpo, "status"),
    }


def shown(cpo: Cpo) -> dict[str, Any]:
    """Of a row of `bundles.live()`, which carries the counts."""
    return {
        **identity(cpo),
        "topology": topology(cpo),
        "report_url": path(cpo, "report"),
        "token_a": None,
        "roam_helper": None,
        "ocpi_version": cpo.versions,
        "seed": cpo.seed,
        "settings": cpo_settings.settings_of(cpo),
        "csms_url": cpo.ws_url or None,
        "created_at": iso(cpo.created_at),
        "updated_at": iso(cpo.updated_at),
    }


def topology(cpo: Any) -> dict[str, int]:
    """One connector on each EVSE."""
    return {
        "locations": cpo.location_count,
        "chargers": cpo.charger_count,
        "evses": cpo.evse_count,
        "connectors": cpo.evse_count,
    }


def status(cpo: Cpo) -> dict[str, Any]:
    progress = None
    if cpo.status == ProvisioningStatus.PROVISIONING:
        names = {"current_step": None, "chargers_ready": 0, "chargers_total": 0}
        progress = {name: cpo.progress.get(name, default) for name, default in names.items()}
    return {
        "cpo_id": str(cpo.pk),
        "status": cpo.status,
        "status_url": path(cpo, "status"),
        "workflow_run_id": str(cpo.workflow_run_id),
        "error": cpo.error,
        "progress": progress,
        "provisioned_at": iso(cpo.provisioned_at),
        "created_at": iso(cpo.created_at),
        "updated_at": iso(cpo.updated_at),
    }


def template(preset: Preset) -> dict[str, Any]:
    locations, chargers = size_of(preset)
    return {
        "slug": preset.slug,
        "version": preset.version,
        "description": preset.description,
        "locations": locations,
        "chargers": chargers,
    }
