"""The documentation as it is served: every page, its links, its Markdown, and nothing from elsewhere."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from ocpplab.api.document import TAGS, document
from ocpplab.handbook.pages import CHAPTERS, FOLDER, all_pages
from ocpplab.handbook.rendering import rendered

PATHS = [page.path for page in all_pages()]


class Reader(HTMLParser):
    """Collects ids, links and sources, and the tags that may not occur."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.headings: list[str] = []
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.scripts += tag == "script"
        self.headings += [tag] if re.fullmatch("h[1-6]", tag) else []
        self.ids += filter(None, [values.get("id")])
        self.sources += filter(None, [values.get("src"), values.get("href") if tag == "link" else None])
        self.links += filter(None, [values.get("href") if tag == "a" else None])
        assert tag != "img" or "alt" in values


def read(path: str) -> Reader:
    answer = Client().get(path)
    assert answer.status_code == 200, path
    return Reader(answer.content.decode())


@pytest.fixture(scope="module")
def pages() -> dict[str, Reader]:
    return {path: read(path) for path in ["/", *PATHS]}


@pytest.mark.django_db
def test_every_link_leads_somewhere(pages: dict[str, Reader]) -> None:
    for path, reader in pages.items():
        for link in reader.links:
            target, _, fragment = link.partition("#")
            known = pages.get(target or path)
            if known is None:
                assert Client().get(target).status_code in (200, 302, 503), f"{path} links to {link}"
            elif fragment:
                assert fragment in known.ids, f"{path} links to {link}"


def test_pages_work_without_scripts_and_without_others(pages: dict[str, Reader]) -> None:
    for path, reader in pages.items():
        assert reader.scripts == 0, path
        assert len(reader.ids) == len(set(reader.ids)), path
        assert reader.headings.count("h1") == 1, path
        for source in reader.sources:
            assert source.startswith(("/static/", "/docs")), f"{path} loads {source}"
            if source.startswith("/static/"):
                assert finders.find(source.removeprefix("/static/")), f"{path} misses {source}"


def test_every_page_is_also_markdown() -> None:
    for page in all_pages():
        answer = Client().get(page.markdown_path)
        assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
        assert answer.content.decode() == page.text
        assert page.text.startswith("# ")
        assert page.summary, page.slug


def test_the_index_for_programs_names_every_page() -> None:
    text = Client().get("/llms.txt").content.decode()
    assert text.startswith("# OCPPLAB Gateway\n\n> ")
    links = re.findall(r"\]\(http://testserver(/[^)]*)\)", text)
    assert links == [*(page.markdown_path for page in all_pages()), "/openapi.json"]


def test_no_written_page_is_left_out() -> None:
    written = {path.stem for path in FOLDER.glob("*.md")}
    assert written == {slug for slugs in CHAPTERS.values() for slug in slugs}


def operations() -> Iterator[tuple[str, dict[str, object]]]:
    for path, methods in document()["paths"].items():
        yield from ((path, operation) for operation in methods.values())


def test_every_operation_is_explained_and_stands_in_the_reference() -> None:
    text = "\n".join(page.text for page in all_pages() if page.slug.startswith("reference/"))
    for path, operation in operations():
        assert operation.get("summary"), path
        assert "queryset" not in str(operation.get("description")), path
        assert set(operation["tags"]) <= set(TAGS), f"{path} has a tag that nothing explains"  # type: ignore[call-overload]
        assert path in text, path


def test_addresses_that_people_guess_lead_to_the_page() -> None:
    for guess, path in (("/docs.md", "/docs/index.md"), ("/docs/reference", "/docs/reference/index")):
        assert Client().get(guess).content == Client().get(path).content
    assert Client().get("/docs/logs/").headers["Location"] == "/docs/logs"


def test_a_page_that_is_not_there_is_an_error_like_any_other() -> None:
    for path in ("/docs/nothing", "/docs/nothing/", "/docs/nothing.md", "/docs/../settings.py"):
        answer = Client().get(path)
        assert (answer.status_code, list(answer.json())) == (404, ["detail"])
    refused = Client().post("/docs")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")


def test_text_is_never_taken_for_markup() -> None:
    html = rendered(
        '# A <b>\n\n<script>x</script> `<i>`\n\n```json\n{"a": "<u>"}\n```\n\n[x](javascript:alert(1))'
    ).html
    assert not re.search(r"<(b|script|i|u)>|href=\"javascript", html)


def test_links_between_files_become_links_between_pages() -> None:
    html = rendered("[a](errors.md#x) [b](../lists.md) [c](index.md) [d](https://x.org/y.md)", "reference/logs").html
    targets = re.findall(r'href="([^"]*)"', html)
    assert targets == ["/docs/reference/errors#x", "/docs/lists", "/docs/reference/index", "https://x.org/y.md"]
