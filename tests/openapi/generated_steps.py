"""The five steps with a generated client; runs in an environment that has that client and nothing of the gateway.

`python generated_steps.py BASE_URL TOKEN CSMS_URL` prints what it has read from the log.
"""

import sys
import time

from ocpplab_gateway_client import AuthenticatedClient
from ocpplab_gateway_client.api.catalog import list_models
from ocpplab_gateway_client.api.chargers import create_charger, get_charger
from ocpplab_gateway_client.api.commands import get_command, start_session
from ocpplab_gateway_client.api.locations import create_location
from ocpplab_gateway_client.api.logs import get_logs
from ocpplab_gateway_client.models import (
    ChargerCreateRequest,
    CoordinatesRequest,
    Error,
    LocationCreateRequest,
    OcppVersionEnum,
    StartSessionRequest,
)

base_url, token, csms_url = sys.argv[1:]
client = AuthenticatedClient(base_url=base_url, token=token)

models = list_models.sync("wallbox", client=client)
model = next(one for one in models.data if one.slug == "wallbox-pulsar-plus")

site = LocationCreateRequest(
    name="Harbour", address="Quai 1", city="Rotterdam", country="NL", coordinates=CoordinatesRequest(51.9, 4.48)
)
location = create_location.sync(client=client, body=site)

wanted = ChargerCreateRequest(
    identity="GENERATED-1",
    brand_slug=model.brand_slug,
    model_slug=model.slug,
    connector_type=model.connector_types[0].value,
    ws_url=csms_url,
    location_id=str(location.id),
    ocpp_version=OcppVersionEnum.OCPP1_6,
)
charger = create_charger.sync(client=client, body=wanted)
refused = create_charger.sync(client=client, body=wanted)
assert isinstance(refused, Error), refused
assert "taken" in refused.detail, refused

queued = start_session.sync(str(charger.id), client=client, body=StartSessionRequest(id_tag="TAG-RFID-001"))
assert queued.payload.additional_properties == {"id_tag": "TAG-RFID-001"}, queued
while not (command := get_command.sync(str(charger.id), queued.id, client=client)).finished_at:
    time.sleep(0.2)
assert command.state.value == "accepted", command

assert get_charger.sync(str(charger.id), client=client).connection_status.value == "connected"
for entry in get_logs.sync(str(charger.id), client=client, limit=100).data:
    print(entry.direction, entry.action)
