"""The URL a station connects to: the CSMS endpoint with the station's identity as its last path segment."""

from urllib.parse import quote, unquote, urlsplit, urlunsplit


def connection_url(ws_url: str, identity: str) -> str:
    """`ws_url` plus `/` plus the percent-encoded identity; a query string stays behind the path.

    An endpoint that already ends in the identity is taken as it is. OCPP-J 1.6, 3.1.1; OCPP-J 2.0.1, 3.1.1.
    """
    parts = urlsplit(ws_url)
    path = parts.path.rstrip("/")
    if unquote(path.rpartition("/")[2]) != identity:
        path = f"{path}/{quote(identity, safe='')}"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def secured(url: str) -> str:
    """The same endpoint over TLS: what security profiles 2 and 3 demand, whatever the URL says."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="wss"))
