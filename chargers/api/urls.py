"""Routes of chargers, for each route family (gateway contract, section 16).

Fixed names first, then the commands from their closed list: an unknown name is 404.
"""

from django.urls import URLPattern, path

from chargers.api.families import CANONICAL, Family
from chargers.api.faults import FaultCatalogView
from chargers.api.fleet import LocationChargersViewSet
from chargers.api.history import CommandHistoryViewSet
from chargers.api.log_following import LogFollowViewSet
from chargers.api.log_views import ConnectionViewSet, LogViewSet
from chargers.api.options import OptionsViewSet
from chargers.api.proxying import ChargerProxyView
from chargers.api.routes import CHARGER, FLEET, charger_deeds, command_routes, location_deeds, switch_routes
from chargers.api.runs import RunViewSet
from chargers.api.security import SecurityViewSet
from chargers.api.transactions import TransactionViewSet
from chargers.api.trial import TrialViewSet
from chargers.api.views import ChargerViewSet

LOCATION = "locations/<str:location_id>"
fleet = LocationChargersViewSet.as_view
trial = TrialViewSet.as_view


def routes(family: Family) -> list[URLPattern]:
    """Everything about chargers stands in every family, also what its client has no method for."""
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
        path(f"{CHARGER}/options", OptionsViewSet.as_view({"get": "retrieve", "patch": "update"})),
        path(f"{FLEET}/options", OptionsViewSet.as_view({"patch": "update_several"})),
        path(f"{CHARGER}/security", SecurityViewSet.as_view({"get": "retrieve", "put": "update"})),
        path(f"{CHARGER}/proxy-message", ChargerProxyView.as_view({"post": "create"})),
        *run_routes(),
        path("faults", FaultCatalogView.as_view({"get": "list"})),
    ]


def reading_routes() -> list[URLPattern]:
    """What is read of a charger: the same in every family."""
    return [
        path(f"{CHARGER}/logs", LogViewSet.as_view({"get": "logs"})),
        path(f"{CHARGER}/logs/follow", LogFollowViewSet.as_view({"get": "follow"})),
        path(f"{LOCATION}/logs", LogViewSet.as_view({"get": "location_logs"})),
        path(f"{LOCATION}/logs/follow", LogFollowViewSet.as_view({"get": "location_follow"})),
        path(f"{CHARGER}/state", LogViewSet.as_view({"get": "state"})),
        path(f"{CHARGER}/violations", trial({"get": "violations"})),
        path(f"{CHARGER}/timings", trial({"get": "timings"})),
        path(f"{LOCATION}/violations", trial({"get": "violations"}, operation_name="list_location_violations")),
        path(f"{LOCATION}/timings", trial({"get": "timings"}, operation_name="get_location_timings")),
        path(f"{CHARGER}/connections", ConnectionViewSet.as_view({"get": "list"})),
        path(f"{CHARGER}/transactions", TransactionViewSet.as_view({"get": "list"})),
        path(f"{CHARGER}/transactions/<str:transaction_id>", TransactionViewSet.as_view({"get": "retrieve"})),
        path(f"{CHARGER}/commands", CommandHistoryViewSet.as_view({"get": "list"})),
        path(f"{CHARGER}/commands/<str:command_id>", CommandHistoryViewSet.as_view({"get": "retrieve"})),
    ]


def run_routes() -> list[URLPattern]:
    return [
        path("runs", RunViewSet.as_view({"get": "list", "post": "create"})),
        path("runs/<str:run_id>", RunViewSet.as_view({"get": "retrieve", "patch": "update", "delete": "destroy"})),
        path("runs/<str:run_id>/finish", RunViewSet.as_view({"post": "finish"})),
        path("runs/<str:run_id>/diff", RunViewSet.as_view({"get": "diff"})),
    ]


def spellings() -> list[URLPattern]:
    """The names that the 0.1.1 client has for the operations on a location's chargers."""
    return [
        path(f"{FLEET}/get-chargers", fleet({"get": "list"}, operation_name="get_chargers")),
        path(f"{FLEET}/create-chargers", fleet({"post": "create"}, operation_name="create_chargers")),
        path(f"{FLEET}/update-chargers", fleet({"put": "update"}, operation_name="update_chargers")),
        path(f"{FLEET}/delete-chargers", fleet({"post": "destroy_named"}, operation_name="delete_chargers")),
    ]


urlpatterns: list[URLPattern] = [*spellings(), *routes(CANONICAL)]
