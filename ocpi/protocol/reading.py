"""What a peer may read, as querysets that load all that rendering needs in a fixed number of queries."""

from django.db.models import Prefetch, QuerySet

from ocpi.models import Cdr, Cpo, CpoLocation, Evse, Peer, Session, Tariff


def evses(cpo: Cpo) -> QuerySet[Evse]:
    return Evse.objects.filter(cpo=cpo).select_related("cpo", "location").prefetch_related("tariffs")


def locations(cpo: Cpo) -> QuerySet[CpoLocation]:
    """In listing order, each with its EVSEs in the order they were made."""
    inner = Evse.objects.order_by("created_at", "id").prefetch_related("tariffs")
    rows = CpoLocation.objects.filter(cpo=cpo).select_related("cpo", "location")
    return rows.prefetch_related(Prefetch("evses", queryset=inner)).order_by("created_at", "id")


def tariffs(cpo: Cpo) -> QuerySet[Tariff]:
    return Tariff.objects.filter(cpo=cpo, removed_at=None).select_related("cpo").order_by("created_at", "id")


def sessions(peer: Peer) -> QuerySet[Session]:
    """Only those of the peer's own tokens: the CPO's own cards belong to nobody."""
    return Session.objects.filter(peer=peer).select_related("cpo").order_by("created_at", "id")


def cdrs(peer: Peer, *, with_credits: bool) -> QuerySet[Cdr]:
    rows = Cdr.objects.filter(peer=peer).select_related("cpo").order_by("created_at", "id")
    return rows if with_credits else rows.filter(credit=False)
