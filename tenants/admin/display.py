"""How the admin's tables and pages show things: coloured words, JSON, links."""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

F = TypeVar("F", bound=Callable[..., Any])
CODE = (
    "max-height:32rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;"
    "font-family:ui-monospace,monospace;font-size:12px;line-height:1.5"
)


def badge(description: str, colours: Mapping[str, str]) -> Callable[[F], F]:
    """A method's word as a coloured label: `colours` maps it to success, info, warning or danger; others stay grey."""

    def mark(method: F) -> F:
        @admin.display(description=description)
        @wraps(method)
        def draw(model_admin: Any, row: Any) -> SafeString:
            word = method(model_admin, row)
            return panel("unfold/helpers/label.html", text=word, type=colours.get(word, ""))

        return cast("F", draw)

    return mark


def panel(template: str, **context: Any) -> SafeString:
    return SafeString(render_to_string(template, context))


def code(text: str) -> SafeString:
    return format_html('<pre style="{}">{}</pre>', CODE, text)


def pretty(value: Any) -> SafeString | str:
    return code(json.dumps(value, indent=2, ensure_ascii=False)) if value else ""


def link(url: str, text: object) -> SafeString:
    return format_html('<a href="{}" class="text-primary-600 dark:text-primary-500">{}</a>', url, text)


def list_link(table: str, text: object, **lookups: object) -> SafeString:
    """`table` is "app_model"; the lookups go into the list's address."""
    return link(f"{reverse(f'admin:{table}_changelist')}?{urlencode(lookups)}", text)
