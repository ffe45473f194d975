"""The canonical route family (gateway contract, section 16)."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("catalog.api.urls")),
    path("", include("locations.api.urls")),
    path("", include("chargers.api.urls")),
    path("ocpi/", include("ocpi.api.urls")),
]
