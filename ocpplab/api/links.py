"""OpenAPI links: which answers hold the ids that other operations ask for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

OF_LOCATION = ("get_location", "update_location", "delete_location", "list_location_chargers", "get_location_logs")
OF_CHARGER = (
    "get_charger", "get_charger_status", "update_charger", "delete_charger", "start_session", "stop_charger",
    "get_logs", "get_state", "list_commands", "get_configuration",
)  # fmt: skip
OF_RUN = ("get_run", "update_run", "finish_run", "delete_run", "diff_run")
OF_CPO = (
    "get_cpo", "get_cpo_status", "get_cpo_report", "get_cpo_settings", "list_cpo_locations", "list_cpo_tariffs",
    "list_cpo_peers", "list_cpo_messages", "list_cpo_cards", "mint_cpo_token", "delete_cpo",
)  # fmt: skip
ID, FIRST = "$response.body#/id", "$response.body#/data/0/id"
PATH = "$request.path."


@dataclass(frozen=True, slots=True)
class Source:
    """The answer `status` of an operation gives `parameters` (name -> runtime expression) to `targets`."""

    operation: str
    status: str
    parameters: dict[str, str]
    targets: tuple[str, ...]


SOURCES = (
    Source("create_cpo", "202", {"cpo_id": "$response.body#/cpo_id"}, OF_CPO),
    Source("list_cpos", "200", {"cpo_id": "$response.body#/data/0/cpo_id"}, ("get_cpo", "get_cpo_status")),
    Source(
        "create_cpo_locations",
        "202",
        {"cpo_id": f"{PATH}cpo_id", "job_id": "$response.body#/job_id"},
        ("get_cpo_location_job",),
    ),
    Source(
        "list_cpo_locations",
        "200",
        {"cpo_id": f"{PATH}cpo_id", "ocpi_location_id": FIRST},
        ("get_cpo_location", "update_cpo_location", "delete_cpo_location"),
    ),
    Source(
        "create_cpo_tariff",
        "201",
        {"cpo_id": f"{PATH}cpo_id", "tariff_id": ID},
        ("get_cpo_tariff", "update_cpo_tariff", "delete_cpo_tariff"),
    ),
    Source("list_cpo_cdrs", "200", {"cpo_id": f"{PATH}cpo_id", "cdr_id": FIRST}, ("get_cpo_cdr", "credit_cpo_cdr")),
    Source("create_location", "201", {"location_id": ID}, OF_LOCATION),
    Source("list_locations", "200", {"location_id": FIRST}, ("get_location",)),
    Source("create_charger", "201", {"charger_id": ID}, OF_CHARGER),
    Source("create_charger", "202", {"charger_id": "$response.body#/charger_id"}, OF_CHARGER),
    Source("list_chargers", "200", {"charger_id": FIRST}, ("get_charger", "get_logs")),
    Source("create_run", "201", {"run_id": ID}, OF_RUN),
    Source("list_runs", "200", {"run_id": FIRST}, ("get_run",)),
    Source(
        "create_location_chargers",
        "202",
        {"location_id": f"{PATH}location_id", "job_id": "$response.body#/job_id"},
        ("get_location_charger_job",),
    ),
    Source(
        "start_session", "202", {"charger_id": f"{PATH}charger_id", "command_id": ID}, ("get_command", "stop_session")
    ),
)


def add_links(paths: dict[str, Any]) -> None:
    """Writes them into the document's operations, for each route family that has source and target alike."""
    operations = {one["operationId"]: one for methods in paths.values() for one in methods.values()}
    for prefix in ("", "ocpp_"):
        for source in SOURCES:
            answer = operations.get(prefix + source.operation, {}).get("responses", {}).get(source.status)
            if answer is not None:
                answer.setdefault("links", {}).update(_links(source, prefix, operations))


def _links(source: Source, prefix: str, operations: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for target in source.targets:
        known = {one["name"] for one in operations.get(prefix + target, {}).get("parameters", ())}
        parameters = {name: value for name, value in source.parameters.items() if name in known}
        if parameters and _gives(source, prefix):
            yield target, {"operationId": prefix + target, "parameters": parameters}


def _gives(source: Source, prefix: str) -> bool:
    """Below `/ocpp` a command answers with a fan-out, which has no id of its own."""
    return not (prefix and source.operation == "start_session")
