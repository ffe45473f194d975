"""Where everything is mounted: the API, its documents, and the admin."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from ocpplab.api import errors

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("", include("ocpplab.urls.canonical")),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler500 = errors.server_error
