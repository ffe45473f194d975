"""The pages in the order of their reading, each a Markdown text with a title and a first paragraph that sums it up."""

from dataclasses import dataclass
from functools import cache

from django.conf import settings

from ocpplab.handbook import reference

FOLDER = settings.BASE_DIR / "docs" / "site"
# What the menu shows: a heading, and the names of files below FOLDER.
CHAPTERS = {
    "Start": ("index", "five-steps", "concepts", "authentication"),
    "Use": (
        "chargers", "commands", "faults", "security", "logs", "testing-a-csms", "ocpi", "ocpi-peers",
        "ocpi-sessions", "errors", "lists",
    ),
    "Go on": ("clients", "running"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """`slug` is the path below `/docs/`, `text` Markdown."""

    slug: str
    title: str
    summary: str
    text: str

    @property
    def path(self) -> str:
        return "/docs" if self.slug == "index" else f"/docs/{self.slug}"

    @property
    def markdown_path(self) -> str:
        return f"/docs/{self.slug}.md"


@dataclass(frozen=True, slots=True)
class Chapter:
    title: str
    pages: tuple[Page, ...]


def page_of(slug: str, text: str) -> Page:
    """The title is the first line, the summary the paragraph after it."""
    heading, _, rest = text.partition("\n")
    summary = rest.strip().split("\n\n")[0].replace("\n", " ")
    return Page(slug, heading.removeprefix("# ").strip(), summary, text)


@cache
def chapters() -> tuple[Chapter, ...]:
    """Every page by chapter. A file that is missing raises FileNotFoundError: the menu and the folder must agree."""
    written = tuple(
        Chapter(title, tuple(page_of(slug, (FOLDER / f"{slug}.md").read_text()) for slug in slugs))
        for title, slugs in CHAPTERS.items()
    )
    made = tuple(page_of(slug, text) for slug, text in reference.texts().items())
    return (*written, Chapter("Reference", made))


def all_pages() -> list[Page]:
    return [page for chapter in chapters() for page in chapter.pages]


def find_page(slug: str) -> Page | None:
    """A folder's name stands for its first page."""
    return next((page for page in all_pages() if page.slug in (slug, f"{slug}/index")), None)


def neighbours(page: Page) -> tuple[Page | None, Page | None]:
    """What comes before and after it."""
    pages = all_pages()
    at = pages.index(page)
    return (pages[at - 1] if at else None), (pages[at + 1] if at + 1 < len(pages) else None)


def llms_text(base_url: str) -> str:
    """The index for readers that are programs: one line for each page, all of them as Markdown."""
    lines = ["# OCPPLAB Gateway", "", f"> {all_pages()[0].summary}", ""]
    for chapter in chapters():
        lines += [f"## {chapter.title}", ""]
        lines += [f"- [{one.title}]({base_url}{one.markdown_path}): {one.summary}" for one in chapter.pages]
        lines.append("")
    lines += ["## Optional", "", f"- [OpenAPI document]({base_url}/openapi.json): every route as JSON", ""]
    return "\n".join(lines)
