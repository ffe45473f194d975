"""Where everything is mounted: the API, its documents, and the admin."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from ocpplab.api import errors
from ocpplab.handbook.views import HandbookPage, LlmsIndex, OpenApiDocument
from ocpplab.health import HealthView
from ocpplab.landing import LandingPage
from ocpplab.open_pages import Redirect, SwaggerPage
from tenants.admin.people import own_password

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin", Redirect.as_view(url="/admin/")),
    path("admin/password_change/", admin.site.admin_view(own_password, cacheable=True)),
    path("admin/", admin.site.urls),
    path("console", Redirect.as_view(url="/admin/")),  # the admin is the console
    path("console/", Redirect.as_view(url="/admin/")),
    path("", LandingPage.as_view(), name="landing"),
    path("health", HealthView.as_view(), name="health"),
    path("openapi.json", OpenApiDocument.as_view(), name="schema"),
    path("llms.txt", LlmsIndex.as_view(), name="llms"),
    path("favicon.ico", Redirect.as_view(url="/static/ocpplab/favicon.svg")),
    path("docs", HandbookPage.as_view(), name="docs"),
    path("docs.md", HandbookPage.as_view(), {"slug": "index.md"}),
    path("docs/", Redirect.as_view(url="/docs")),
    path("docs/api", SwaggerPage.as_view(), name="docs-api"),
    path("docs/swagger", Redirect.as_view(url="/docs/api")),
    path("docs/<path:slug>", HandbookPage.as_view(), name="docs-page"),
    path("ocpi/peer/", include("ocpi.peer.urls")),
    path("", include("ocpplab.urls.canonical")),
    path("commands/", include("ocpplab.urls.commands")),
    path("ocpp/", include("ocpplab.urls.ocpp")),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler500 = errors.server_error
