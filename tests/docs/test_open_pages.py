"""The addresses that only lead on: one hop for a browser, JSON for everything that is refused."""

import pytest
from django.test import Client

REDIRECTS = {
    "/admin": "/admin/",
    "/console": "/admin/",
    "/console/": "/admin/",
    "/docs/": "/docs",
    "/docs/swagger": "/docs/api",
    "/favicon.ico": "/static/ocpplab/favicon.svg",
}


@pytest.mark.parametrize("path", REDIRECTS)
def test_a_browser_is_led_on(path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, REDIRECTS[path])


@pytest.mark.parametrize("path", [*REDIRECTS, "/", "/docs", "/docs/api", "/openapi.json", "/llms.txt", "/health"])
def test_other_methods_are_refused_in_json_and_never_led_elsewhere(path: str) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = Client(enforce_csrf_checks=True).generic(method, path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (405, "application/json")
        assert answer.headers["Allow"] == "GET, HEAD"
        assert isinstance(answer.json()["detail"], str)


def test_the_page_to_try_the_api_on_is_html_for_everyone() -> None:
    for accept in ("text/html", "application/json", "*/*"):
        answer = Client().get("/docs/api", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert b"/openapi.json" in answer.content
