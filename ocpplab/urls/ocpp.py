"""The route family of the 0.2.x clients: everything below `/ocpp` (gateway contract, section 16)."""

from django.urls import URLPattern, URLResolver, include, path

from chargers.api import urls as chargers
from chargers.api.families import OCPP
from chargers.api.routes import targeted_routes

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("catalog.api.urls")),
    path("", include("locations.api.urls")),
    path("", include(chargers.routes(OCPP))),
    path("commands/", include(list(targeted_routes()))),
]
