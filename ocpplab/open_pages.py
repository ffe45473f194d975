"""Open pages that only lead on: redirects, and the page to try the API on. They refuse in JSON, as the others do."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework.request import Request

from ocpplab.handbook.views import ReadOnlyPage


class Redirect(ReadOnlyPage):
    url = ""

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self.url)


class Swagger(SpectacularSwaggerView):
    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """HTML for everybody: who would rather have JSON could only be refused in HTML, too."""
        return super().perform_content_negotiation(request, force=True)


class SwaggerPage(ReadOnlyPage):
    swagger = staticmethod(Swagger.as_view(url_name="schema"))

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self.swagger(request)
