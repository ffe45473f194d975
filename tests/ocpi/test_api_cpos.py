"""`/ocpi/cpos` as a tenant's client sees it (gateway contract, 15.1 to 15.3)."""

import shlex
from base64 import b64decode
from typing import Any

import pytest
from django.utils import timezone

from chargers.models import ChargerCommand
from ocpi import credentials
from ocpi.models import Cpo, Credential, Exchange, Peer, PeerState, Token
from tenants.models import Organization, RememberedAnswer
from tenants.scoping import scope
from tests.conftest import ApiClient
from tests.ocpi import builder
from tests.ocpi.builder import built, order

pytestmark = pytest.mark.django_db
ORDER = {"template": "small-urban-ac", "country_code": "nl", "party_id": "lab", "name_prefix": "City"}


@pytest.fixture(autouse=True)
def presets(db: None) -> None:
    builder.seed()


def create(client: ApiClient, **changes: Any) -> Any:
    return client.post("/ocpi/cpos", {**ORDER, **changes})


# --- the gallery ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/ocpi/templates/cpos", "/ocpi/cpos/templates"])
def test_the_gallery_shows_every_template_with_its_size(user_client: ApiClient, path: str) -> None:
    answer = user_client.get(path).json()
    found = {one["slug"]: (one["version"], one["locations"], one["chargers"]) for one in answer["data"]}
    assert answer["total"] == len(found) == 10
    assert found["small-urban-ac"] == (1, 2, 6)
    assert found["highway-dc"] == (1, 3, 6)
    assert found["mixed-depot"] == (1, 1, 6)
    assert found["wide-area"] == (1, 60, 60)


# --- creating ---------------------------------------------------------------------------------------------------------


def test_a_cpo_is_accepted_with_all_that_a_handshake_needs(user_client: ApiClient, settings: Any) -> None:
    answer = create(user_client, seed=7)
    assert answer.status_code == 202
    body = answer.json()
    number = body["cpo_id"]
    assert number.isdigit()
    assert body["party"] == {"country_code": "NL", "party_id": "LAB", "role": "CPO"}
    assert (body["template"], body["template_version"], body["status"]) == ("small-urban-ac", 1, "PENDING")
    assert body["ocpi_peer_url"] == f"{settings.PUBLIC_URL}/ocpi/peer/{number}/versions"
    assert (body["status_url"], body["destroy_url"]) == (f"/ocpi/cpos/{number}/status", f"/ocpi/cpos/{number}")
    assert len(body["token_a"]) >= 43
    assert body["expires_at"].endswith("Z")
    found = credentials.find(int(number), body["token_a"])
    assert found is not None
    assert found.kind == Credential.A


def test_the_curl_line_carries_the_encoded_token_and_the_payload(user_client: ApiClient) -> None:
    body = create(user_client, ocpi_version="2.1.1,2.2.1").json()
    words = shlex.split(body["roam_helper"]["curl_snippet"])
    assert words[:4] == ["curl", "-sS", "-X", "POST"]
    assert words[4].endswith(f"/ocpi/peer/{body['cpo_id']}/2.2.1/credentials")
    headers = dict(word.split(": ", 1) for word in words if ": " in word and not word.startswith("{"))
    assert b64decode(headers["Authorization"].removeprefix("Token ")).decode() == body["token_a"]
    assert {"Content-Type", "X-Request-ID", "X-Correlation-ID"} <= set(headers)
    payload = body["roam_helper"]["credentials_payload"]
    assert payload["roles"][0]["role"] == "EMSP"
    assert (payload["token"], payload["url"]) == (
        "REPLACE_WITH_YOUR_TOKEN_B",
        "https://your-emsp.example/ocpi/versions",
    )


