"""The route family of the 0.1.2 client: commands with their target in the body (gateway contract, section 16).

What that client has beside them stands on the canonical paths.
"""

from django.urls import URLPattern

from chargers.api.routes import targeted_routes

urlpatterns: list[URLPattern] = list(targeted_routes())
