"""Every route of the API as the URL configuration has it, so that no test can forget one."""

from collections.abc import Iterator
from typing import NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver


class Route(NamedTuple):
    """`path` is a pattern such as `chargers/<str:charger_id>/logs`."""

    method: str
    path: str
    tenant_scoped: bool

    @property
    def is_targeted(self) -> bool:
        """Names its charger or location in the body."""
        return self.path.startswith(("commands/", "ocpp/commands/"))

    def filled(self, **ids: object) -> str:
        parts = [part for part in self.path.split("/") if part]
        return "/" + "/".join(str(ids[part.strip("<>").split(":")[-1]]) if "<" in part else part for part in parts)


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from patterns(one, prefix + str(one.pattern))
        else:
            yield prefix + str(one.pattern), one


def api_routes() -> list[Route]:
    """(method, path) of all views that ask for a token."""
    found = []
    for path, pattern in patterns(get_resolver()):
        view = getattr(pattern.callback, "cls", None)
        if view is None or not getattr(view, "authentication_classes", ()) or path.startswith(("admin/", "console/")):
            continue
        actions = getattr(pattern.callback, "actions", None)
        scoped = actions is not None
        methods = actions or [
            name for name in view.http_method_names if hasattr(view, name) and name not in ("options", "head")
        ]
        found += [Route(method, path, scoped) for method in methods if method != "head"]
    return found
