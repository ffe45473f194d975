"""Names the actor of a console or admin request; API requests name theirs at authentication."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from tenants.audit import SYSTEM, Actor, act_as


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        act_as(SYSTEM)  # threads are reused: nobody inherits another request's actor
        if request.path.startswith(("/admin/", "/console/")) and request.user.is_authenticated:
            act_as(Actor(request.user.get_username(), user_id=request.user.pk))
        try:
            return self.get_response(request)
        finally:
            act_as(SYSTEM)
