"""What is done with each published client: one row per call, in an order that makes every call meaningful.

A string `$name` in the arguments stands for what an earlier row kept, or for what the test gives.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

CLOSED = "(the connection ends)"  # instead of an action: the station says goodbye


@dataclass(frozen=True, slots=True)
class Step:
    """`action`: the OCPP call that the CSMS must then have recorded; empty for what concerns REST alone.

    `keeps`: name to path in the answer. `until`: the call is repeated until the answer holds these. `station`: whose
    frames count, if not the main charger's.
    """

    method: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    action: str = ""
    keeps: Mapping[str, str] = field(default_factory=dict)
    until: Mapping[str, Any] = field(default_factory=dict)
    station: str = "$identity"


SITE = {
    "name": "Harbour", "address": "Quai 1", "city": "Rotterdam", "country": "NL",
    "coordinates": {"latitude": 51.9, "longitude": 4.48}, "timezone": "Europe/Amsterdam", "public": True,
}  # fmt: skip
MODEL = {
    "brand_slug": "schneider", "model_slug": "evlink-pro-ac-22kw", "connector_type": "Type2", "ws_url": "$ws_url",
    "ocpp_version": "OCPP1.6",
}  # fmt: skip
CHARGER = {"identity": "$identity", **MODEL, "charge_point_name": "Bay 1", "location_id": "$location"}
SECOND = {"identity": "$second", **MODEL}
GROUP = {"template": {**MODEL, "identity_prefix": "$prefix", "template_name": "Bay"}, "charger_ids": ["2"]}
LIST = {"list_version": 7, "entries": [{"id_tag": "TAG-7", "expiry_date": "2031-01-01T00:00:00+02:00"}]}
SAMPLING = {"MeterValueSampleInterval": "1"}
MESSAGE = {
    "action": "data_transfer",
    "ocpp_version": "ocpp1.6",
    "payload": {"vendor_id": "com.example", "message_id": "hello", "data": "42"},
}
STATUS, AUTHORIZE, METER, START, STOP, BOOT = (
    "StatusNotification", "Authorize", "MeterValues", "StartTransaction", "StopTransaction", "BootNotification",
)  # fmt: skip


def catalog(brands: str, models: str, model: str) -> Iterator[Step]:
    yield Step(f"catalog.{brands}", {"page": 1, "limit": 5})
    yield Step(f"catalog.{models}", {"brand_slug": "wallbox"})
    yield Step(f"catalog.{model}", {"brand_slug": "wallbox", "model_slug": "wallbox-pulsar-plus"})


def session(one: Mapping[str, str], group: str, prefix: str = "") -> Iterator[Step]:
    """The commands in the 0.1.1 client's way: `one` addresses a charger or a location."""

    def step(name: str, action: str, **fields: Any) -> Step:
        return Step(f"{group}.{prefix}{name}", {**one, **fields}, action)

    tag = {"id_tag": "TAG-1"}
    yield step("plug_connector", STATUS, connector_id=1)
    yield step("unplug_connector", STATUS, evse_id=1)
    yield step("authorize_id_tag", AUTHORIZE, **tag)
    yield step("start_transaction", START, **tag, connector_id=1)
    yield step("power_update", METER, power_w=5000)
    yield step("ev_stops_energy", STATUS)
    yield step("ev_requests_energy", STATUS)
    yield step("stop_transaction", STOP)
    yield step("unplug_connector", STATUS)
    yield step("start_session", START, **tag, connector_id=1)
    yield step("stop_session", STOP, connector_id=1)
    yield step("start_session", START, **tag)
    yield step("unlock_connector", STOP, connector_id=1)
    yield step("unplug_connector", STATUS)


def locations(create: str, names: Mapping[str, str]) -> Iterator[Step]:
    yield Step(f"locations.{create}", SITE, keeps={"location": "id"})
    yield Step(f"locations.{names['list']}", {"limit": 100})
    yield Step(f"locations.{names['get']}", {"location_id": "$location"})
    yield Step(f"locations.{names['update']}", {"location_id": "$location", "name": "Port", "owner_name": "ACME"})


LOCATION_NAMES = {"list": "list_locations", "get": "get_location", "update": "update_location"}
PLAIN_NAMES = {"list": "list", "get": "get", "update": "update"}
ONE, SITE_OF = {"charger_id": "$charger"}, {"location_id": "$location"}


