"""What the OpenAPI document holds beside its operations: the error shapes that all share, and what each tag means."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from ocpplab.api.links import add_links

COMPONENTS = {
    "schemas": {
        "Error": {
            "type": "object",
            "description": "A sentence that says what is wrong and, where it can, what to do next.",
            "required": ["detail"],
            "properties": {"detail": {"type": "string", "example": "Charger not found."}},
        },
        "ValidationError": {
            "type": "object",
            "description": "What does not fit, item by item.",
            "required": ["detail"],
            "properties": {"detail": {"type": "array", "items": {"$ref": "#/components/schemas/ValidationItem"}}},
        },
        "ValidationItem": {
            "type": "object",
            "required": ["loc", "msg", "type"],
            "properties": {
                "loc": {
                    "type": "array",
                    "description": "Where: body, query, path or header first, then names and indexes.",
                    "items": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
                    "example": ["body", "coordinates", "latitude"],
                },
                "msg": {"type": "string", "example": "This field is required."},
                "type": {"type": "string", "example": "missing"},
            },
        },
    }
}
TAGS = {
    "Health": "Whether the lab and its parts answer.",
    "Catalog": "Brands and models of real chargers: what a charger can be made from.",
    "Locations": "Sites. A charger always belongs to exactly one.",
    "Chargers": "One virtual charger: create it, point it at a CSMS, change it, delete it.",
    "Location chargers": "The chargers of a site, many at a time. One that fails does not fail the call.",
    "Runtime": "The simulated machine of a charger: start, stop, restart.",
    "Commands": "What happens at a charger: cables, tags, sessions, energy. Queued and answered at once with 202; the "
    "command's row tells what became of it, and names the frames that prove it.",
    "Location commands": "The same at all or some chargers of a site, with partial results.",
    "Commands with a target": "The same with the target in the body: a charger, or a site and some of its chargers.",
    "Configuration and faults": "What an installer does at a charger: configuration keys, the local authorization "
    "list, the authorization cache, and faults. These wait for the station and answer 200.",
    "Security": "How a charger proves who it is and whom it trusts: profile, password, certificates. Secrets are "
    "written and never read.",
    "CSMS on trial": "Where the CSMS breaks the protocol, in words for its developers, and how fast it answers.",
    "Runs": "A span of the log under a name, kept frame by frame, and what is different from one run to another.",
    "OCPI": "Charge Point Operators for eMSPs to roam with: built from a template in one call, with locations, "
    "chargers, tariffs and credentials. What their chargers do over OCPP is what a peer sees over OCPI.",
    "Logs": "Every OCPP frame in either direction, what the connection did, and what the charger shows of itself.",
}


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook for the finished document."""
    result["components"].setdefault("schemas", {}).update(COMPONENTS["schemas"])
    add_links(result["paths"])
    used = {tag for path in result["paths"].values() for operation in path.values() for tag in operation["tags"]}
    result["tags"] = [{"name": tag, "description": TAGS.get(tag, "")} for tag in sorted(used, key=_rank)]
    return result


def _rank(tag: str) -> tuple[int, str]:
    names = list(TAGS)
    return names.index(tag) if tag in TAGS else len(names), tag


@cache
def document() -> dict[str, Any]:
    """The whole document, the same for every reader: made once in a process."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made
