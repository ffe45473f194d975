"""Markdown to HTML: headings that can be linked to, coloured code, links that lead from page to page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

PICTURES = "/static/pictures/"


@dataclass(frozen=True, slots=True)
class Rendered:
    """`contents` are the second-level headings: (anchor, text)."""

    html: SafeString
    contents: tuple[tuple[str, str], ...]


def coloured(code: str, language: str, _: str) -> str:
    """The code block with a class for each sort of word; plain where the language is not known."""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return f'<pre class="code"><code>{escape(code)}</code></pre>'
    inner = highlight(code, lexer, HtmlFormatter(nowrap=True))
    return f'<pre class="code" data-language="{escape(language)}"><code>{inner}</code></pre>'


# Text in HTML is escaped, not taken as markup: pages are ours, but the reference repeats what serializers say.
MARKDOWN = MarkdownIt("commonmark", {"html": False, "highlight": coloured}).enable("table")


def rendered(text: str, slug: str = "index") -> Rendered:
    tokens = MARKDOWN.parse(text)
    contents = []
    taken: set[str] = set()
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            title = plain(tokens[index + 1])
            name = anchor(title, taken)
            token.attrSet("id", name)
            if token.tag == "h2":
                contents.append((name, title))
        for child in token.children or ():
            lead(child, slug)
    html = MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})
    wide = html.replace("<table>", '<div class="table"><table>').replace("</table>", "</table></div>")
    return Rendered(mark_safe(wide), tuple(contents))  # noqa: S308 (escaped by the renderer)


def plain(token: Token) -> str:
    children: Sequence[Any] = token.children or ()
    return "".join(child.content for child in children if child.type in ("text", "code_inline"))


def anchor(title: str, taken: set[str]) -> str:
    """The title in lower case with hyphens, as code hosts make it too; a number follows where it is taken."""
    base = re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") or "section"
    name, number = base, 1
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    taken.add(name)
    return name


def lead(token: Token, slug: str) -> None:
    """Links to files, as they stand in the folder, become links to pages; pictures come from the static files."""
    if token.type == "image":
        source = str(token.attrGet("src"))
        token.attrSet("src", re.sub(r"^(\.\./)+pictures/", PICTURES, source))
    elif token.type == "link_open":
        token.attrSet("href", page_link(str(token.attrGet("href")), slug))


def page_link(href: str, slug: str) -> str:
    path, mark, fragment = href.partition("#")
    if "://" in path or not path.endswith(".md"):
        return href
    folder = slug.split("/")[:-1]
    for part in path.removesuffix(".md").split("/"):
        folder = folder[:-1] if part == ".." else [*folder, part]
    target = "/".join(part for part in folder if part != ".")
    return ("/docs" if target == "index" else f"/docs/{target}") + mark + fragment