def first_client() -> Iterator[Step]:
    """0.1.1: the seed's own style."""
    yield Step("default_landing_page")
    yield Step("health.health_check")
    yield from catalog("list_catalog_brands", "list_catalog_brand_models", "get_catalog_brand_model")
    yield from locations("create_location", LOCATION_NAMES)
    yield from deployments()
    yield Step("charger_configuration.get_configuration", {**ONE, "keys": "HeartbeatInterval,MeterValueSampleInterval"})
    yield Step("charger_configuration.set_configuration", {**ONE, "request": SAMPLING})
    yield Step("charger_configuration.reset_auth_cache", ONE)
    yield Step("charger_local_authorization.send_local_list", {**ONE, **LIST})
    yield Step("charger_local_authorization.get_local_auth_list", {**ONE, "page": 1, "limit": 10})
    yield Step("charger_local_authorization.delete_local_list", ONE)
    yield from session(ONE, "charger_commands")
    yield Step("charger_commands.proxy_message", {**ONE, **MESSAGE}, "DataTransfer")
    yield Step("charger_faults.inject_fault", {**ONE, "fault_type": "OverCurrent", "connector_id": 1}, STATUS)
    yield Step("charger_faults.clear_fault", {**ONE, "connector_id": 1}, STATUS)
    yield from session(SITE_OF, "location_charger_commands", "location_")
    fault = {**SITE_OF, "charger_ids": ["$charger"]}
    yield Step("location_charger_faults.inject_location_fault", {**fault, "fault_type": "GroundFailure"}, STATUS)
    yield Step("location_charger_faults.clear_location_fault", fault, STATUS)
    yield Step("charger_logs.list_charger_logs", {**ONE, "event": "Authorize", "limit": 1000, "offset": 0})
    create = {**SITE_OF, "chargers": [SECOND]}
    keeps = {"second_id": "created.0.id"}
    yield Step("location_charger_provisioning.create_location_chargers", create, BOOT, keeps, station="$second")
    yield from fleet({**SITE_OF, "charger_ids": ["$second_id"]})
    yield from the_end("location_charger_provisioning.delete_location_chargers", {"charger_ids": ["$second_id"]})


def deployments() -> Iterator[Step]:
    yield Step("charger_deployments.create_charger", CHARGER, BOOT, {"charger": "id"})
    yield Step("charger_deployments.list_chargers", {"location_id": "$location", "page": 1, "limit": 10})
    yield Step("charger_deployments.get_charger", ONE)
    yield Step("charger_deployments.update_charger", {**ONE, "name": "Bay 9"})


def fleet(some: Mapping[str, Any]) -> Iterator[Step]:
    group = "location_charger_provisioning"
    yield Step(f"{group}.list_location_chargers", {**some, "page": 1})
    yield Step(
        f"{group}.update_location_chargers", {**SITE_OF, "chargers": [{"charger_id": "$second_id", "name": "B"}]}
    )
    for name, action in (("reset", BOOT), ("stop", CLOSED), ("start", STATUS)):
        yield Step(f"{group}.{name}_location_charger_runtimes", some, action, station="$second")


def the_end(delete_many: str, some: Mapping[str, Any]) -> Iterator[Step]:
    yield Step(delete_many, {**SITE_OF, **some}, CLOSED, station="$second")
    lifecycle = {**ONE, "request": {"key": "value"}}
    for name, action in (("reset", BOOT), ("stop", CLOSED), ("start", STATUS)):
        yield Step(f"charger_deployments.{name}_charger_runtime", lifecycle, action)
    yield Step("charger_deployments.delete_charger", ONE, CLOSED)
    yield Step("locations.delete_location", SITE_OF)


def targeted(prefix: str, aim: Mapping[str, str], *, unlocks: bool, unplugs: bool = True) -> Iterator[Step]:
    """The commands with target and event, at a charger or a location."""
    target = {"target": aim}

    def step(name: str, action: str, **event: Any) -> Step:
        return Step(f"commands.{prefix}{name}", {**target, "event": event}, action)

    tag = {"id_tag": "TAG-1"}
    yield step("plug_connector", STATUS, connector_id=1)
    if unplugs:
        yield step("unplug_connector", STATUS, evse_id=1, connector_id=None)
    yield step("authorize_id_tag", AUTHORIZE, **tag)
    if unplugs:
        yield step("start_transaction", START, **tag)
        yield step("stop_transaction", STOP)
        yield step("unplug_connector", STATUS)
    yield step("start_session", START, **tag, connector_id=1, duration_seconds=600, target_energy_kwh=50.5)
    yield step("power_update", METER, power_w=5000)
    yield step("ev_stops_energy", STATUS)
    yield step("ev_requests_energy", STATUS)
    yield step("stop_session", STOP, connector_id=1)
    if unlocks:
        yield step("start_session", START, **tag)
        yield step("unlock_connector", STOP)
    if unlocks and unplugs:
        yield step("unplug_connector", STATUS)


