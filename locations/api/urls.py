"""Routes of locations and their templates."""

from django.urls import path

from locations.api.templates import LocationTemplateList
from locations.api.views import LocationViewSet

urlpatterns = [
    path("templates/locations", LocationTemplateList.as_view()),
    path("locations", LocationViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "locations/<str:location_id>",
        LocationViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
    ),
]
