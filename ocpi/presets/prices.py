"""A preset's tariff, written in euro without VAT, as it is in a country.

Its text for drivers names prices in braces, "{0.39} per kWh", so that they follow the country too.
"""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ocpi.places.gazetteer import Country

PRICE = re.compile(r"\{([0-9]+\.[0-9]+)\}")
CENT, FINEST = Decimal("0.01"), Decimal("0.0001")


def localized(content: Mapping[str, Any], country: Country) -> dict[str, Any]:
    """With currency, prices at the country's level, and VAT where it is known."""
    tariff = {**content, "currency": country.currency}
    tariff["elements"] = [_element(element, country) for element in content["elements"]]
    if "tariff_alt_text" in content:
        tariff["tariff_alt_text"] = [
            {**one, "text": PRICE.sub(lambda found: f"{_priced(found[1], country):.2f}", one["text"])}
            for one in content["tariff_alt_text"]
        ]
    for limit in ("min_price", "max_price"):
        if limit in content:
            tariff[limit] = _limit(Decimal(str(content[limit]["excl_vat"])), country)
    return tariff


def _element(element: Mapping[str, Any], country: Country) -> dict[str, Any]:
    components = [_component(component, country) for component in element["price_components"]]
    return {**element, "price_components": components}


def _component(component: Mapping[str, Any], country: Country) -> dict[str, Any]:
    price = _priced(component["price"], country)
    return {**component, "price": price, **({} if country.vat is None else {"vat": float(country.vat)})}


def _priced(price: object, country: Country) -> float:
    return _rounded(Decimal(str(price)) * country.price_level, CENT)


def _limit(amount: Decimal, country: Country) -> dict[str, float]:
    excluding = amount * country.price_level
    if country.vat is None:
        return {"excl_vat": _rounded(excluding, CENT)}
    including = excluding * (1 + country.vat / 100)
    return {"excl_vat": _rounded(excluding, CENT), "incl_vat": _rounded(including, FINEST)}


def _rounded(amount: Decimal, step: Decimal) -> float:
    return float(amount.quantize(step, ROUND_HALF_UP))
