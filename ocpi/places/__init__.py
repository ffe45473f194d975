"""Where a bundle's sites may stand: countries with currency and VAT, and for some of them towns and streets."""