def test_the_curl_line_of_211_is_flat_and_not_encoded(user_client: ApiClient) -> None:
    body = create(user_client, template="legacy-211").json()
    assert f"Authorization: Token {body['token_a']}" in body["roam_helper"]["curl_snippet"]
    assert body["roam_helper"]["credentials_payload"]["party_id"] == "MSP"
    assert "roles" not in body["roam_helper"]["credentials_payload"]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"country_code": "XX"}, ["body", "country_code"]),
        ({"country_code": "NLD"}, ["body", "country_code"]),
        ({"party_id": "LA"}, ["body", "party_id"]),
        ({"party_id": "LÄB"}, ["body", "party_id"]),
        ({"name_prefix": ""}, ["body", "name_prefix"]),
        ({"name_prefix": "x" * 33}, ["body", "name_prefix"]),
        ({"role": "emsp"}, ["body", "role"]),
        ({"role": "hub"}, ["body", "role"]),
        ({"ocpi_version": "2.0"}, ["body", "ocpi_version"]),
        ({"seed": "7"}, ["body", "seed"]),
        ({"seed": True}, ["body", "seed"]),
        ({"ttl_seconds": 59}, ["body", "ttl_seconds"]),
        ({"ttl_seconds": 604_801}, ["body", "ttl_seconds"]),
        ({"overrides": {"locations": 0}}, ["body", "overrides", "locations"]),
        ({"overrides": {"locations": 6}}, ["body", "overrides", "locations"]),
        ({"overrides": {"chargers_per_location": 11}}, ["body", "overrides", "chargers_per_location"]),
        ({"overrides": {"colour": 1}}, ["body", "overrides", "colour"]),
        ({"overrides": []}, ["body", "overrides"]),
        ({"ws_url": "http://csms.example"}, ["body", "ws_url"]),
        ({"template": None}, ["body", "template"]),
    ],
)
def test_what_does_not_fit_is_422_and_names_the_place(user_client: ApiClient, changes: Any, place: list[str]) -> None:
    answer = create(user_client, **changes)
    assert answer.status_code == 422
    assert place in [item["loc"] for item in answer.json()["detail"]]
    assert not Cpo.objects.unscoped().exists()


def test_an_unknown_template_is_404(user_client: ApiClient) -> None:
    assert create(user_client, template="nope").status_code == 404
    assert create(user_client, template="nö\u0000pe").status_code in (404, 422)


@pytest.mark.parametrize("ttl", [None, 60, 604_800])
def test_it_lives_as_long_as_asked(user_client: ApiClient, ttl: int | None) -> None:
    body = create(user_client, ttl_seconds=ttl).json()
    cpo = Cpo.objects.unscoped().get()
    if ttl is None:
        assert body["expires_at"] is None
    else:
        assert abs((cpo.expires_at - cpo.created_at).total_seconds() - ttl) < 5  # type: ignore[operator]


def test_null_is_as_good_as_absent(user_client: ApiClient) -> None:
    answer = create(user_client, role=None, ocpi_version=None, seed=None, overrides=None, ws_url=None)
    assert (answer.status_code, answer.json()["party"]["role"]) == (202, "CPO")


def test_without_a_seed_it_is_drawn_and_told(user_client: ApiClient) -> None:
    number = create(user_client, overrides={"locations": None}).json()["cpo_id"]
    seed = user_client.get(f"/ocpi/cpos/{number}").json()["seed"]
    assert f"Seed: {seed}" in user_client.get(f"/ocpi/cpos/{number}/report").json()["markdown"]


def test_several_versions_are_offered_oldest_first(user_client: ApiClient) -> None:
    number = create(user_client, ocpi_version="2.2.1, 2.1.1").json()["cpo_id"]
    assert user_client.get(f"/ocpi/cpos/{number}").json()["ocpi_version"] == "2.1.1,2.2.1"


# --- the same request again -------------------------------------------------------------------------------------------


def test_two_equal_requests_make_two_cpos(user_client: ApiClient) -> None:
    parties = [create(user_client).json()["party"]["party_id"] for _ in range(2)]
    assert parties == ["LAB", "LAC"]


def keyed(client: ApiClient, **changes: Any) -> Any:
    return client.post("/ocpi/cpos", {**ORDER, **changes}, HTTP_IDEMPOTENCY_KEY="k1")


