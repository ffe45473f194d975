"""The admin's sidebar: every table by subject, shown to those who may look at it."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy

# (title of the group, its items: title, icon of Material Symbols, "app.model")
GROUPS = (
    (
        "Organizations",
        (
            ("Organizations", "corporate_fare", "tenants.organization"),
            ("Users", "person", "tenants.user"),
            ("Memberships", "badge", "tenants.membership"),
            ("Groups", "groups", "auth.group"),
            ("Tokens", "key", "tenants.accesstoken"),
            ("Audit", "history", "tenants.auditentry"),
        ),
    ),
    ("Catalog", (("Brands", "sell", "catalog.brand"), ("Models", "ev_charger", "catalog.chargermodel"))),
    (
        "Locations & chargers",
        (
            ("Locations", "location_on", "locations.location"),
            ("Chargers", "ev_station", "chargers.charger"),
            ("Commands", "send", "chargers.chargercommand"),
            ("Transactions", "bolt", "chargers.transaction"),
        ),
    ),
    (
        "Traffic",
        (
            ("Messages", "swap_vert", "chargers.message"),
            ("Connections", "cable", "chargers.connectionevent"),
            ("Runs", "difference", "chargers.run"),
        ),
    ),
    (
        "OCPI",
        (
            ("CPOs", "hub", "ocpi.cpo"),
            ("Templates", "dashboard_customize", "ocpi.preset"),
            ("Locations", "pin_drop", "ocpi.cpolocation"),
            ("EVSEs", "outlet", "ocpi.evse"),
            ("Tariffs", "payments", "ocpi.tariff"),
            ("Peers", "handshake", "ocpi.peer"),
            ("Tokens", "contactless", "ocpi.token"),
            ("Sessions", "bolt", "ocpi.session"),
            ("CDRs", "receipt_long", "ocpi.cdr"),
            ("Commands", "send", "ocpi.peercommand"),
            ("Messages", "swap_vert", "ocpi.exchange"),
            ("Pushes", "outbox", "ocpi.push"),
        ),
    ),
    ("Simulator", (("Nodes", "dns", "simulator.node"), ("Shards", "grid_view", "simulator.shard"))),
    (
        "House CSMS",
        (
            ("Endpoints", "hub", "csms.endpoint"),
            ("Stations", "cell_tower", "csms.station"),
            ("Cards", "credit_card", "csms.card"),
            ("Transactions", "receipt_long", "csms.csmstransaction"),
            ("Calls", "call_made", "csms.csmscall"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """As unfold takes it."""
    return [
        {"title": title, "separator": True, "items": [_item(*entry) for entry in entries]} for title, entries in GROUPS
    ]


def _item(title: str, icon: str, table: str) -> dict[str, Any]:
    app, model = table.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": _may_view(app, model),
    }


def _may_view(app: str, model: str) -> Callable[[HttpRequest], bool]:
    return lambda request: any(request.user.has_perm(f"{app}.{verb}_{model}") for verb in ("view", "change"))
