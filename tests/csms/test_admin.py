"""The house CSMS in the admin: what staff see, change and order."""

import pytest
from django.test import Client
from django.urls import reverse

from simulator.csms import services
from simulator.csms.models import Card, CsmsCall, CsmsTransaction, Endpoint, Station
from tenants.models import AuditEntry, User


@pytest.fixture
def staff(transactional_db):
    client = Client()
    client.force_login(User.objects.create_superuser("sam", password="x"))
    return client


@pytest.fixture
def station(endpoint):
    of = {"tenant_id": endpoint.tenant_id, "endpoint": endpoint}
    row = Station.objects.unscoped().create(**of, identity="CP-1", subprotocol="ocpp1.6")
    CsmsTransaction.objects.unscoped().create(**of, station=row, transaction_id="7", started_at="2026-01-02T03:04:05Z")
    return row


def url(name, *args):
    return reverse(f"admin:csms_{name}", args=args)


@pytest.mark.parametrize("model", ["endpoint", "station", "card", "csmstransaction", "csmscall"])
def test_every_list_opens(staff, station, model):
    assert staff.get(url(f"{model}_changelist"), {"q": "CP"} if model != "endpoint" else {}).status_code == 200


def test_the_endpoint_shows_its_url_and_takes_a_policy(staff, endpoint):
    page = staff.get(url("endpoint_change", endpoint.pk))
    assert services.url_of(endpoint) in page.content.decode()
    staff.post(url("endpoint_change", endpoint.pk), {"label": "Strict", "heartbeat_interval": "60"})
    row = Endpoint.objects.unscoped().get()
    assert (row.label, row.accept_unknown_cards, row.heartbeat_interval) == ("Strict", False, 60)
    assert AuditEntry.objects.filter(object_type="endpoint", verb="change_endpoint", actor="sam").exists()


def test_cards_are_added_once(staff, endpoint):
    form = {"endpoint": endpoint.pk, "id_token": "abc", "status": "Blocked"}
    assert staff.get(url("card_add")).status_code == 200
    assert staff.post(url("card_add"), form).status_code == 302
    row = Card.objects.unscoped().get()
    assert (row.id_token, row.status, row.tenant_id) == ("ABC", "Blocked", endpoint.tenant_id)
    again = staff.post(url("card_add"), form | {"id_token": "Abc"})
    assert again.status_code == 200
    assert "already exists" in again.content.decode()
    assert staff.post(url("card_change", row.pk), form | {"status": "Accepted"}).status_code == 302
    assert staff.post(url("card_delete", row.pk), {"post": "yes"}).status_code == 302
    assert Card.objects.unscoped().count() == 0
    verbs = AuditEntry.objects.filter(object_type="card").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["add_card", "change_card", "delete_card"]


@pytest.mark.parametrize(
    ("action", "call"),
    [
        ("remote_start", "RemoteStartTransaction"),
        ("remote_stop", "RemoteStopTransaction"),
        ("trigger_status", "TriggerMessage"),
        ("reset", "Reset"),
    ],
)
def test_orders_become_calls(staff, station, action, call):
    chosen = {"action": action, "_selected_action": [station.pk]}
    assert staff.post(url("station_changelist"), chosen, follow=True).status_code == 200
    row = CsmsCall.objects.unscoped().get()
    assert (row.action, row.state, row.station) == (call, "queued", station)
    assert AuditEntry.objects.filter(verb="call_station", details={"changes": [call]}, actor="sam").exists()
    assert staff.get(url("csmscall_change", row.pk)).status_code == 200


def test_any_call_can_be_written_by_hand_if_it_is_valid(staff, station):
    form = {"station": station.pk, "action": "ChangeConfiguration", "payload": '{"key": "HeartbeatInterval"}'}
    assert "value" in staff.post(url("csmscall_add"), form).content.decode()
    assert CsmsCall.objects.unscoped().count() == 0
    form["payload"] = '{"key": "HeartbeatInterval", "value": "60"}'
    assert staff.post(url("csmscall_add"), form).status_code == 302
    assert CsmsCall.objects.unscoped().get().payload == {"key": "HeartbeatInterval", "value": "60"}


def test_what_stations_reported_is_read_only(staff, station):
    row = CsmsTransaction.objects.unscoped().get()
    assert staff.get(url("csmstransaction_change", row.pk)).status_code == 200
    assert staff.post(url("csmstransaction_delete", row.pk), {"post": "yes"}).status_code == 403
    assert staff.get(url("csmstransaction_add")).status_code == 403
    assert staff.get(url("station_change", station.pk)).status_code == 200
