"""How OCPI 2.3.0's core says it: prices carry their taxes, tariffs say whether theirs are included."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ocpi.protocol.rendering import Object
from ocpi.protocol.v221 import Version221
from ocpi.protocol.vocabulary import v230, words

TAX = "VAT"


class Version230(Version221):
    number = "2.3.0"
    shapes = v230
    token_types = words.TOKEN_TYPES_230
    nearest_restriction: Mapping[str, str] = {}

    def plug(self, connector: Object) -> Object:
        standard = connector["standard"]
        return {**connector, "standard": "SAE_J3400" if standard == "TESLA_S" else standard}

    def prices(self, tariff: Object) -> Object:
        limits = {name: limit(tariff[name]) for name in ("min_price", "max_price") if tariff.get(name)}
        return {"tax_included": tax_included(tariff), **tariff, **limits}

    def total_cost(self, price: Mapping[str, Any]) -> Any:
        return self.said(v230.PRICE, taxed(price))

    def use(self, session: Object, place: Object) -> Object:
        cost = session.get("total_cost")
        return {**session, "total_cost": taxed(cost)} if cost else session

    def bill(self, cdr: Object) -> Object:
        site = cdr["cdr_location"]
        costs = {name: taxed(cdr[name]) for name in v230.PRICES if cdr.get(name)}
        standard = self.plug({"standard": site["connector_standard"]})["standard"]
        return {
            **cdr,
            **costs,
            "cdr_location": {**site, "connector_standard": standard},
            "tariffs": [self.prices(one) for one in cdr.get("tariffs", [])],
        }


def taxed(price: Mapping[str, Any]) -> Object:
    """{excl_vat, incl_vat ?} as {before_taxes, taxes}; the difference of the two is the tax."""
    before = price["excl_vat"]
    after = price.get("incl_vat")
    if after is None:
        return {"before_taxes": before, "taxes": []}
    amount = Decimal(str(after)) - Decimal(str(before))
    return {"before_taxes": before, "taxes": [{"name": TAX, "amount": amount}]}


def limit(price: Mapping[str, Any]) -> Object:
    after = price.get("incl_vat")
    return {"before_taxes": price["excl_vat"], **({} if after is None else {"after_taxes": after})}


def tax_included(tariff: Mapping[str, Any]) -> str:
    """Our prices are without VAT; where no component names one, none applies."""
    components = (one for element in tariff["elements"] for one in element["price_components"])
    return "NO" if any(one.get("vat") is not None for one in components) else "N/A"
