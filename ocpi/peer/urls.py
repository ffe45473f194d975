"""The peer surface. Every address works with and without a trailing slash, and none ever redirects."""

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from ocpi.peer.document import PeerDocument
from ocpi.peer.modules import (
    cdrs,
    chargingprofiles,
    commands,
    credentials,
    locations,
    sessions,
    tariffs,
    tokens,
    versions,
)
from ocpi.peer.views import PeerView, UnknownPath
from ocpi.protocol.envelope import Missing, response

CPO = r"^(?P<cpo_id>[0-9]{1,18})/"
VERSION = CPO + r"(?P<version>[0-9]+(?:\.[0-9]+)*)"


def at(path: str, view: type[PeerView], *, below: str = VERSION) -> URLPattern:
    return re_path(below + path + "/?$", view.as_view())


@csrf_exempt
def nowhere(request: HttpRequest, path: str = "") -> HttpResponse:
    """What does not even name a CPO."""
    return response(Missing("No such path.").answer)


urlpatterns = [
    re_path(r"^openapi\.json$", PeerDocument.as_view(), name="peer-schema"),
    at("versions", versions.Versions, below=CPO),
    at("", versions.Details),
    at("/credentials", credentials.Credentials),
    at("/locations", locations.Locations),
    at("/locations/(?P<location_id>[^/]+)", locations.OneLocation),
    at("/locations/(?P<location_id>[^/]+)/(?P<evse_uid>[^/]+)", locations.OneEvse),
    at("/locations/(?P<location_id>[^/]+)/(?P<evse_uid>[^/]+)/(?P<connector_id>[^/]+)", locations.OneConnector),
    at("/tariffs", tariffs.Tariffs),
    at("/sessions", sessions.Sessions),
    at("/sessions/(?P<session_id>[^/]+)/charging_preferences", sessions.ChargingPreferences),
    at("/cdrs", cdrs.Cdrs),
    # The uid is the eMSP's: printable ASCII, slashes included, which arrive here decoded.
    at("/tokens/(?P<country>[^/]+)/(?P<party>[^/]+)/(?P<uid>.+?)", tokens.OneToken),
    at("/commands/(?P<command>[^/]+)", commands.Command),
    at("/chargingprofiles/(?P<session_id>[^/]+)", chargingprofiles.ChargingProfile),
    re_path(CPO, UnknownPath.as_view()),
    re_path(r"^(?P<path>.*)$", nowhere),
]
