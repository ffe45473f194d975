"""Locations, EVSEs and connectors, for reading (OCPI contract, 5)."""

from ocpi.models import Evse
from ocpi.peer import pagination
from ocpi.peer.views import Conversation, PeerView
from ocpi.protocol import reading, rendering
from ocpi.protocol.envelope import Answer, Missing


class Locations(PeerView):
    module = "locations"

    def get(self, talk: Conversation) -> Answer:
        cpo = talk.caller.cpo
        return pagination.page(talk.request, reading.locations(cpo), cpo, talk.binding.location)


class OneLocation(PeerView):
    module = "locations"

    def get(self, talk: Conversation, location_id: str) -> Answer:
        found = reading.locations(talk.caller.cpo).filter(ocpi_id__iexact=location_id).first()
        if found is None:
            raise Missing(f"There is no location {location_id}.")
        return Answer(talk.binding.location(found))


class OneEvse(PeerView):
    module = "locations"

    def get(self, talk: Conversation, location_id: str, evse_uid: str) -> Answer:
        return Answer(talk.binding.evse(evse_of(talk, location_id, evse_uid)))


class OneConnector(PeerView):
    module = "locations"

    def get(self, talk: Conversation, location_id: str, evse_uid: str, connector_id: str) -> Answer:
        found = evse_of(talk, location_id, evse_uid)
        if connector_id != rendering.CONNECTOR_ID:
            raise Missing(f"EVSE {evse_uid} has no connector {connector_id}.")
        return Answer(talk.binding.connector(found))


def evse_of(talk: Conversation, location_id: str, evse_uid: str) -> Evse:
    """Raises Missing, also for an outlet that the version has no word for."""
    rows = reading.evses(talk.caller.cpo)
    found = rows.filter(location__ocpi_id__iexact=location_id, uid__iexact=evse_uid).first()
    if found is None or not talk.binding.shows(found):
        raise Missing(f"There is no EVSE {evse_uid} at location {location_id}.")
    return found