def test_a_repeat_under_a_key_is_the_same_cpo_with_a_fresh_token(user_client: ApiClient) -> None:
    first, again = keyed(user_client).json(), keyed(user_client).json()
    assert first["cpo_id"] == again["cpo_id"]
    assert first["token_a"] != again["token_a"]
    assert again["token_a"] in again["roam_helper"]["curl_snippet"] or again["roam_helper"]
    number = int(first["cpo_id"])
    assert credentials.find(number, first["token_a"]) is None
    assert credentials.find(number, again["token_a"]) is not None
    assert Cpo.objects.unscoped().count() == 1


def test_no_token_is_remembered(user_client: ApiClient) -> None:
    body = keyed(user_client).json()
    kept = RememberedAnswer.objects.get().answer
    assert kept["token_a"] is kept["roam_helper"] is None
    assert body["token_a"] not in str(kept)


def test_a_repeat_is_409_once_the_token_was_used_or_the_cpo_is_gone(user_client: ApiClient) -> None:
    body = keyed(user_client).json()
    Credential.objects.unscoped().update(used_at=timezone.now())
    assert keyed(user_client).status_code == 409
    user_client.delete(f"/ocpi/cpos/{body['cpo_id']}")
    assert keyed(user_client).status_code == 409
    assert keyed(user_client, party_id="XYZ").status_code == 409


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_finished_cpo_as_it_is_shown(user_client: ApiClient, tenant: Organization) -> None:
    cpo = built(tenant, "highway-dc")
    body = user_client.get(f"/ocpi/cpos/{cpo.pk}").json()
    assert body["topology"] == {"locations": 3, "chargers": 6, "evses": 12, "connectors": 12}
    assert body["token_a"] is body["roam_helper"] is None
    assert body["report_url"] == f"/ocpi/cpos/{cpo.pk}/report"
    status = user_client.get(f"/ocpi/cpos/{cpo.pk}/status").json()
    assert (status["status"], status["progress"], status["error"]) == ("READY", None, None)
    assert status["provisioned_at"].endswith("Z")


def test_progress_is_shown_while_it_is_built(user_client: ApiClient, tenant: Organization) -> None:
    cpo = order(tenant)
    assert user_client.get(f"/ocpi/cpos/{cpo.pk}/status").json()["progress"] is None
    builder.work()
    status = user_client.get(f"/ocpi/cpos/{cpo.pk}/status").json()
    assert status["status"] == "PROVISIONING"
    assert status["progress"] == {"current_step": "wait-for-chargers", "chargers_ready": 0, "chargers_total": 6}


def test_the_list_is_of_live_ones_oldest_first(user_client: ApiClient, tenant: Organization) -> None:
    cpos = [order(tenant) for _ in range(3)]
    user_client.delete(f"/ocpi/cpos/{cpos[1].pk}")
    page = user_client.get("/ocpi/cpos?limit=2").json()
    assert [one["cpo_id"] for one in page["data"]] == [str(cpos[0].pk), str(cpos[2].pk)]
    assert (page["total"], page["page"], page["limit"]) == (2, 1, 2)


