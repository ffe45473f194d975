"""Refusals that arise outside of any view (unknown path, body too large, a crash), in the words of their surface.

REST says `{"detail": ...}`. A surface with another envelope registers the paths it owns.
"""

from collections.abc import Callable

from django.http import HttpResponse, JsonResponse

Refuse = Callable[[int, str], HttpResponse]

_surfaces: dict[str, Refuse] = {}


def register(prefix: str, refuse: Refuse) -> None:
    """From now on `refuse(status, message)` makes the refusals on paths that begin with `prefix`."""
    _surfaces[prefix] = refuse


def refusal(path: str, status: int, message: str) -> HttpResponse:
    for prefix, refuse in _surfaces.items():
        if path.startswith(prefix):
            return refuse(status, message)
    return JsonResponse({"detail": message}, status=status)