def single(prefix: str) -> Iterator[Step]:
    """What the clients with a target in the body do at one charger."""
    aim = {"target": ONE}
    yield Step(f"commands.{prefix}set_configuration", {**aim, "event": {"configuration": SAMPLING}})
    yield Step(f"commands.{prefix}reset_auth_cache", {**aim, "event": {}})
    yield Step(f"commands.{prefix}send_local_list", {**aim, "event": LIST})
    yield Step(f"commands.{prefix}clear_local_list", {**aim, "event": {}})
    yield Step(f"commands.{prefix}proxy_message", {**aim, "event": MESSAGE}, "DataTransfer")
    yield Step(f"commands.{prefix}inject_fault", {**aim, "event": {"fault_type": "OverCurrent"}}, STATUS)
    yield Step(f"commands.{prefix}clear_fault", {**aim, "event": {}}, STATUS)


def second_client() -> Iterator[Step]:
    """0.1.2: the seed's style, commands with their target in the body."""
    yield Step("default_landing_page")
    yield Step("health.health_check")
    yield from catalog("list_catalog_brands", "list_catalog_brand_models", "get_catalog_brand_model")
    yield from locations("create_location", LOCATION_NAMES)
    yield from deployments()
    yield from single("command_")
    yield Step("charger_data.get_configuration", ONE)
    yield Step("charger_data.get_local_auth_list", ONE)
    yield from targeted("command_", ONE, unlocks=False, unplugs=False)
    yield from targeted("command_", SITE_OF, unlocks=True, unplugs=False)
    yield Step("charger_data.list_charger_logs", {**ONE, "start_date": "2026-01-01T00:00:00+02:00", "limit": 3})
    create = {**SITE_OF, "request": [GROUP]}
    keeps = {"second_id": "created.0.id"}
    yield Step("location_charger_provisioning.create_location_chargers", create, BOOT, keeps, station="$second")
    yield from fleet({**SITE_OF, "charger_ids": ["$second_id"]})
    yield from the_end("location_charger_provisioning.delete_location_chargers", {"charger_ids": ["$second_id"]})


def third_client() -> Iterator[Step]:
    """0.2.2: everything below `/ocpp`, creation with polling."""
    yield Step("health.landing_page")
    yield Step("health.health_check")
    yield from catalog("list_brands", "list_models", "get_model")
    yield from locations("create", PLAIN_NAMES)
    yield Step("location_templates.list", {"type": "AC", "ocpp_version": "OCPP1.6"})
    yield Step("chargers.create", CHARGER, BOOT, {"charger": "charger_id"})
    yield Step("chargers.get_status", ONE, until={"status": "READY"})
    yield Step("chargers.list", {**SITE_OF, "limit": 10})
    yield Step("chargers.get", ONE)
    yield Step("chargers.update", {**ONE, "charge_point_name": "Bay 9"})
    yield from single("")
    yield from targeted("", ONE, unlocks=True)
    yield from targeted("", SITE_OF, unlocks=True)
    yield Step("chargers.get_logs", {**ONE, "event": "Authorize", "limit": 1000, "offset": 0})
    keeps = {"job": "job_id"}
    yield Step("location_chargers.create", {**SITE_OF, "request": [GROUP]}, BOOT, keeps, station="$second")
    job = {**SITE_OF, "job_id": "$job"}
    yield Step(
        "location_chargers.get_bulk_job", job, keeps={"second_id": "results.created.0.id"}, until={"status": "READY"}
    )
    some = {**SITE_OF, "charger_ids": ["$second_id"]}
    yield Step("location_chargers.list", some)
    yield Step("location_chargers.update", {**SITE_OF, "chargers": [{"charger_id": "$second_id", "name": "B"}]})
    yield Step("location_chargers.delete", some, CLOSED, station="$second")
    for name, action in (("reset", BOOT), ("stop", CLOSED), ("start", STATUS)):
        yield Step(f"chargers.{name}_runtime", {**ONE, "request": {"key": "value"}}, action)
    yield Step("chargers.delete", ONE, CLOSED)
    yield Step("locations.delete", SITE_OF)
    yield from roaming()


