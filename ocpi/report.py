"""A bundle on one page of Markdown, for people: the same state gives the same text (OCPI contract 16)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from chargers.models import Charger
from ocpi import credentials, reconciling
from ocpi.models import Cpo, CpoLocation, Evse, Peer, PeerState
from ocpi.peer import links
from ocpi.protocol import reading
from ocpi.tariffs.wording import price_lines

STATES = {"unused": "unused", "used": "used at {at}", "revoked": "revoked at {at}", "none": "none"}


def markdown(cpo: Cpo) -> str:
    """A few queries for the lists, however long they are, and a few more for each of the newest CDRs."""
    sites = list(reading.locations(cpo).filter(removed_at=None))
    sections = (
        _head(cpo), _locations(sites), _chargers(cpo), _evses(sites), _tariffs(cpo), _peers(cpo),
        reconciling.markdown(cpo).splitlines(),
        _token(cpo), _next_steps(cpo),
    )  # fmt: skip
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _head(cpo: Cpo) -> Iterator[str]:
    yield f"# CPO {cpo.pk}: {cpo.country_code}*{cpo.party_id}, {cpo.name_prefix} ({cpo.template})"
    yield ""
    yield "## Party"
    yield ""
    yield from _facts(
        ("Country, party, role", f"{cpo.country_code} {cpo.party_id} CPO"),
        ("Label", cpo.name_prefix),
        ("Status", cpo.status),
        ("OCPI versions", ", ".join(cpo.offered)),
        ("Versions URL", links.versions_url(cpo)),
        ("Template", f"{cpo.template} v{cpo.template_version}"),
        ("Seed", str(cpo.seed)),
        ("CSMS", cpo.ws_url or "its own, built in"),
        ("Created", _time(cpo.created_at)),
        ("Expires", _time(cpo.expires_at) if cpo.expires_at else "never"),
    )


def _locations(sites: Sequence[CpoLocation]) -> Iterator[str]:
    rows = []
    for site in sites:
        place = site.location
        if place is not None:
            chargers = len({one.charger_id for one in site.evses.all() if one.charger_id})
            rows.append(
                (
                    site.ocpi_id,
                    place.name,
                    place.city,
                    f"{place.latitude:.6f}, {place.longitude:.6f}",
                    place.timezone,
                    chargers,
                )
            )
    yield f"## Locations ({len(rows)})"
    yield ""
    yield from _table(("Id", "Name", "City", "Coordinates", "Time zone", "Chargers"), rows)


def _chargers(cpo: Cpo) -> Iterator[str]:
    found = Charger.objects.filter(location__cpo_location__cpo=cpo).select_related("model__brand")
    rows = [
        (
            one.pk,
            one.identity,
            f"{one.model.brand.name} {one.model.name}",
            one.ocpp_version,
            f"{one.model.max_power_w / 1000:g}",
        )
        for one in found.order_by("identity")
    ]
    yield f"## Chargers ({len(rows)})"
    yield ""
    yield from _table(("Id", "Identity", "Model", "OCPP", "kW"), rows)


def _evses(sites: Sequence[CpoLocation]) -> Iterator[str]:
    rows = [_evse(one) for site in sites for one in site.evses.all()]
    yield f"## EVSEs ({len(rows)})"
    yield ""
    yield from _table(("Uid", "EVSE id", "Connector", "Power", "Tariff", "Status"), rows)


def _evse(one: Evse) -> tuple[Any, ...]:
    tariffs = ", ".join(tariff.tariff_id for tariff in one.tariffs.all() if tariff.removed_at is None)
    power = f"{one.connector['max_electric_power'] / 1000:g} kW"
    return one.uid, one.evse_id, one.connector["standard"], power, tariffs, one.status


def _tariffs(cpo: Cpo) -> Iterator[str]:
    rows = list(reading.tariffs(cpo))
    yield f"## Tariffs ({len(rows)})"
    for row in rows:
        yield ""
        yield f"**{row.tariff_id}** ({row.content['currency']})"
        yield ""
        yield from (f"- {line}" for line in price_lines(row.content))


def _peers(cpo: Cpo) -> Iterator[str]:
    peers = Peer.objects.filter(cpo=cpo).exclude(state__in=[PeerState.REGISTERING, PeerState.UNREGISTERED])
    rows = [(str(peer), peer.version, peer.get_state_display(), _time(peer.registered_at)) for peer in peers]
    yield f"## Registered peers ({len(rows)})"
    yield ""
    if rows:
        yield from _table(("Party", "OCPI", "State", "Since"), rows)
    else:
        yield "None yet."


def _token(cpo: Cpo) -> Iterator[str]:
    state = credentials.token_a_state(cpo)
    yield "## Token A"
    yield ""
    yield STATES[state.state].format(at=_time(state.at)) + "."


def _next_steps(cpo: Cpo) -> Iterator[str]:
    yield "## Next steps"
    yield ""
    yield f"- Register: `POST` your credentials to `{links.credentials_url(cpo, cpo.offered[-1])}` with Token A."
    yield f"- Lost Token A: `POST /ocpi/cpos/{cpo.pk}/tokens` mints another one."
    yield f"- What passed between you and a peer: `GET /ocpi/cpos/{cpo.pk}/messages`."
    yield f"- Give it up: `DELETE /ocpi/cpos/{cpo.pk}`."


# --- Markdown ---------------------------------------------------------------------------------------------------------


def _facts(*facts: tuple[str, str]) -> Iterator[str]:
    return (f"- {name}: {value}" for name, value in facts)


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield _row(head)
    yield _row(["---"] * len(head))
    yield from map(_row, rows)


def _row(cells: Sequence[Any]) -> str:
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def _time(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else "?"
