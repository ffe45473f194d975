"""A peer's tokens, pulled page by page: all of them once after registration, then once a day what has changed.

Token by token the same as a PUT of it would do, so a pull that broke off is simply made again.
"""

import logging
import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ocpi.models import Peer, PeerState
from ocpi.protocol import bodies, client, routing, tokens
from ocpi.protocol.client import Call, Reply
from ocpi.protocol.envelope import InvalidField
from ocpi.protocol.times import read, written
from ocpi.protocol.versions import binding
from tenants.scoping import scope

log = logging.getLogger(__name__)
EVERY = timedelta(days=1)
MOST_PAGES = 2000
NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')


class PullFailed(Exception):
    """The peer's list could not be read to its end; the text says why."""


def due_peers() -> list[Peer]:
    """Registered peers that offer tokens and were not asked for a day."""
    stale = Q(tokens_pulled_at=None) | Q(tokens_pulled_at__lt=timezone.now() - EVERY)
    rows = Peer.objects.unscoped().filter(stale, state=PeerState.REGISTERED, cpo__destroyed_at=None)
    return [peer for peer in rows.select_related("cpo") if peer.endpoint("tokens", "SENDER") is not None]


def first_page(peer: Peer) -> str:
    since = {} if peer.tokens_pulled_at is None else {"date_from": written(peer.tokens_pulled_at)}
    query = f"?{urlencode(since)}" if since else ""
    return f"{peer.address('tokens', 'SENDER')}{query}"


def page_call(peer: Peer, url: str) -> Call:
    with scope(peer.tenant_id):  # type: ignore[arg-type]
        return client.to_peer(peer, "GET", url, module="tokens")


def store_page(peer: Peer, call: Call, reply: Reply) -> str | None:
    """Keeps the page's tokens; where the next one is. Raises PullFailed."""
    with scope(peer.tenant_id), transaction.atomic():  # type: ignore[arg-type]
        client.record(peer.cpo, call, reply)
        if reply.ok and isinstance(reply.data, list):
            for one in reply.data:
                _store(peer, one)
    if not reply.ok:
        raise PullFailed(reply.problem)
    if not isinstance(reply.data, list):
        raise PullFailed("the list of tokens is no list")
    return _next(call, reply)


def _store(peer: Peer, content: Any) -> None:
    """One that breaks the specification, or is of somebody else's, is left out and logged."""
    words = binding(peer.version)
    parties = routing.emsp_parties(peer)
    try:
        content = bodies.checked(bodies.cleaned(content), words.shapes.TOKEN)
    except InvalidField as problem:
        log.info("a token that was pulled is not valid", extra={"peer": peer.pk, "problem": str(problem)[:200]})
        return
    party = parties[0]
    if "country_code" in content:
        party = (content["country_code"].upper(), content["party_id"].upper())
    if party not in parties:
        log.info("a token that was pulled is of another party", extra={"peer": peer.pk})
    elif not _is_newer_here(peer, content, party):
        tokens.store(peer, words, content, party)


def _is_newer_here(peer: Peer, content: dict[str, Any], party: tuple[str, str]) -> bool:
    """What the peer has PUT while its list was being read is not set back."""
    row = tokens.find(peer, *party, content["uid"], content.get("type", tokens.DEFAULT_TYPE))
    return row is not None and row.last_updated > read(content["last_updated"])


def _next(call: Call, reply: Reply) -> str | None:
    """Only at the same origin: Token B goes nowhere else."""
    found = NEXT.search(reply.headers.get("link", ""))
    if found is None:
        return None
    url = str(urljoin(call.url, found[1]))
    if urlsplit(url)[:2] != urlsplit(call.url)[:2]:
        raise PullFailed(f"the next page is at another origin: {url[:120]}")
    return url


def done(peer: Peer, began_at: datetime) -> None:
    Peer.objects.unscoped().filter(pk=peer.pk, state=PeerState.REGISTERED).update(tokens_pulled_at=began_at)
