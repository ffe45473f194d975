"""The page at the root: where everything is."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.generic import TemplateView


class LandingPage(TemplateView):
    template_name = "ocpplab/landing.html"
    http_method_names = ["get", "head"]

    def http_method_not_allowed(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        refusal = JsonResponse({"detail": f'Method "{request.method}" not allowed.'}, status=405)
        refusal["Allow"] = "GET, HEAD"
        return refusal