def test_the_list_costs_the_same_for_many(
    user_client: ApiClient, tenant: Organization, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        built(tenant, "smoke-single")
    with django_assert_max_num_queries(8):
        assert len(user_client.get("/ocpi/cpos").json()["data"]) == 3


@pytest.mark.parametrize("number", ["abc", "-1", "1.5", "1e3", "%D9%A1"])
def test_a_cpo_id_is_digits(user_client: ApiClient, number: str) -> None:
    for method in ("get", "delete"):
        assert getattr(user_client, method)(f"/ocpi/cpos/{number}").status_code == 422
    assert user_client.get(f"/ocpi/cpos/{number}/locations").status_code == 422


def test_a_number_beyond_all_rows_is_not_found(user_client: ApiClient) -> None:
    assert user_client.get(f"/ocpi/cpos/{10**30}").status_code == 404
    assert user_client.delete(f"/ocpi/cpos/{10**30}").status_code == 204


def test_the_report_names_everything_but_the_token(user_client: ApiClient, tenant: Organization) -> None:
    cpo = built(tenant, "mixed-depot", ttl_seconds=None)
    with scope(tenant):
        from ocpi.bundles import renew_token_a

        token = renew_token_a(cpo)
        Peer.objects.create(
            cpo=cpo, state=PeerState.REGISTERED, version="2.2.1", registered_at=timezone.now(),
            roles=[{"role": "EMSP", "country_code": "NL", "party_id": "EMS"}],
        )  # fmt: skip
    report = user_client.get(f"/ocpi/cpos/{cpo.pk}/report").json()
    text = report["markdown"]
    assert report["cpo_id"] == str(cpo.pk)
    for part in (
        f"# CPO {cpo.pk}: NL*LAB, City (mixed-depot)", "## Party", "## Locations (1)", "NL-LAB-L001", "## Chargers (6)",
        "City-NLLAB-001", "| OCPP2.0.1 | 180 |", "## EVSEs (8)", "NL*LAB*E0005*1", "DAY-NIGHT", "Expires: never",
        "0.28 EUR per kWh, 21 % VAT (from 22:00, until 06:00)", "| NL*EMS | 2.2.1 | Registered |", "unused.",
    ):  # fmt: skip
        assert part in text
    assert token not in text
    assert text == user_client.get(f"/ocpi/cpos/{cpo.pk}/report").json()["markdown"]
    plain = user_client.get(f"/ocpi/cpos/{cpo.pk}/report", HTTP_ACCEPT="text/markdown")
    assert plain.headers["Content-Type"].startswith("text/markdown")
    assert plain.content.decode() == text


# --- changing and ending ----------------------------------------------------------------------------------------------


def test_settings_change_one_by_one(user_client: ApiClient, tenant: Organization) -> None:
    path = f"/ocpi/cpos/{order(tenant).pk}/settings"
    assert user_client.get(path).json()["auto_plug"] is True
    changed = user_client.patch(path, {"auto_plug": False, "update_interval": 5})
    assert changed.status_code == 200
    assert (changed.json()["auto_plug"], changed.json()["update_interval"]) == (False, 5)
    assert user_client.patch(path, {"auto_plug": True}).json()["update_interval"] == 5
    assert Cpo.objects.unscoped().get().settings == {"update_interval": 5}
    assert user_client.patch(path, {"occupied_as": "RED"}).status_code == 422
    assert user_client.patch(path, {"lenient_auth": "yes"}).status_code == 422


def test_deleting_twice_is_a_success(user_client: ApiClient, tenant: Organization) -> None:
    path = f"/ocpi/cpos/{built(tenant, 'smoke-single').pk}"
    assert [user_client.delete(path).status_code for _ in range(2)] == [204, 204]
    assert user_client.get(path).status_code == 404
    assert user_client.get(f"{path}/status").status_code == 404
    assert user_client.get("/chargers").json()["total"] == 0


def test_another_organizations_cpo_is_left_alone(stranger_client: ApiClient, tenant: Organization) -> None:
    cpo = order(tenant)
    assert stranger_client.delete(f"/ocpi/cpos/{cpo.pk}").status_code == 204
    assert Cpo.objects.unscoped().filter(pk=cpo.pk, destroyed_at=None).exists()
    assert stranger_client.get("/ocpi/cpos").json()["data"] == []


# --- tokens, peers, messages ------------------------------------------------------------------------------------------


def test_a_new_token_a_revokes_the_unused_one_unless_additional(user_client: ApiClient) -> None:
    body = create(user_client).json()
    number, first = int(body["cpo_id"]), body["token_a"]
    second = user_client.post(f"/ocpi/cpos/{number}/tokens", {"additional": True}).json()["token_a"]
    assert all(credentials.find(number, token) for token in (first, second))
    third = user_client.post(f"/ocpi/cpos/{number}/tokens", {})
    assert third.status_code == 201
    assert not any(credentials.find(number, token) for token in (first, second))
    assert credentials.find(number, third.json()["token_a"])


def test_a_peer_can_be_unregistered(
    user_client: ApiClient, tenant: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpo = order(tenant)
    with scope(tenant):
        peer = Peer.objects.create(cpo=cpo, state=PeerState.REGISTERED, version="2.2.1")
        token = credentials.mint(cpo, Credential.C, peer)
    listed = user_client.get(f"/ocpi/cpos/{cpo.pk}/peers").json()["data"]
    assert [(one["id"], one["state"]) for one in listed] == [(str(peer.pk), "registered")]
    path = f"/ocpi/cpos/{cpo.pk}/peers/{peer.pk}"
    assert [user_client.delete(path).status_code for _ in range(2)] == [204, 204]
    assert credentials.find(cpo.pk, token) is None
    assert user_client.get(f"/ocpi/cpos/{cpo.pk}/peers").json()["data"] == []
    assert user_client.delete(f"/ocpi/cpos/{cpo.pk}/peers/x").status_code == 404


def test_tokens_are_listed_by_their_state_and_never_by_their_text(user_client: ApiClient, tenant: Organization) -> None:
    body = create(user_client).json()
    path = f"/ocpi/cpos/{body['cpo_id']}/tokens"
    minted = user_client.post(path, {}).json()["token_a"]
    with scope(tenant):
        cpo = Cpo.objects.get()
        peer = Peer.objects.create(cpo=cpo, state=PeerState.REGISTERED, version="2.2.1")
        token_c = credentials.mint(cpo, Credential.C, peer)
        found = credentials.find(cpo.pk, minted)
        assert found is not None
        credentials.consume(found)
        credentials.mint(cpo, Credential.A)
    answer = user_client.get(path)
    shown = [(one["kind"], one["state"], one["peer_id"]) for one in answer.json()["data"]]
    assert shown == [("A", "revoked", None), ("A", "used", None), ("C", "active", str(peer.pk)), ("A", "unused", None)]
    assert not [one for one in (body["token_a"], minted, token_c) if one in answer.text]


def test_the_drivers_tokens_of_a_peer(user_client: ApiClient, tenant: Organization) -> None:
    cpo = order(tenant)
    with scope(tenant):
        peers = [Peer.objects.create(cpo=cpo, state=PeerState.REGISTERED, version="2.2.1") for _ in range(2)]
        for peer, uid in zip((*peers, peers[0]), ("CARD-1", "CARD-2", "CARD-3"), strict=True):
            Token.objects.create(
                cpo=cpo, peer=peer, key_country="NL", key_party="EMS", key_uid=uid, content={"uid": uid.lower()},
                version="2.2.1", valid=uid == "CARD-1", whitelist="NEVER", contract_id="C", last_updated=timezone.now(),
            )  # fmt: skip
    path = f"/ocpi/cpos/{cpo.pk}/peers/{peers[0].pk}"
    assert user_client.get(path).json()["id"] == str(peers[0].pk)
    page = user_client.get(f"{path}/tokens").json()
    assert [(one["uid"], one["token"]) for one in page["data"]] == [
        ("CARD-1", {"uid": "card-1"}), ("CARD-3", {"uid": "card-3"}),
    ]  # fmt: skip
    for query, uids in (("valid=true", ["CARD-1"]), ("uid=card-3", ["CARD-3"]), ("whitelist=ALWAYS", [])):
        assert [one["uid"] for one in user_client.get(f"{path}/tokens?{query}").json()["data"]] == uids
    assert user_client.get(f"{path}/tokens?valid=perhaps").status_code == 422
    for wrong in ("0", "x", str(2**70)):
        assert user_client.get(f"/ocpi/cpos/{cpo.pk}/peers/{wrong}/tokens").status_code == 404


def test_registering_at_a_peer_that_cannot_be_reached_is_no_success(
    user_client: ApiClient, tenant: Organization
) -> None:
    cpo = order(tenant)
    path, body = f"/ocpi/cpos/{cpo.pk}/register", {"versions_url": "http://127.0.0.1:9/versions", "token_a": "t"}
    answer = user_client.post(path, body)
    assert answer.status_code == 400
    assert isinstance(answer.json()["detail"], str)
    assert user_client.post(path, {"versions_url": "x"}).status_code == 422


def exchange(cpo: Cpo, **fields: Any) -> None:
    usual = {"direction": "incoming", "at": timezone.now(), "method": "GET", "url": "http://a/b", "module": "locations"}
    Exchange.objects.create(cpo=cpo, **{**usual, **fields})


def test_messages_are_newest_first_and_filtered(user_client: ApiClient, tenant: Organization) -> None:
    cpo, other = order(tenant), order(tenant)
    with scope(tenant):
        exchange(cpo, url="http://a/1", correlation_id="c1")
        exchange(cpo, url="http://a/2", direction="outgoing", module="cdrs", method="POST", status_code=1000)
        exchange(other, url="http://a/3")
    path = f"/ocpi/cpos/{cpo.pk}/messages"
    assert [one["url"] for one in user_client.get(path).json()["data"]] == ["http://a/2", "http://a/1"]
    for query, url in (
        ("direction=outgoing", "http://a/2"),
        ("module=locations", "http://a/1"),
        ("method=post", "http://a/2"),
        ("status_code=1000", "http://a/2"),
        ("correlation_id=c1", "http://a/1"),
    ):
        assert [one["url"] for one in user_client.get(f"{path}?{query}").json()["data"]] == [url]
    assert user_client.get(f"{path}?since=2099-01-01T00:00:00Z").json()["data"] == []
    assert user_client.get(f"{path}?direction=sideways").status_code == 422
    for moment in ("yesterday", "2026-01-01T00:00:00", "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"):
        assert user_client.get(f"{path}?since={moment}").status_code == 422
        assert user_client.get(f"{path}?until={moment}").status_code == 422


# --- cards ------------------------------------------------------------------------------------------------------------


def test_cards_of_its_own_csms(user_client: ApiClient, tenant: Organization) -> None:
    cpo = built(tenant, "smoke-single")
    path = f"/ocpi/cpos/{cpo.pk}/cards"
    put = user_client.put(f"{path}/staff-1", {"group": "STAFF"})
    assert (put.status_code, put.json()["id_token"], put.json()["status"]) == (200, "STAFF-1", "Accepted")
    user_client.put(f"{path}/Staff-1", {"status": "Blocked"})
    page = user_client.get(path).json()
    assert [(one["id_token"], one["status"], one["group"]) for one in page["data"]] == [("STAFF-1", "Blocked", "")]
    assert user_client.put(f"{path}/x", {"status": "Maybe"}).status_code == 422
    assert user_client.put(f"{path}/x", {"expires_at": "0079-10-28T18:13:12Z"}).status_code == 422
    assert [user_client.delete(f"{path}/STAFF-1").status_code for _ in range(2)] == [204, 404]


def test_a_cpo_at_a_foreign_csms_has_no_cards(user_client: ApiClient, tenant: Organization) -> None:
    cpo = order(tenant, ws_url="ws://csms.example/x")
    assert user_client.get(f"/ocpi/cpos/{cpo.pk}/cards").json()["data"] == []
    assert user_client.put(f"/ocpi/cpos/{cpo.pk}/cards/A", {}).status_code == 409


def test_the_report_shows_that_bills_agree_with_meters(user_client: ApiClient, tenant: Organization) -> None:
    cpo = built(tenant, "smoke-single")
    text = user_client.get(f"/ocpi/cpos/{cpo.pk}/report").json()["markdown"]
    assert "## Reconciliation\n\nNo session has been billed yet." in text


def test_another_update_interval_reaches_the_chargers(user_client: ApiClient, tenant: Organization) -> None:
    cpo = built(tenant, "mixed-depot")
    user_client.patch(f"/ocpi/cpos/{cpo.pk}/settings", {"update_interval": 5})
    orders = ChargerCommand.objects.unscoped().filter(event_type="update_configuration")
    keys = sorted(next(iter(one.payload["configuration"].items())) for one in orders)
    assert keys == [("MeterValueSampleInterval", "5")] * 4 + [("SampledDataCtrlr.TxUpdatedInterval", "5")] * 2
