"""Authorize and ClearCache, and how 2.0.1 words tokens (contract 4.1, 5.5)."""

from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.authorization import TokenInfo
from simulator.core.calls import Call
from simulator.core.charging import Charging
from simulator.core.machine import Block
from simulator.core.v201.tariff_and_cost import TariffAndCost

CARD = "ISO14443"  # what a reader at the station reads, where nothing else is known
NO_AUTHORIZATION = "NoAuthorization"
TO_START = ("local", "remote")  # purposes of an Authorize that a new driver waits for


def id_token(token: str, token_type: str = "") -> dict[str, Any]:
    return {"idToken": token[:36], "type": token_type or CARD}


def token_info(answer: dict[str, Any]) -> TokenInfo:
    """What an idTokenInfo says; an answer without one accepts."""
    info = answer.get("idTokenInfo", {})
    expiry = info.get("cacheExpiryDateTime")
    return TokenInfo(
        status=info.get("status", "Accepted"),
        parent=info.get("groupIdToken", {}).get("idToken", ""),
        expires_at=timestamps.read(expiry) if expiry else None,
    )


class Authorization(Block):
    actions: ClassVar = ("ClearCache",)

    def Authorize_answered(self, call: Call, answer: dict[str, Any]) -> None:
        charging, context = self.station.block(Charging), call.context
        info = token_info(answer)
        connector = self.station.connector(context["connector"])
        allowed = answer["idTokenInfo"].get("evseId")
        if info.status == "Accepted" and allowed and connector and connector.outlet.evse_id not in allowed:
            charging.refused(context, f"The token {context['token']} may only be used at EVSE {allowed}.")
            return
        if info.status == "Accepted" and context["purpose"] in TO_START:
            self.station.block(TariffAndCost).authorized(context["connector"], answer["idTokenInfo"])
        charging.authorize_result(context, info)

    def Authorize_failed(self, call: Call, problem: str) -> None:
        self.station.block(Charging).authorize_failed(call.context, offline=problem in ("timeout", "lost"))

    def on_ClearCache(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.station.configuration.flag("AuthCacheCtrlr.Enabled"):
            return {"status": "Rejected"}
        self.station.block(Charging).tokens.clear_cache()
        return {"status": "Accepted"}
