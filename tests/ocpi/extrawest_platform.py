"""An eMSP made of the published package `extrawest-ocpi`: its routers, its models, our memory as its store.

Runs as a program in an environment of its own (`environments.py`) and imports nothing of this project:

    python extrawest_platform.py <port>

Below `/control` a test tells it to register at a CPO, to pull every list through the package's models, to send a
command, and asks what it was pushed.
"""

import os
import sys
import uuid
from typing import Any

PORT = int(sys.argv[1])
os.environ |= {
    "OCPI_HOST": f"127.0.0.1:{PORT}",
    "PROTOCOL": "http",
    "COUNTRY_CODE": "NL",
    "PARTY_ID": "EXW",
    "CI_STRING_LOWERCASE_PREFERENCE": "false",
}

import httpx  # noqa: E402
import uvicorn  # noqa: E402
from fastapi import Body, FastAPI  # noqa: E402
from py_ocpi.core.adapter import BaseAdapter  # noqa: E402
from py_ocpi.core.authentication.authenticator import Authenticator  # noqa: E402
from py_ocpi.core.crud import Crud  # noqa: E402
from py_ocpi.core.enums import ModuleID, RoleEnum  # noqa: E402
from py_ocpi.core.utils import encode_string_base64  # noqa: E402
from py_ocpi.main import get_application  # noqa: E402
from py_ocpi.modules.cdrs.v_2_2_1.schemas import Cdr  # noqa: E402
from py_ocpi.modules.commands.v_2_2_1.schemas import CommandResponse  # noqa: E402
from py_ocpi.modules.credentials.v_2_2_1.schemas import Credentials  # noqa: E402
from py_ocpi.modules.locations.v_2_2_1.schemas import Location  # noqa: E402
from py_ocpi.modules.sessions.v_2_2_1.schemas import Session  # noqa: E402
from py_ocpi.modules.tariffs.v_2_2_1.schemas import Tariff  # noqa: E402
from py_ocpi.modules.tokens.v_2_2_1.schemas import Token  # noqa: E402
from py_ocpi.modules.versions.enums import VersionNumber  # noqa: E402
from py_ocpi.modules.versions.schemas import Version  # noqa: E402
from py_ocpi.modules.versions.v_2_2_1.schemas import VersionDetail  # noqa: E402

BASE = f"http://127.0.0.1:{PORT}"
TOKEN_A, TOKEN_B = "token-a-of-extrawest", "token-b-of-extrawest"
BODY = Body(...)
LISTS = {"locations": Location, "tariffs": Tariff, "sessions": Session, "cdrs": Cdr}


kept: dict[str, dict[str, Any]] = {module.value: {} for module in ModuleID}
cpo: dict[str, Any] = {"token": "", "endpoints": {}}


class Memory(Crud):
    """What the package asks its owner to store."""

    @classmethod
    async def get(cls, module: ModuleID, role: RoleEnum, id: str, *args: Any, **kwargs: Any) -> Any:  # noqa: A002
        if module == ModuleID.credentials_and_registration:
            return own_credentials()
        return kept[module.value].get(id)

    @classmethod
    async def list(cls, module: ModuleID, role: RoleEnum, filters: dict, *args: Any, **kwargs: Any) -> Any:
        found = list(kept[module.value].values())
        return found, len(found), True

    @classmethod
    async def create(cls, module: ModuleID, role: RoleEnum, data: dict, *args: Any, **kwargs: Any) -> Any:
        if module == ModuleID.credentials_and_registration:
            remember(data["credentials"]["token"], data["endpoints"])
            return own_credentials()
        kept[module.value][data["id"]] = data
        return data

    @classmethod
    async def update(cls, module: ModuleID, role: RoleEnum, data: dict, id: str, *args: Any, **kwargs: Any) -> Any:  # noqa: A002
        kept[module.value][id] = data
        return data

    @classmethod
    async def delete(cls, module: ModuleID, role: RoleEnum, id: str, *args: Any, **kwargs: Any) -> None:  # noqa: A002
        kept[module.value].pop(id, None)

    @classmethod
    async def do(cls, *args: Any, **kwargs: Any) -> Any:
        return None


