"""Routes of locations."""

from django.urls import path

from locations.api.views import LocationViewSet

urlpatterns = [
    path("locations", LocationViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "locations/<str:location_id>",
        LocationViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
    ),
]
