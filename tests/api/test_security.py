"""`C/security`: what may be set, what is refused in which words, and that no secret ever comes back."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from chargers.models import Charger, ChargerSecurity, StationState
from chargers.services import security
from ocpplab import sealing
from simulator.core.credentials import Security
from tenants.models import AuditEntry
from tenants.scoping import scope
from tests.api.node import StandIn
from tests.conftest import ApiClient
from tests.pki import Authority

PASSWORD = "correct-horse-battery"
NOTHING = {
    "profile": 0,
    "password_set": False,
    "ca_certificates": [],
    "client_certificate": None,
    "client_key_set": False,
    "insecure": False,
    "installed_certificates": [],
}


def path(charger: Charger) -> str:
    return f"/chargers/{charger.pk}/security"


def secured(charger: Charger) -> Charger:
    """Reachable over TLS."""
    with scope(charger.tenant_id):
        Charger.objects.filter(pk=charger.pk).update(ws_url="wss://csms.example/ocpp")
    return charger


def revision_of(charger: Charger) -> int:
    return Charger.objects.unscoped().get(pk=charger.pk).revision


def test_a_charger_has_no_security_until_it_is_given_some(user_client: ApiClient, charger: Charger) -> None:
    answer = user_client.get(path(charger))
    assert (answer.status_code, answer.json()) == (200, NOTHING)


def test_a_password_is_set_and_never_shown(user_client: ApiClient, charger: Charger) -> None:
    before = revision_of(charger)
    answer = user_client.put(path(charger), {"profile": 1, "password": PASSWORD})
    assert (answer.status_code, answer.json()) == (200, {**NOTHING, "profile": 1, "password_set": True})
    assert user_client.get(path(charger)).json() == answer.json()
    assert revision_of(charger) == before + 1, "the running charger must learn of it"
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM chargers_chargersecurity")
        [row] = cursor.fetchall()
    assert PASSWORD not in str(row)
    stored = ChargerSecurity.objects.unscoped().get(pk=charger.pk)
    assert sealing.unseal(stored.password) == PASSWORD


def test_the_same_again_costs_no_connection(user_client: ApiClient, charger: Charger) -> None:
    body = {"profile": 1, "password": PASSWORD, "insecure": True}
    user_client.put(path(charger), body)
    before = revision_of(charger)
    assert user_client.put(path(charger), body).status_code == 200
    assert user_client.put(path(charger), {}).status_code == 200
    assert revision_of(charger) == before


def test_certificates_are_shown_by_what_they_say(user_client: ApiClient, charger: Charger) -> None:
    secured(charger)
    root, stations = Authority("Root"), Authority("Stations")
    client = stations.client("CP-1", timedelta(days=-3))
    body = {
        "profile": 3, "ca_certificate": root.pem + stations.pem, "client_certificate": client.certificate,
        "client_key": client.key,
    }  # fmt: skip
    answer = user_client.put(path(charger), body)
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert [one["subject"] for one in shown["ca_certificates"]] == ["CN=Root", "CN=Stations"]
    assert (shown["client_certificate"]["issuer"], shown["client_certificate"]["is_expired"]) == ("CN=Stations", True)
    assert len(shown["client_certificate"]["fingerprint"]) == 32 * 3 - 1
    assert shown["client_key_set"] is True
    assert "PRIVATE" not in answer.content.decode()
    assert client.key.splitlines()[1] not in answer.content.decode()
    cleared = user_client.put(
        path(charger), {"profile": 0, "client_certificate": None, "client_key": "", "ca_certificate": None}
    )
    assert cleared.json() == NOTHING


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"profile": 4}, "profile"),
        ({"profile": "1"}, "profile"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 41}, "password"),
        ({"password": "ä" * 20}, "password"),
        ({"ca_certificate": "nonsense"}, "ca_certificate"),
        ({"client_certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}, "client_certificate"),
        ({"client_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, "client_key"),
        ({"insecure": 1}, "insecure"),
    ],
)
def test_what_is_no_value_for_a_field_is_422(
    user_client: ApiClient, charger: Charger, body: dict[str, Any], field: str
) -> None:
    answer = user_client.put(path(charger), body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]


def test_what_does_not_go_together_is_400_in_words(user_client: ApiClient, charger: Charger) -> None:
    one, other = Authority().client("A"), Authority().client("B")
    pair = {"client_certificate": one.certificate, "client_key": one.key}
    over_tls: list[tuple[dict[str, Any], str]] = [
        ({"profile": 2}, "set one"),
        ({"profile": 3}, "client_certificate and client_key"),
        ({"profile": 1, "password": PASSWORD}, "it is profile 2"),
        ({"client_certificate": one.certificate, "client_key": other.key}, "does not belong"),
    ]
    plain: list[tuple[dict[str, Any], str]] = [
        ({"profile": 1}, "set one"),
        ({"profile": 2, "password": PASSWORD}, "change the charger's ws_url first"),
        ({"profile": 3, **pair}, "change the charger's ws_url first"),
    ]
    for bodies, prepare in ((plain, None), (over_tls, secured)):
        if prepare:
            prepare(charger)
        for body, words in bodies:
            answer = user_client.put(path(charger), body)
            assert answer.status_code == 400, body
            assert words in answer.json()["detail"]
    assert user_client.get(path(charger)).json() == NOTHING


def test_a_password_in_use_cannot_be_taken_away(user_client: ApiClient, charger: Charger) -> None:
    user_client.put(path(charger), {"profile": 1, "password": PASSWORD})
    assert user_client.put(path(charger), {"password": None}).status_code == 400
    assert user_client.put(path(charger), {"profile": 0, "password": None}).json() == NOTHING


def test_what_the_csms_has_changed_is_shown_and_kept(user_client: ApiClient, charger: Charger) -> None:
    """The CSMS has set another password and a root; the installer then changes something else."""
    user_client.put(path(charger), {"profile": 1, "password": PASSWORD})
    root = Authority("By the CSMS")
    changed = sealing.seal("set-by-the-csms-123")
    memory = {
        "security": {"set": {"revision": 1, "profile": 1, "password": changed}, "fallback": []},
        "certificates": {"installed": [{"use": "CSMSRootCertificate", "pem": root.pem}], "requested": {}},
    }
    StationState.objects.filter(charger=charger).update(memory=memory)
    shown = user_client.get(path(charger)).json()
    assert [(one["use"], one["subject"]) for one in shown["installed_certificates"]] == [
        ("CSMSRootCertificate", "CN=By the CSMS")
    ]
    assert user_client.put(path(charger), {"insecure": True}).status_code == 200
    with scope(charger.tenant_id):
        kept = security.shown(charger).security
    assert kept == Security(2, 1, password=changed, insecure=True)


def test_the_audit_names_the_fields_only(user_client: ApiClient, charger: Charger) -> None:
    user_client.put(path(charger), {"profile": 1, "password": PASSWORD})
    entry = AuditEntry.objects.get(verb="update_security")
    assert entry.details == {"fields": ["password", "profile"]}


def test_security_goes_with_its_charger(user_client: ApiClient, charger: Charger) -> None:
    user_client.put(path(charger), {"profile": 1, "password": PASSWORD})
    assert user_client.delete(f"/chargers/{charger.pk}").status_code == 204
    assert not ChargerSecurity.objects.unscoped().exists()


def test_a_stranger_finds_nothing(
    user_client: ApiClient, stranger_client: ApiClient, viewer_client: ApiClient, charger: Charger
) -> None:
    assert stranger_client.get(path(charger)).status_code == 404
    assert stranger_client.put(path(charger), {"profile": 1, "password": PASSWORD}).status_code == 404
    assert viewer_client.put(path(charger), {"profile": 1, "password": PASSWORD}).status_code == 403
    assert viewer_client.get(path(charger)).json() == NOTHING


@pytest.mark.django_db(transaction=True)
def test_a_password_in_a_configuration_command_is_sealed_and_shown_masked(
    user_client: ApiClient, charger: Charger
) -> None:
    with StandIn(lambda _: ("accepted", "", {"status": "Accepted", "configured": [], "msg": "", "results": {}})):
        body = {"configuration": {"AuthorizationKey": PASSWORD, "HeartbeatInterval": "60"}}
        assert user_client.post(f"/chargers/{charger.pk}/configuration", body).status_code == 200
    history = user_client.get(f"/chargers/{charger.pk}/commands")
    assert history.json()["data"][0]["payload"] == {
        "configuration": {"AuthorizationKey": "********", "HeartbeatInterval": "60"}
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload FROM chargers_chargercommand")
        assert PASSWORD not in str(cursor.fetchall())
