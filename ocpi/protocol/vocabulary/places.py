"""Classes of the locations module that all versions spell alike."""

from ocpi.protocol.types import (
    Boolean,
    Choice,
    CiString,
    DateTime,
    Integer,
    Number,
    Shape,
    String,
    Url,
    many,
    maybe,
    one,
)
from ocpi.protocol.vocabulary import words

LATITUDE = String(10, r"-?[0-9]{1,2}\.[0-9]{5,7}")
LONGITUDE = String(11, r"-?[0-9]{1,3}\.[0-9]{5,7}")
HOUR = String(5, r"([0-1][0-9]|2[0-3]):[0-5][0-9]")
DAY = String(10, r"[0-9]{4}-[0-1][0-9]-[0-3][0-9]")

DISPLAY_TEXT = Shape("DisplayText", {"language": one(String(2)), "text": one(String(512))})
GEO_LOCATION = Shape("GeoLocation", {"latitude": one(LATITUDE), "longitude": one(LONGITUDE)})
RELATED_PLACE = Shape("AdditionalGeoLocation", {**GEO_LOCATION.members, "name": maybe(DISPLAY_TEXT)})
IMAGE = Shape(
    "Image",
    {
        "url": one(Url()),
        "thumbnail": maybe(Url()),
        "category": one(Choice(words.IMAGE_CATEGORIES)),
        "type": one(CiString(4)),
        "width": maybe(Integer()),
        "height": maybe(Integer()),
    },
)
BUSINESS_DETAILS = Shape("BusinessDetails", {"name": one(String(100)), "website": maybe(Url()), "logo": maybe(IMAGE)})
EXCEPTIONAL_PERIOD = Shape("ExceptionalPeriod", {"period_begin": one(DateTime()), "period_end": one(DateTime())})
REGULAR_HOURS = Shape("RegularHours", {"weekday": one(Integer(1)), "period_begin": one(HOUR), "period_end": one(HOUR)})
HOURS = Shape(
    "Hours",
    {
        "twentyfourseven": one(Boolean()),
        "regular_hours": many(REGULAR_HOURS),
        "exceptional_openings": many(EXCEPTIONAL_PERIOD),
        "exceptional_closings": many(EXCEPTIONAL_PERIOD),
    },
)
ENERGY_MIX = Shape(
    "EnergyMix",
    {
        "is_green_energy": one(Boolean()),
        "energy_sources": many(
            Shape("EnergySource", {"source": one(words.ENERGY_SOURCE), "percentage": one(Number())})
        ),
        "environ_impact": many(
            Shape(
                "EnvironmentalImpact",
                {"category": one(Choice(words.ENVIRONMENTAL_IMPACTS)), "amount": one(Number())},
            )
        ),
        "supplier_name": maybe(String(64)),
        "energy_product_name": maybe(String(64)),
    },
)
STATUS_SCHEDULE = Shape(
    "StatusSchedule",
    {"period_begin": one(DateTime()), "period_end": maybe(DateTime()), "status": one(words.STATUS)},
)
