"""The page at the root: where everything is."""

from django.http import HttpRequest, HttpResponse

from ocpplab.handbook.views import ReadOnlyPage


class LandingPage(ReadOnlyPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, "ocpplab/landing.html", {})
