"""The canonical route family (gateway contract, section 16)."""

from django.urls import URLPattern, URLResolver, include, path

from locations.api.templates import LocationTemplateList

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("catalog.api.urls")),
    path("", include("locations.api.urls")),
    path("", include("chargers.api.urls")),
    path("ocpi/templates/locations", LocationTemplateList.as_view(operation_name="list_ocpi_location_templates")),
]
