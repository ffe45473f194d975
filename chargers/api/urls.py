"""Routes of chargers, for each route family (gateway contract, section 16).

Fixed names first, then the commands from their closed list: an unknown name is 404.
"""

from django.urls import URLPattern, path

from chargers.api.families import CANONICAL, Family
from chargers.api.faults import FaultCatalogView
from chargers.api.fleet import LocationChargersViewSet
from chargers.api.history import CommandHistoryViewSet
from chargers.api.log_views import ConnectionViewSet, LogViewSet
from chargers.api.proxying import ChargerProxyView
from chargers.api.routes import CHARGER, FLEET, charger_deeds, command_routes, location_deeds, switch_routes
from chargers.api.views import ChargerViewSet

fleet = LocationChargersViewSet.as_view


def routes(family: Family) -> list[URLPattern]:
    create = "accept" if family.is_durable else "create"
    return [
        path("chargers", ChargerViewSet.as_view({"get": "list", "post": create}, family=family)),
        path(CHARGER, ChargerViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"})),
        path(f"{CHARGER}/status", ChargerViewSet.as_view({"get": "status"})),
        path(FLEET, fleet({"get": "list", "post": create, "put": "update", "delete": "destroy"}, family=family)),
        path(f"{FLEET}/jobs/<str:job_id>", fleet({"get": "job"})),
        *reading_routes(),
        *switch_routes(),
        *command_routes(family),
        *charger_deeds(),
        *location_deeds(),
        path(f"{CHARGER}/proxy-message", ChargerProxyView.as_view({"post": "create"})),
    ]


def reading_routes() -> list[URLPattern]:
    """What is read of a charger: the same in every family."""
    return [
        path(f"{CHARGER}/logs", LogViewSet.as_view({"get": "logs"})),
        path(f"{CHARGER}/state", LogViewSet.as_view({"get": "state"})),
        path(f"{CHARGER}/connections", ConnectionViewSet.as_view({"get": "list"})),
        path(f"{CHARGER}/commands", CommandHistoryViewSet.as_view({"get": "list"})),
        path(f"{CHARGER}/commands/<str:command_id>", CommandHistoryViewSet.as_view({"get": "retrieve"})),
    ]


def spellings() -> list[URLPattern]:
    """The names that the 0.1.1 client has for the operations on a location's chargers."""
    return [
        path(f"{FLEET}/get-chargers", fleet({"get": "list"}, operation_name="get_chargers")),
        path(f"{FLEET}/create-chargers", fleet({"post": "create"}, operation_name="create_chargers")),
        path(f"{FLEET}/update-chargers", fleet({"put": "update"}, operation_name="update_chargers")),
        path(f"{FLEET}/delete-chargers", fleet({"post": "destroy_named"}, operation_name="delete_chargers")),
    ]


urlpatterns: list[URLPattern] = [
    *spellings(),
    *routes(CANONICAL),
    path("faults", FaultCatalogView.as_view({"get": "list"})),
]
