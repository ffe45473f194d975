"""A preset's tariff, written in euro without VAT, as it is in a country."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ocpi.places.gazetteer import Country

CENT, FINEST = Decimal("0.01"), Decimal("0.0001")


def localized(content: Mapping[str, Any], country: Country) -> dict[str, Any]:
    """With currency, prices at the country's level, and VAT where it is known."""
    tariff = {**content, "currency": country.currency}
    tariff["elements"] = [_element(element, country) for element in content["elements"]]
    for limit in ("min_price", "max_price"):
        if limit in content:
            tariff[limit] = _limit(Decimal(str(content[limit]["excl_vat"])), country)
    return tariff


def _element(element: Mapping[str, Any], country: Country) -> dict[str, Any]:
    components = [_component(component, country) for component in element["price_components"]]
    return {**element, "price_components": components}


def _component(component: Mapping[str, Any], country: Country) -> dict[str, Any]:
    price = _rounded(Decimal(str(component["price"])) * country.price_level, CENT)
    return {**component, "price": price, **({} if country.vat is None else {"vat": float(country.vat)})}


def _limit(amount: Decimal, country: Country) -> dict[str, float]:
    excluding = amount * country.price_level
    if country.vat is None:
        return {"excl_vat": _rounded(excluding, CENT)}
    including = excluding * (1 + country.vat / 100)
    return {"excl_vat": _rounded(excluding, CENT), "incl_vat": _rounded(including, FINEST)}


def _rounded(amount: Decimal, step: Decimal) -> float:
    return float(amount.quantize(step, ROUND_HALF_UP))