def roaming() -> Iterator[Step]:
    """A CPO for eMSPs: built from a template, given a site more, destroyed."""
    cpo, ready = {"cpo_id": "$cpo"}, {"status": "READY"}
    order = {
        "template": "smoke-single", "country_code": "NL", "party_id": "LAB", "name_prefix": "$prefix", "role": "cpo",
        "ocpi_version": "2.2.1", "seed": 7, "ttl_seconds": 600,
        "overrides": {"locations": 1, "chargers_per_location": None},
    }  # fmt: skip
    yield Step("ocpi_templates.list")
    yield Step("ocpi_cpos.create", order, keeps={"cpo": "cpo_id"})
    yield Step("ocpi_cpos.get_status", cpo, until=ready)
    yield Step("ocpi_cpos.list", {"page": 1, "limit": 10})
    yield Step("ocpi_cpos.get", cpo)
    yield Step("ocpi_cpos.get_report", cpo)
    charges = {**GROUP, "charger_ids": ["9"]}
    sites = [{**SITE, "parking_type": "PARKING_LOT", "charges": [charges]}, {"template": "residential-ac-single"}]
    keeps = {"site_job": "job_id"}
    yield Step("ocpi_locations.create", {**cpo, "locations": sites}, BOOT, keeps, station="$third")
    job, keeps = {**cpo, "job_id": "$site_job"}, {"site": "results.location_ids.0"}
    yield Step("ocpi_locations.get_bulk_job", job, keeps=keeps, until=ready)
    site = {**cpo, "location_id": "$site"}
    yield Step("ocpi_locations.list", {**cpo, "limit": 10})
    yield Step("ocpi_locations.get", site)
    yield Step("ocpi_locations.update", {**site, "name": "Port", "parking_type": "ON_STREET"})
    yield Step("ocpi_locations.delete", site, CLOSED, station="$third")
    yield Step("ocpi_cpos.delete", cpo)


STEPS = {"0.1.1": tuple(first_client()), "0.1.2": tuple(second_client()), "0.2.2": tuple(third_client())}
# All methods that need no frame: reading, the gateway's own rows, and what an installer does at the device.
REST_ALONE = frozenset(
    {
        "default_landing_page", "health.landing_page", "health.health_check",
        "catalog.list_catalog_brands", "catalog.list_catalog_brand_models", "catalog.get_catalog_brand_model",
        "catalog.list_brands", "catalog.list_models", "catalog.get_model",
        "locations.create_location", "locations.list_locations", "locations.get_location", "locations.update_location",
        "locations.delete_location", "locations.create", "locations.list", "locations.get", "locations.update",
        "locations.delete", "location_templates.list",
        "charger_deployments.list_chargers", "charger_deployments.get_charger", "charger_deployments.update_charger",
        "chargers.get_status", "chargers.list", "chargers.get", "chargers.update", "chargers.get_logs",
        "charger_logs.list_charger_logs", "charger_data.list_charger_logs",
        "charger_data.get_configuration", "charger_data.get_local_auth_list",
        "charger_configuration.get_configuration", "charger_configuration.set_configuration",
        "charger_configuration.reset_auth_cache", "charger_local_authorization.send_local_list",
        "charger_local_authorization.get_local_auth_list", "charger_local_authorization.delete_local_list",
        "commands.command_set_configuration", "commands.command_reset_auth_cache", "commands.command_send_local_list",
        "commands.command_clear_local_list", "commands.set_configuration", "commands.reset_auth_cache",
        "commands.send_local_list", "commands.clear_local_list",
        "location_charger_provisioning.list_location_chargers",
        "location_charger_provisioning.update_location_chargers",
        "location_chargers.list", "location_chargers.update", "location_chargers.get_bulk_job",
        "ocpi_templates.list", "ocpi_cpos.create", "ocpi_cpos.list", "ocpi_cpos.get", "ocpi_cpos.get_status",
        "ocpi_cpos.get_report", "ocpi_cpos.delete", "ocpi_locations.list", "ocpi_locations.get",
        "ocpi_locations.get_bulk_job", "ocpi_locations.update",
    }
)  # fmt: skip
