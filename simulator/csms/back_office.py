"""The house CSMS as the back office of others: what `chargers.back_office` promises, over the rows of this room."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from chargers import back_office
from chargers.back_office import CallOutcome
from simulator.csms import services, transactions
from simulator.csms.calls import NO_ANSWER
from simulator.csms.models import CallState, Card, CsmsCall, Endpoint, Station

WITHDRAWN = "It was withdrawn before it was sent."


class HouseOffice:
    """Reads and writes the organization in scope; a number of another organization is as good as unknown."""

    def open_endpoint(self, label: str, *, accept_unknown_cards: bool) -> int:
        defaults = {"accept_unknown_cards": accept_unknown_cards, "asks_others": True}
        endpoint: Endpoint = Endpoint.objects.get_or_create(label=label, defaults=defaults)[0]
        return endpoint.pk

    def url(self, endpoint: int) -> str:
        """Raises Endpoint.DoesNotExist."""
        return services.url_of(Endpoint.objects.get(pk=endpoint))

    @transaction.atomic
    def close_endpoint(self, endpoint: int) -> None:
        """Its stations may be connecting at this moment: what they would hang on it waits until it is gone."""
        rows = Endpoint.objects.filter(pk=endpoint)
        list(rows.select_for_update().values_list("pk"))
        list(Station.objects.select_for_update().filter(endpoint=endpoint).order_by("pk").values_list("pk"))
        rows.delete()

    def cards(self, endpoint: int) -> list[back_office.Card]:
        rows = Card.objects.filter(endpoint=endpoint)
        return [back_office.Card(row.id_token, row.status, row.type, row.group, row.expires_at) for row in rows]

    def put_card(self, endpoint: int, card: back_office.Card) -> None:
        """Raises Endpoint.DoesNotExist."""
        values = {"status": card.status, "type": card.type, "group": card.group, "expires_at": card.expires_at}
        Card.objects.update_or_create(
            endpoint=Endpoint.objects.get(pk=endpoint), id_token=card.id_token.upper(), defaults=values
        )

    def delete_card(self, endpoint: int, id_token: str) -> bool:
        deleted, _ = Card.objects.filter(endpoint=endpoint, id_token=id_token.upper()).delete()
        return bool(deleted)

    def is_online(self, endpoint: int, identity: str) -> bool:
        station = self._station(endpoint, identity)
        return station is not None and station.is_online

    @staticmethod
    def _station(endpoint: int, identity: str) -> Station | None:
        return Station.objects.filter(endpoint=endpoint, identity=identity).select_related("endpoint").first()

    def call(self, endpoint: int, identity: str, action: str, payload: dict[str, Any]) -> int | None:
        """Raises InvalidRequest for an action that a CSMS does not send, Invalid for a payload against its schema."""
        station = self._station(endpoint, identity)
        return None if station is None else services.call(station, action, payload).pk

    def outcome(self, call: int) -> CallOutcome | None:
        row = CsmsCall.objects.filter(pk=call).first()
        if row is None:
            return None
        timed_out = row.state == CallState.FAILED and row.reason == NO_ANSWER
        return CallOutcome("timed_out" if timed_out else row.state, row.response, row.reason)

    def withdraw(self, call: int) -> bool:
        queued = CsmsCall.objects.filter(pk=call, state=CallState.QUEUED)
        return bool(queued.update(state=CallState.FAILED, reason=WITHDRAWN, finished_at=timezone.now()))

    @transaction.atomic
    def next_number(self, endpoint: int) -> int:
        return transactions.next_number(endpoint)
