"""Where stations connect. The identity is the rest of the path, percent-decoded once."""

from django.urls import URLPattern, re_path

from simulator.csms.consumers import StationConsumer

websocket_urlpatterns: list[URLPattern] = [
    re_path(r"^csms/(?P<key>[^/]+)/(?P<identity>.+)$", StationConsumer.as_asgi()),
]