class Doorkeeper(Authenticator):
    @classmethod
    async def get_valid_token_a(cls) -> list[str]:
        return [TOKEN_A]

    @classmethod
    async def get_valid_token_c(cls) -> list[str]:
        return [TOKEN_B]


def own_credentials() -> dict[str, Any]:
    role = {"role": "EMSP", "business_details": {"name": "Extrawest"}, "party_id": "EXW", "country_code": "NL"}
    return {"token": TOKEN_B, "url": f"{BASE}/ocpi/versions", "roles": [role]}


def remember(token: str, details: Any) -> None:
    parsed = VersionDetail(**details)
    cpo["token"] = token
    cpo["endpoints"] = {one.identifier.value: str(one.url) for one in parsed.endpoints}


app: FastAPI = get_application(
    version_numbers=[VersionNumber.v_2_2_1],
    roles=[RoleEnum.emsp],
    crud=Memory,
    modules=[one for one in ModuleID if one not in (ModuleID.hub_client_info, ModuleID.client_info)],
    authenticator=Doorkeeper,
    adapter=BaseAdapter,
)


async def call(method: str, url: str, token: str, body: Any = None) -> httpx.Response:
    headers = {"Authorization": f"Token {encode_string_base64(token)}"}
    async with httpx.AsyncClient(timeout=30) as client:
        return await client.request(method, url, headers=headers, json=body)


@app.post("/control/register")
async def register(wanted: dict[str, str] = BODY) -> Any:
    """The handshake from its side, every answer parsed by the package's models."""
    versions = (await call("GET", wanted["versions_url"], wanted["token_a"])).json()["data"]
    parsed = [Version(**one) for one in versions]
    url = next(str(one.url) for one in parsed if one.version == VersionNumber.v_2_2_1)
    details = (await call("GET", url, wanted["token_a"])).json()["data"]
    remember("", details)
    sent = Credentials(**own_credentials()).dict()
    answer = await call("POST", cpo["endpoints"]["credentials"], wanted["token_a"], sent)
    envelope = answer.json()
    if envelope["status_code"] == 1000:
        remember(str(Credentials(**envelope["data"]).token), details)
    return {"http": answer.status_code, "status_code": envelope["status_code"], "message": envelope["status_message"]}


@app.post("/control/pull")
async def pull() -> dict[str, list[str]]:
    """Every list, page by page; ids of the objects that the package's models parsed. Places and prices are kept."""
    found: dict[str, list[str]] = {}
    for name, model in LISTS.items():
        found[name] = []
        url: str | None = f"{cpo['endpoints'][name]}?limit=2"
        while url:
            page = await call("GET", url, cpo["token"])
            parsed = [model(**one) for one in page.json()["data"]]
            found[name] += [str(one.id) for one in parsed]
            if name in ("locations", "tariffs"):
                kept[name] |= {str(one.id): one.dict() for one in parsed}
            url = page.links.get("next", {}).get("url")
    return found


@app.post("/control/token")
async def put_token(wanted: dict[str, str] = BODY) -> int:
    """Pushes a token as the package writes it."""
    token = Token(
        country_code="NL", party_id="EXW", uid=wanted["uid"], type="RFID", contract_id=f"NL-EXW-{wanted['uid']}",
        issuer="Extrawest", valid=True, whitelist="ALWAYS", last_updated="2026-03-01T08:00:00Z",
    )  # fmt: skip
    kept["tokens"][wanted["uid"]] = token.dict()
    answer = await call("PUT", f"{cpo['endpoints']['tokens']}/NL/EXW/{wanted['uid']}", cpo["token"], token.dict())
    return answer.status_code


@app.post("/control/command")
async def command(wanted: dict[str, Any] = BODY) -> dict[str, Any]:
    """Sends a command; `uid` is where its result will be kept."""
    uid = str(uuid.uuid4())
    body = {"response_url": f"{BASE}/ocpi/emsp/2.2.1/commands/{uid}", **wanted["body"]}
    if "token" in body:
        body["token"] = kept["tokens"][body["token"]]
    answer = await call("POST", f"{cpo['endpoints']['commands']}/{wanted['command']}", cpo["token"], body)
    return {"uid": uid, "result": CommandResponse(**answer.json()["data"]).result.value}


@app.get("/control/kept")
async def shown() -> dict[str, dict[str, Any]]:
    return kept


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
