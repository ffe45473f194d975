"""The pages over HTTP: as HTML, as Markdown, and as an index. No scripts, nothing from elsewhere."""

import json
from functools import cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from ocpplab.api.document import document
from ocpplab.handbook.pages import chapters, find_page, llms_text, neighbours
from ocpplab.handbook.rendering import Rendered, rendered

POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
MARKDOWN = "text/markdown; charset=utf-8"


# There is nothing to forge, and the check would refuse a POST with a page before the method is looked at.
@method_decorator(csrf_exempt, name="dispatch")
class ReadOnlyPage(View):
    """Refusals are JSON here too: clients know nothing else (gateway contract, section 2)."""

    http_method_names = ["get", "head"]

    def http_method_not_allowed(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        refusal = JsonResponse({"detail": f'Method "{request.method}" not allowed.'}, status=405)
        refusal["Allow"] = "GET, HEAD"
        return refusal

    def page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        answer = render(request, template, context)
        answer["Content-Security-Policy"] = POLICY
        return answer


class HandbookPage(ReadOnlyPage):
    def get(self, request: HttpRequest, slug: str = "index") -> HttpResponse:
        if slug.endswith(".md"):
            return HttpResponse(_found(slug.removesuffix(".md")).text, content_type=MARKDOWN)
        page = _found(slug.rstrip("/"))
        if slug.endswith("/"):
            return HttpResponseRedirect(page.path)
        before, after = neighbours(page)
        context = {
            "page": page,
            "body": body_of(page.slug),
            "chapters": chapters(),
            "before": before,
            "after": after,
        }
        return self.page(request, "ocpplab/handbook.html", context)


class OpenApiDocument(ReadOnlyPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(openapi_text(), content_type="application/json")


class LlmsIndex(ReadOnlyPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        base_url = request.build_absolute_uri("/").rstrip("/")
        return HttpResponse(llms_text(base_url), content_type="text/plain; charset=utf-8")


@cache
def openapi_text() -> bytes:
    return json.dumps(document(), ensure_ascii=False, separators=(",", ":")).encode()


@cache
def body_of(slug: str) -> Rendered:
    return rendered(_found(slug).text, slug)


def _found(slug: str) -> Any:
    page = find_page(slug)
    if page is None:
        raise Http404
    return page
