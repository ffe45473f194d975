"""Routes of CPO bundles, for the tenant. Below `/ocpi/peer/` it is another world: `ocpi.peer.urls`."""

from django.urls import path

from locations.api.templates import LocationTemplateList
from ocpi.api.cards import CpoCardViewSet
from ocpi.api.cdrs import CpoCdrViewSet
from ocpi.api.cpos import CpoViewSet
from ocpi.api.locations import CpoLocationViewSet
from ocpi.api.peers import CpoDriverTokenViewSet, CpoMessageViewSet, CpoPeerViewSet
from ocpi.api.tariffs import CpoTariffViewSet
from ocpi.api.templates import CpoTemplateList
from ocpi.api.tokens import CpoTokenViewSet

CPO = "cpos/<str:cpo_id>"

urlpatterns = [
    path("templates/cpos", CpoTemplateList.as_view()),
    # An alias that stands in texts; no CPO can have this id.
    path("cpos/templates", CpoTemplateList.as_view(operation_name="list_cpo_templates_alias")),
    path("templates/locations", LocationTemplateList.as_view(operation_name="list_ocpi_location_templates")),
    path("cpos", CpoViewSet.as_view({"get": "list", "post": "create"})),
    path(CPO, CpoViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    path(f"{CPO}/status", CpoViewSet.as_view({"get": "status"})),
    path(f"{CPO}/report", CpoViewSet.as_view({"get": "report"})),
    path(f"{CPO}/settings", CpoViewSet.as_view({"get": "show_settings", "patch": "change_settings"})),
    path(f"{CPO}/locations", CpoLocationViewSet.as_view({"get": "list", "post": "create"})),
    path(f"{CPO}/locations/jobs/<str:job_id>", CpoLocationViewSet.as_view({"get": "job"})),
    path(
        f"{CPO}/locations/<str:ocpi_location_id>",
        CpoLocationViewSet.as_view({"get": "retrieve", "patch": "update", "delete": "destroy"}),
    ),
    path(f"{CPO}/tariffs", CpoTariffViewSet.as_view({"get": "list", "post": "create"})),
    path(
        f"{CPO}/tariffs/<str:tariff_id>",
        CpoTariffViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
    ),
    path(f"{CPO}/cdrs", CpoCdrViewSet.as_view({"get": "list"})),
    path(f"{CPO}/cdrs/<str:cdr_id>", CpoCdrViewSet.as_view({"get": "retrieve"})),
    path(f"{CPO}/cdrs/<str:cdr_id>/credit", CpoCdrViewSet.as_view({"post": "credit"})),
    path(f"{CPO}/peers", CpoPeerViewSet.as_view({"get": "list"})),
    path(f"{CPO}/peers/<str:peer_id>", CpoPeerViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    path(f"{CPO}/peers/<str:peer_id>/tokens", CpoDriverTokenViewSet.as_view({"get": "list"})),
    path(f"{CPO}/register", CpoPeerViewSet.as_view({"post": "register"})),
    path(f"{CPO}/tokens", CpoTokenViewSet.as_view({"get": "list", "post": "create"})),
    path(f"{CPO}/messages", CpoMessageViewSet.as_view({"get": "list"})),
    path(f"{CPO}/cards", CpoCardViewSet.as_view({"get": "list"})),
    path(f"{CPO}/cards/<str:id_token>", CpoCardViewSet.as_view({"put": "update", "delete": "destroy"})),
]
