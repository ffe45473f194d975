"""Who may charge: the local list, the cache, and what the CSMS said (behaviour contract, 4.1 and 4.2)."""

from typing import Any

import msgspec

MOST_CACHED = 500


class Rules(msgspec.Struct, frozen=True):
    """The settings that decide, in version-free words."""

    local_list: bool
    cache: bool
    pre_authorize: bool
    offline_authorize: bool
    offline_unknown: bool
    ask_after_list: bool = True
    ask_after_cache: bool = True
    cache_seconds: int = 0  # 0: entries live for ever


class TokenInfo(msgspec.Struct, frozen=True):
    """What is known of a token; `expires_at` in Unix seconds."""

    status: str
    parent: str = ""
    expires_at: float | None = None

    def is_good(self, wall: float) -> bool:
        return self.status == "Accepted" and (self.expires_at is None or self.expires_at > wall)


class TokenStore:
    """Local list and cache. Tokens are compared without regard to case (OCPP 1.6: CiString).

    `entries` is replaced, never changed in place: a new object is how a change shows.
    """

    def __init__(self, local_list: dict[str, Any], cache: dict[str, Any]) -> None:
        self.version: int = local_list.get("version", 0)
        self.entries: dict[str, dict[str, Any]] = dict(local_list.get("entries", {}))
        self.cache: dict[str, dict[str, Any]] = dict(cache)
        self.cache_edition = 0  # raised by every change, so that nobody has to compare 500 entries

    def listed(self, token: str) -> TokenInfo | None:
        entry = self.entries.get(token.casefold())
        return msgspec.convert(entry["info"], TokenInfo) if entry else None

    def cached(self, token: str) -> TokenInfo | None:
        entry = self.cache.get(token.casefold())
        return msgspec.convert(entry, TokenInfo) if entry else None

    def known(self, token: str, rules: Rules) -> TokenInfo | None:
        """The list wins over the cache."""
        info = self.listed(token) if rules.local_list else None
        return info or (self.cached(token) if rules.cache else None)

    def remember(self, token: str, info: TokenInfo, rules: Rules, wall: float) -> None:
        """Every answer of the CSMS updates the cache, but not for tokens on the list."""
        if not rules.cache or (rules.local_list and self.listed(token)):
            return
        if info.expires_at is None and rules.cache_seconds:
            info = msgspec.structs.replace(info, expires_at=wall + rules.cache_seconds)
        key = token.casefold()
        self.cache_edition += 1
        self.cache.pop(key, None)
        self.cache[key] = msgspec.to_builtins(info)
        while len(self.cache) > MOST_CACHED:
            del self.cache[self._least_useful()]

    def forget(self, token: str) -> None:
        """Drops what the cache holds of it; the list is the CSMS's, by its versions."""
        if self.cache.pop(token.casefold(), None) is not None:
            self.cache_edition += 1

    def _least_useful(self) -> str:
        refused = (key for key, entry in self.cache.items() if entry["status"] != "Accepted")
        return next(refused, None) or next(iter(self.cache))

    def clear_cache(self) -> int:
        cleared = len(self.cache)
        self.cache = {}
        self.cache_edition += 1
        return cleared

    def clear_list(self) -> int:
        deleted = len(self.entries)
        self.entries, self.version = {}, 0
        return deleted

    def list_record(self) -> dict[str, Any]:
        return {"version": self.version, "entries": self.entries}

    def decide(self, token: str, rules: Rules, *, online: bool, wall: float) -> str:
        """`accept`, `ask` the CSMS, or `refuse`."""
        listed = self.listed(token) if rules.local_list else None
        cached = self.cached(token) if rules.cache else None
        known = listed or cached
        good = known is not None and known.is_good(wall)
        if not online:
            return self._decide_offline(rules, known is not None, good)
        if good and rules.pre_authorize:
            return "accept"
        may_ask = rules.ask_after_list if listed else rules.ask_after_cache
        return "ask" if good or known is None or may_ask else "refuse"

    @staticmethod
    def _decide_offline(rules: Rules, known: bool, good: bool) -> str:
        if not rules.offline_authorize:
            return "refuse"
        if known:
            return "accept" if good else "refuse"
        return "accept" if rules.offline_unknown else "refuse"
