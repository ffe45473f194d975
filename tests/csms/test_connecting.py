"""Who may connect, to what, and what the CSMS remembers of a connection."""

import pytest
from channels.db import database_sync_to_async

from simulator.csms import models, services
from tenants.models import Organization
from tests.csms.station import Refused, Station


def station_row(**fields):
    return models.Station.objects.unscoped().get(**fields)


stored = database_sync_to_async(station_row)


def test_an_organization_keeps_the_address_it_was_given(organization, settings):
    settings.PUBLIC_URL = "http://lab.example:8000"
    url = services.endpoint_url(organization)
    assert url == services.endpoint_url(organization)
    assert url.startswith("ws://lab.example:8000/csms/")
    assert len(url.rsplit("/", 1)[1]) >= 20


def test_https_outside_means_wss(organization, settings):
    settings.PUBLIC_URL = "https://lab.example/"
    assert services.endpoint_url(organization).startswith("wss://lab.example/csms/")


def test_organizations_have_different_keys(organization):
    other = Organization.objects.create(slug="other", name="Other")
    assert services.endpoint_url(organization) != services.endpoint_url(other)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["ocpp1.6"], "ocpp1.6"),
        (["ocpp2.0.1"], "ocpp2.0.1"),
        (["ocpp2.0.1", "ocpp1.6"], "ocpp2.0.1"),
        (["ocpp2.1", "ocpp1.6", "ocpp2.0.1"], "ocpp1.6"),
    ],
)
async def test_the_first_version_that_both_speak_is_chosen(endpoint, offered, chosen):
    station = Station(endpoint)
    assert await station.connect(offered) == chosen
    await station.socket.disconnect()


@pytest.mark.parametrize("offered", [[], ["ocpp1.5"], ["ocpp2.1"], ["OCPP1.6"]])
async def test_a_version_that_nobody_speaks_here_is_refused(endpoint, offered):
    with pytest.raises(Refused):
        await Station(endpoint).connect(offered)


@pytest.mark.parametrize(
    "path",
    ["/csms/wrong-key/CP-1", "/csms/{key}", "/csms/{key}/", "/csms/{key}/" + "x" * 101, "/csms/{key}/a%00b", "/", "/x"],
)
async def test_an_unknown_address_is_refused(endpoint, path):
    station = Station(endpoint)
    station.path = path.format(key=endpoint.key)
    with pytest.raises(Refused):
        await station.connect()


@pytest.mark.parametrize(
    ("segment", "identity"),
    [("RDAM%20123", "RDAM 123"), ("a%2Fb", "a/b"), ("%C3%A9t%C3%A9", "été"), ("100%25", "100%"), ("x=1|y", "x=1|y")],
)
async def test_an_identity_is_percent_decoded_once(endpoint, segment, identity):
    async with Station(endpoint, segment) as station:
        await station.boot()
    assert (await stored(identity=identity)).vendor == "Acme"


async def test_a_station_is_known_with_its_version_and_connection(endpoint):
    async with Station(endpoint, subprotocol="ocpp2.0.1") as station:
        await station.boot()
        row = await stored(identity="CP-1")
        assert row.tenant_id == endpoint.tenant_id
        assert (row.connected, row.subprotocol) == (True, "ocpp2.0.1")
    row = await stored(identity="CP-1")
    assert (row.connected, row.vendor, row.model) == (False, "Acme", "Wall 22")
    assert row.boot["reason"] == "PowerUp"
    assert row.booted_at is not None


async def test_a_station_that_connects_again_ends_its_older_socket(endpoint):
    old, new = Station(endpoint), Station(endpoint)
    await old.connect()
    await new.connect()
    closed = await old.socket.receive_output(timeout=30)
    assert closed["type"] == "websocket.close"
    await old.socket.disconnect()
    assert (await stored(identity="CP-1")).connected
    await new.boot()
    await new.socket.disconnect()
    assert not (await stored(identity="CP-1")).connected


async def test_stations_of_two_endpoints_share_nothing_but_the_name(endpoint):
    other = await database_sync_to_async(services.ensure_endpoint)(
        await Organization.objects.acreate(slug="other", name="Other")
    )
    async with Station(endpoint) as one, Station(other) as two:
        await one.boot()
        await two.boot()
    rows = await database_sync_to_async(lambda: list(models.Station.objects.unscoped().order_by("id")))()
    assert [row.tenant_id for row in rows] == [endpoint.tenant_id, other.tenant_id]
