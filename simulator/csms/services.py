"""The doors to the house CSMS for the rest of the product: its address, its cards, its calls to stations."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from asgiref.sync import async_to_sync
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ocpplab.api.errors import Invalid, InvalidRequest
from simulator.core import schemas
from simulator.csms import actions
from simulator.csms.models import Card, CardStatus, CsmsCall, Endpoint, Station
from tenants.models import Organization

DEFAULT_LABEL = "House CSMS"
ANONYMOUS = "NoAuthorization"  # OCPP 2.0.1: charging without a driver's token


def ensure_endpoint(organization: Organization, label: str = DEFAULT_LABEL) -> Endpoint:
    """The organization's endpoint of this label, made on the first call."""
    endpoint: Endpoint = Endpoint.objects.unscoped().get_or_create(tenant=organization, label=label)[0]
    return endpoint


def url_of(endpoint: Endpoint) -> str:
    """`ws(s)://host[:port]/csms/<key>`, to which a station adds `/` and its identity."""
    public = urlsplit(str(settings.PUBLIC_URL))
    scheme = "wss" if public.scheme == "https" else "ws"
    return urlunsplit((scheme, public.netloc, f"{public.path.rstrip('/')}/csms/{endpoint.key}", "", ""))


def endpoint_url(organization: Organization) -> str:
    """Where the organization's chargers find the house CSMS; makes the endpoint if there is none yet."""
    return url_of(ensure_endpoint(organization))


@dataclass(frozen=True, slots=True)
class Authorization:
    """What the CSMS thinks of a card. `known` is False where only the endpoint's policy decided."""

    status: str
    known: bool = False
    group: str = ""
    expires_at: datetime | None = None


def authorize(endpoint: Endpoint, id_token: str, token_type: str = "") -> Authorization:
    """Whether this token may charge now. One query for a listed card, two for others; reads the tenant in scope."""
    if token_type == ANONYMOUS:
        return Authorization(CardStatus.ACCEPTED)
    card = Card.objects.filter(endpoint=endpoint, id_token=id_token.upper()).first()
    if card is None or (card.type and token_type and card.type != token_type):
        open_to_all = Endpoint.objects.filter(pk=endpoint.pk, accept_unknown_cards=True).exists()
        return Authorization(CardStatus.ACCEPTED if open_to_all else CardStatus.INVALID)
    expired = card.expires_at is not None and card.expires_at <= timezone.now()
    status = CardStatus.EXPIRED if expired and card.status == CardStatus.ACCEPTED else card.status
    return Authorization(status, known=True, group=card.group, expires_at=card.expires_at)


def call(station: Station, action: str, payload: dict[str, Any]) -> CsmsCall:
    """Queues a call to a station and wakes its socket on commit; a station that is away gets it when it returns.

    Raises InvalidRequest for an action that a CSMS does not send, Invalid for a payload that breaks its schema.
    """
    check_call(station.subprotocol, action, payload)
    row: CsmsCall = CsmsCall.objects.unscoped().create(
        tenant_id=station.tenant_id, station=station, action=action, payload=payload
    )
    transaction.on_commit(lambda: wake([station.pk]), robust=True)  # the poll finds the row all the same
    return row


def check_call(subprotocol: str, action: str, payload: Any) -> None:
    """Raises as `call` does."""
    if action not in actions.to_station(subprotocol):
        raise InvalidRequest(f"{action} is not a call that a CSMS sends in {subprotocol}.")
    violation = schemas.violation(subprotocol, action, "request", payload)
    if violation is not None:
        raise Invalid((("body", "payload"), str(violation), "value_error"))


def wake(station_ids: Collection[int]) -> None:
    """Tells the sockets to look for queued calls. A lost wake-up costs a second: the sockets' process also polls."""
    layer = get_channel_layer()
    held = Station.objects.unscoped().filter(pk__in=station_ids, connected=True)
    for channel in held.values_list("channel", flat=True):
        with suppress(ChannelFull):
            async_to_sync(layer.send)(channel, {"type": "calls.waiting"})
