"""What an eMSP's engineer needs to begin: a credentials body with placeholders, and a command line that sends it."""

import json
import shlex
import uuid
from base64 import b64encode
from typing import Any

from ocpi.models import Cpo
from ocpi.peer import links
from ocpi.protocol.versions import BINDINGS

TOKEN_B = "REPLACE_WITH_YOUR_TOKEN_B"  # noqa: S105  # a placeholder
VERSIONS_URL = "https://your-emsp.example/ocpi/versions"
PARTY, NAME = "MSP", "Your eMSP"


def roam_helper(cpo: Cpo, token_a: str) -> dict[str, Any]:
    """{credentials_payload, curl_snippet} for the highest version that the CPO offers."""
    version = cpo.offered[-1]
    payload = credentials_payload(cpo, version)
    return {"credentials_payload": payload, "curl_snippet": curl_snippet(cpo, version, token_a, payload)}


def credentials_payload(cpo: Cpo, version: str) -> dict[str, Any]:
    """Flat in 2.1.1, with roles from 2.2 on."""
    party = {"country_code": cpo.country_code, "party_id": PARTY, "business_details": {"name": NAME}}
    if version == "2.1.1":
        return {"token": TOKEN_B, "url": VERSIONS_URL, **party}
    return {"token": TOKEN_B, "url": VERSIONS_URL, "roles": [{"role": "EMSP", **party}]}


def curl_snippet(cpo: Cpo, version: str, token_a: str, payload: dict[str, Any]) -> str:
    """One POSIX-quoted command. Run as it is, the CPO answers 3001: the placeholder host cannot be reached."""
    encodes = BINDINGS[version].encodes_tokens
    token = b64encode(token_a.encode()).decode() if encodes else token_a
    headers = [f"Authorization: Token {token}", "Content-Type: application/json"]
    if encodes:  # 2.1.1 knows neither Base64 nor message ids
        headers += [f"X-Request-ID: {uuid.uuid4()}", f"X-Correlation-ID: {uuid.uuid4()}"]
    words = ["curl", "-sS", "-X", "POST", links.credentials_url(cpo, version)]
    for header in headers:
        words += ["-H", header]
    return shlex.join([*words, "-d", json.dumps(payload, ensure_ascii=False)])
