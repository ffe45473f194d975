"""Routes of chargers in the canonical family, and the 0.1.1 spellings of the same (gateway contract, section 16).

Fixed names first, then the commands from their closed list: an unknown name is 404.
"""

from django.urls import URLPattern, path

from chargers.api.fleet import LocationChargersViewSet
from chargers.api.history import CommandHistoryViewSet
from chargers.api.log_views import ConnectionViewSet, LogViewSet
from chargers.api.routes import CHARGER, FLEET, charger_deeds, command_routes, location_deeds, switch_routes
from chargers.api.views import ChargerViewSet

fleet = LocationChargersViewSet.as_view
urlpatterns: list[URLPattern] = [
    path("chargers", ChargerViewSet.as_view({"get": "list", "post": "create"})),
    path(CHARGER, ChargerViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"})),
    path(f"{CHARGER}/status", ChargerViewSet.as_view({"get": "status"})),
    path(f"{CHARGER}/logs", LogViewSet.as_view({"get": "logs"})),
    path(f"{CHARGER}/state", LogViewSet.as_view({"get": "state"})),
    path(f"{CHARGER}/connections", ConnectionViewSet.as_view({"get": "list"})),
    path(f"{CHARGER}/commands", CommandHistoryViewSet.as_view({"get": "list"})),
    path(f"{CHARGER}/commands/<str:command_id>", CommandHistoryViewSet.as_view({"get": "retrieve"})),
    path(FLEET, fleet({"get": "list", "post": "create", "put": "update", "delete": "destroy"})),
    path(f"{FLEET}/get-chargers", fleet({"get": "list"}, schema=None)),
    path(f"{FLEET}/create-chargers", fleet({"post": "create"}, schema=None)),
    path(f"{FLEET}/update-chargers", fleet({"put": "update"}, schema=None)),
    path(f"{FLEET}/delete-chargers", fleet({"post": "destroy_named"}, schema=None)),
    *switch_routes(),
    *command_routes(),
    *charger_deeds(),
    *location_deeds(),
]
