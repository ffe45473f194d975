"""What `make run` prints when the lab answers: where it is, how to sign in, and five lines to paste."""

import asyncio
import json
import secrets
import urllib.error
import urllib.request
from http.client import HTTPException
from time import monotonic
from uuid import UUID

from ocpplab.first_run import Lab

PATIENCE = 30.0
POLL_SECONDS = 0.1


def ask_health(base_url: str) -> str:
    """What `/health` says: "ok", the whole of its answer when that is not so, or why nobody answered."""
    try:
        with urllib.request.urlopen(f"{base_url}/health", timeout=5) as answer:  # noqa: S310 (our own address)
            body = str(answer.read(), "utf-8")
    except urllib.error.HTTPError as error:
        body = str(error.read(), errors="replace")
    except (OSError, HTTPException) as error:
        return str(getattr(error, "reason", error)).strip()
    try:
        return "ok" if json.loads(body)["status"] == "ok" else body
    except (ValueError, KeyError, TypeError):
        return body[:500]


async def until_healthy(base_url: str) -> str:
    """Waits for the lab, PATIENCE seconds at most, and returns a sentence about it."""
    began = monotonic()
    while (health := await asyncio.to_thread(ask_health, base_url)) != "ok":
        if monotonic() - began > PATIENCE:
            return f"Not healthy yet ({health})"
        await asyncio.sleep(POLL_SECONDS)
    return "Healthy"


def curl(token: str, url: str, body: dict[str, object] | None = None) -> str:
    words = ["curl", "-s"]
    words += ["-X", "POST"] if body is not None else []
    words += [f"'{url}'", "-H", f"'Authorization: Bearer {token}'"]
    if body is not None:
        words += ["-H", "'Content-Type: application/json'", "-d", f"'{json.dumps(body)}'"]
    return " ".join(words)


def flow(lab: Lab) -> list[tuple[str, str]]:
    """(what it does, the command line) for the five steps; each line works by itself, and again."""
    facts = lab.facts
    base, token = facts.base_url, facts.user_token
    charger: UUID | str = lab.charger_id or "CHARGER_ID"
    location: dict[str, object] = {
        "name": "Harbour car park",
        "address": "Quai 1",
        "city": "Rotterdam",
        "country": "NL",
        "coordinates": {"latitude": 51.9, "longitude": 4.48},
    }
    new_charger: dict[str, object] = {
        "identity": f"CP-{secrets.token_hex(3).upper()}",
        "brand_slug": "wallbox",
        "model_slug": "wallbox-pulsar-plus",
        "connector_type": "Type2",
        "ocpp_version": "OCPP1.6",
        "ws_url": facts.house_csms_url,
        "location_id": str(lab.location_id),
    }
    session: dict[str, object] = {"id_tag": "TAG-RFID-001", "connector_id": 1}
    return [
        ("look into the catalog", curl(token, f"{base}/catalog/brands/wallbox/models")),
        ("create a location", curl(token, f"{base}/locations", location)),
        ("create a charger that talks to the built-in CSMS", curl(token, f"{base}/chargers", new_charger)),
        ("charge a car at a demo charger", curl(token, f"{base}/chargers/{charger}/start-session", session)),
        ("read every OCPP frame of it", curl(token, f"{base}/chargers/{charger}/logs")),
    ]


def text(lab: Lab) -> str:
    facts = lab.facts
    steps = [f"# {number}. {what}\n{line}" for number, (what, line) in enumerate(flow(lab), start=1)]
    return "\n".join(
        [
            "",
            f"OCPPLAB Gateway is running at {facts.base_url}",
            "",
            f"  Admin        {facts.base_url}/admin/",
            f"  API          {facts.base_url}/docs",
            f"  Login        {facts.login}",
            f"  Password     {facts.password}",
            f"  Organization {facts.organization_id}",
            f"  User token   {facts.user_token}",
            f"  Admin token  {facts.admin_token}",
            "",
            *steps,
            "",
            "Ctrl-C stops.",
            "",
        ]
    )
