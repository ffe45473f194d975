"""Draws the catalog's pictures: every line follows from a model's traits, nothing is copied from a manufacturer.

A drawing is an SVG of 400 by 400 units without text, logo or trade dress. Station and outlets follow the traits
(mounting, current, connectors, display); housing and colour vary by a checksum of the slug, so that two models of a
kind are told apart and the same model always looks the same. `manage.py draw_catalog` writes the files.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from catalog.vocabulary import ConnectorType, CurrentType, Mounting, OutletFormat

STATIC_FOLDER = Path(__file__).resolve().parent / "static" / "catalog"

# Accent and its darker shade; muted, and nobody's house colours: a brand gets one by the checksum of its slug.
ACCENTS = (
    ("#2a9d8f", "#1f776c"),
    ("#5b7db1", "#435f8a"),
    ("#b5838d", "#8f636c"),
    ("#8a9a5b", "#697642"),
    ("#c08a4e", "#976a38"),
    ("#7a6f9b", "#5c5378"),
    ("#4f8fa3", "#396d7e"),
)
# Housing: the lit and the shaded side of the body, then the front panel.
HOUSINGS = (
    ("#fdfdfc", "#dfe3e6", "#2f363d"),
    ("#f1f2f0", "#d2d7d9", "#414a52"),
    ("#4a535b", "#323940", "#23292e"),
    ("#e4e8ea", "#c3cacf", "#39424a"),
)
CABLE = "#262b30"
PIN = "#f4f6f7"


@dataclass(frozen=True, slots=True)
class Style:
    """How a station looks beyond its traits."""

    accent: str
    accent_dark: str
    light: str
    shade: str
    panel: str
    corner: int
    lamp: int


@dataclass(frozen=True, slots=True)
class Station:
    """What the drawing shows: connector types in order, each with whether it is a socket."""

    style: Style
    mounting: str
    current_type: str
    outlets: tuple[tuple[str, bool], ...]
    has_display: bool


def style_of(brand_slug: str, model_slug: str) -> Style:
    accent, accent_dark = ACCENTS[crc32(brand_slug.encode()) % len(ACCENTS)]
    dice = crc32(f"{brand_slug}/{model_slug}".encode())
    light, shade, panel = HOUSINGS[dice % len(HOUSINGS)]
    return Style(accent, accent_dark, light, shade, panel, corner=(14, 26, 40)[dice // 7 % 3], lamp=dice // 31 % 3)


def station_of(brand_slug: str, model: Mapping[str, Any]) -> Station:
    """A station from a model of a data file."""
    connectors = model["connectors"]
    return Station(
        style=style_of(brand_slug, model["slug"]),
        mounting=model["mounting"],
        current_type=model["current_type"],
        outlets=tuple((each["type"], each["format"] == OutletFormat.SOCKET) for each in connectors),
        has_display=model["has_display"],
    )


# --- strokes --------------------------------------------------------------------------------------------------------


def box(x: float, y: float, width: float, height: float, corner: float, fill: str, extra: str = "") -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{corner:g}" fill="{fill}"{extra}/>'


def disc(x: float, y: float, radius: float, fill: str, extra: str = "") -> str:
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{fill}"{extra}/>'


def line(path: str, colour: str, width: float) -> str:
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def cable(path: str) -> str:
    """A rubber cable with a thin light along it."""
    return line(path, CABLE, 9) + line(path, "#4a525a", 2.4)


def bolt(x: float, y: float, scale: float, fill: str) -> str:
    return f'<path transform="translate({x:g} {y:g}) scale({scale:g})" d="M3-14-9 3h7l-3 11L9-4H1z" fill="{fill}"/>'


def gradient(name: str, first: str, second: str, *, vertical: bool = False) -> str:
    end = 'x2="0" y2="1"' if vertical else 'x2="1" y2="0"'
    return (
        f'<linearGradient id="{name}" x1="0" y1="0" {end}><stop offset="0" stop-color="{first}"/>'
        f'<stop offset="1" stop-color="{second}"/></linearGradient>'
    )


# --- connector faces, centred on 0,0 and about 46 wide ----------------------------------------------------------------


def pins(*places: tuple[float, float, float]) -> str:
    return "".join(disc(x, y, radius, PIN) for x, y, radius in places)


def type1_face() -> str:
    return disc(0, 0, 21, "#171b1f") + pins((-8, -6, 4), (8, -6, 4), (-11, 6, 2.6), (11, 6, 2.6), (0, 11, 4))


def type2_face() -> str:
    shell = '<path d="M-16-15H16A22 22 0 1 1-16-15z" fill="#171b1f"/>'
    return shell + pins(
        (-7, -8, 2.4), (7, -8, 2.4), (-12, 1, 3.6), (0, 1, 3.6), (12, 1, 3.6), (-7, 11, 3.6), (7, 11, 3.6)
    )


def combo_face(upper: str) -> str:
    """CCS: the AC face in small above two DC pins."""
    lower = box(-19, 7, 38, 19, 9.5, "#171b1f") + pins((-9.5, 16.5, 5.6), (9.5, 16.5, 5.6))
    return f'<g transform="translate(0 -9) scale(.72)">{upper}</g>{lower}'


def chademo_face() -> str:
    ring = ' stroke="#59636c" stroke-width="2"'
    return (
        disc(0, 0, 22, "#171b1f")
        + pins((-10, 1, 6), (10, 1, 6))
        + disc(0, -11, 5, "#171b1f", ring)
        + disc(0, 12, 5, "#171b1f", ring)
    )


def nacs_face() -> str:
    shell = '<path d="M-15-17H15Q22-17 21-9L16 12Q13 20 0 20T-16 12L-21-9Q-22-17-15-17z" fill="#171b1f"/>'
    return shell + pins((-9, -7, 6), (9, -7, 6), (-8, 8, 2.6), (8, 8, 2.6), (0, 11, 3.4))


def gbt_face() -> str:
    return disc(0, 0, 22, "#171b1f") + pins(
        (-9, -9, 3), (9, -9, 3), (-12, 2, 4.4), (12, 2, 4.4), (0, 0, 3.4), (-6, 12, 2.6), (6, 12, 2.6)
    )


def schuko_face() -> str:
    return disc(0, 0, 22, "#e9ecee") + disc(0, 0, 17, "#c9ced2") + disc(-7, 0, 3, "#23292e") + disc(7, 0, 3, "#23292e")


def face(connector_type: str) -> str:
    faces = {
        ConnectorType.TYPE1: type1_face(),
        ConnectorType.TYPE2: type2_face(),
        ConnectorType.CCS1: combo_face(type1_face()),
        ConnectorType.CCS2: combo_face(type2_face()),
        ConnectorType.CHADEMO: chademo_face(),
        ConnectorType.NACS: nacs_face(),
        ConnectorType.GBT_AC: gbt_face(),
        ConnectorType.GBT_DC: gbt_face(),
        ConnectorType.SCHUKO: schuko_face(),
    }
    return faces[ConnectorType(connector_type)]


def socket(x: float, y: float, connector_type: str, accent: str, scale: float = 1) -> str:
    """A socket in the housing: a recess with a coloured rim that invites the driver's own cable."""
    rim = disc(0, 0, 32, accent) + disc(0, 0, 28, "#dfe4e7") + disc(0, 0, 25.5, "#aeb6bc")
    return f'<g transform="translate({x:g} {y:g}) scale({scale:g})">{rim}{face(connector_type)}</g>'


def holster(x: float, y: float, connector_type: str, accent: str, scale: float = 1) -> str:
    """A pocket that holds the plug of a fixed cable."""
    pocket = box(-29, -33, 58, 66, 18, "#d7dde1") + box(-25, -29, 50, 58, 15, "#8d979f")
    clip = box(-12, -37, 24, 6, 3, accent)
    return f'<g transform="translate({x:g} {y:g}) scale({scale:g})">{pocket}{clip}{face(connector_type)}</g>'


def outlet(x: float, y: float, connector_type: str, is_socket: bool, accent: str, scale: float = 1) -> str:
    return (socket if is_socket else holster)(x, y, connector_type, accent, scale)


# --- parts of stations ----------------------------------------------------------------------------------------------


def screen(x: float, y: float, width: float, height: float, accent: str) -> str:
    """A lit screen: a bolt, a battery that fills and two lines of what would be text."""
    left, middle = x + width * 0.12, y + height / 2
    bars = "".join(
        box(left + step * width * 0.1, middle + height * 0.12, width * 0.075, height * 0.2, 2, colour)
        for step, colour in enumerate((accent, accent, accent, "#3c464e"))
    )
    return (
        box(x, y, width, height, 8, "url(#screen)")
        + bars
        + box(left, middle - height * 0.22, width * 0.36, height * 0.1, 2, "#c9d3d9")
        + box(left, middle - height * 0.06, width * 0.24, height * 0.07, 2, "#77838c")
        + bolt(x + width * 0.76, middle, height / 52, accent)
    )


def lamp(x: float, y: float, width: float, style: Style) -> str:
    """The light that says "available": a ring, a bar or three dots."""
    if style.lamp == 0:
        return disc(x, y, 17, "none", f' stroke="{style.accent}" stroke-width="5"') + bolt(x, y, 0.7, style.accent)
    if style.lamp == 1:
        return box(x - width / 2, y - 4, width, 8, 4, style.accent) + box(
            x - width / 2, y - 4, width * 0.45, 8, 4, "#fff", ' opacity=".35"'
        )
    return "".join(disc(x + step * 18, y, 5.5, style.accent) for step in (-1, 0, 1))


def card_reader(x: float, y: float, colour: str) -> str:
    """Three waves: here a card is read."""
    return "".join(
        line(
            f"M{x - 8 + step * 6:g} {y - 6 - step * 3:g}q{5 + step:g} {6 + step * 3:g} 0 {12 + step * 6:g}", colour, 2.6
        )
        for step in range(3)
    )


# --- stations -------------------------------------------------------------------------------------------------------


def wall_box(station: Station) -> Iterator[str]:
    """AC on the wall: a small box with one outlet; a fixed cable hangs in a loop below it."""
    style = station.style
    kind, is_socket = station.outlets[0]
    # Without a cable below it the box hangs lower, so that it stands in the middle of the picture.
    yield f'<g transform="translate(4 {36 if is_socket else 0})">'
    yield box(112, 58, 184, 232, style.corner + 2, "#9aa5ad", ' opacity=".35"')
    if not is_socket:
        yield cable("M176 276C172 348 236 372 268 344S286 262 262 250")
    yield box(106, 50, 180, 230, style.corner, "url(#body)")
    yield box(124, 68, 144, 84, max(style.corner - 10, 8), style.panel)
    if station.has_display:
        yield screen(136, 80, 88, 60, style.accent)
        yield card_reader(246, 110, style.accent)
    else:
        yield lamp(180, 110, 64, style)
        yield card_reader(242, 110, "#7d8992")
    yield outlet(196, 214, kind, is_socket, style.accent, 1.3 if is_socket else 1.15) + "</g>"


def post(station: Station) -> Iterator[str]:
    """AC on the floor: a slim column, outlets one above or beside the other."""
    style = station.style
    yield '<ellipse cx="200" cy="362" rx="112" ry="13" fill="#9aa5ad" opacity=".45"/>'
    yield box(126, 348, 148, 14, 5, "#7b868e")
    yield box(138, 38, 124, 316, min(style.corner, 26), "url(#body)")
    yield box(150, 54, 100, 88, 12, style.panel)
    if station.has_display:
        yield screen(159, 63, 82, 46, style.accent)
        yield card_reader(200, 125, style.accent)
    else:
        yield lamp(200, 82, 56, style)
        yield card_reader(200, 120, "#7d8992")
    yield box(138, 158, 124, 6, 0, style.accent)
    if not all(is_socket for _, is_socket in station.outlets):
        yield cable("M259 120C326 160 334 330 262 330S200 280 200 226")
    count = len(station.outlets)
    for index, (kind, is_socket) in enumerate(station.outlets):
        y = 204 + index * (80 if count < 3 else 48)
        yield outlet(200, y, kind, is_socket, style.accent, 1 if count < 3 else 0.7)


def wall_unit(station: Station) -> Iterator[str]:
    """DC on the wall: a wide box whose cables hang at its sides."""
    style = station.style
    yield box(68, 62, 276, 212, style.corner + 2, "#9aa5ad", ' opacity=".35"')
    for path in ("M84 130C20 190 34 352 104 348S146 262 146 236", "M316 130C380 190 366 352 296 348S254 262 254 236"):
        yield cable(path)
    yield box(62, 52, 276, 212, style.corner, "url(#body)")
    yield box(80, 70, 240, 82, 12, style.panel)
    yield screen(94, 80, 132, 62, style.accent) if station.has_display else lamp(160, 111, 90, style)
    yield card_reader(282, 111, style.accent)
    places = (146, 254) if len(station.outlets) > 1 else (200,)
    for x, (kind, is_socket) in zip(places, station.outlets, strict=False):
        yield outlet(x, 206, kind, is_socket, style.accent)


def cabinet(station: Station) -> Iterator[str]:
    """DC on the floor: a tall cabinet, its cables in wide arcs from the top of its flanks to the pockets in front."""
    style = station.style
    count = len(station.outlets)
    yield '<ellipse cx="200" cy="366" rx="150" ry="14" fill="#9aa5ad" opacity=".45"/>'
    yield box(104, 350, 192, 16, 5, "#6d7880")
    yield box(112, 28, 176, 326, min(style.corner, 26), "url(#body)")
    yield box(112, 28, 176, 12, 6, style.accent)
    yield box(126, 52, 148, 104, 12, style.panel)
    yield screen(138, 62, 124, 66, style.accent) if station.has_display else lamp(200, 98, 90, style)
    yield card_reader(200, 142, "#9fabb3")
    rows = (206, 290) if count > 2 else (232,)
    places = [(x, y) for y in rows for x in ((156, 244) if count > 1 else (200,))]
    for (x, y), (_, is_socket) in zip(places, station.outlets, strict=False):
        if not is_socket:
            yield cable(flank_cable(x, y))
    for (x, y), (kind, is_socket) in zip(places, station.outlets, strict=False):
        yield outlet(x, y, kind, is_socket, style.accent, 1 if count > 2 else 1.12)
    for row in range(3):
        yield box(176, 332 + row * 6, 48, 2.4, 1.2, "#98a3ab")


def flank_cable(x: float, y: float) -> str:
    """From the upper flank on the pocket's side of the cabinet, outwards, down, and up into the pocket."""
    side = -1 if x <= 200 else 1
    flank, reach, low = 200 + side * 86, 200 + side * 150, min(y + 92, 352)
    return f"M{flank} {y - 96}C{reach} {y - 60} {reach} {low} {x + side * 34} {low}S{x} {y + 46} {x} {y + 20}"


def station_picture(station: Station) -> str:
    if station.current_type == CurrentType.AC:
        parts = wall_box(station) if station.mounting == Mounting.WALL else post(station)
    else:
        parts = wall_unit(station) if station.mounting == Mounting.WALL else cabinet(station)
    return "".join(parts)


# --- whole pictures -------------------------------------------------------------------------------------------------


def svg(style: Style, content: str, title: str) -> str:
    """The frame all pictures share: a soft card, and the gradients that the parts refer to."""
    definitions = (
        gradient("card", "#f7f9fa", "#e3e9ed", vertical=True)
        + gradient("body", style.light, style.shade)
        + gradient("screen", "#1b2329", "#2d3942", vertical=True)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" role="img">'
        f"<title>{title}</title><defs>{definitions}</defs>"
        f"{box(0, 0, 400, 400, 32, 'url(#card)')}{content}</svg>\n"
    )


def draw_model(brand_slug: str, model: Mapping[str, Any]) -> str:
    """The picture of one model of a data file."""
    station = station_of(brand_slug, model)
    return svg(station.style, station_picture(station), "Drawing of a charging station")


def draw_brand(brand_slug: str, models: Sequence[Mapping[str, Any]]) -> str:
    """The brand's picture: one station, or two of different build, before a disc in the brand's accent."""
    style = style_of(brand_slug, "")
    stations = different_builds([station_of(brand_slug, model) for model in models])[:2]
    scale = 0.8 if len(stations) == 1 else 0.6
    figures = disc(200, 200, 172, style.accent, ' opacity=".88"')
    for index, station in enumerate(stations):
        x = 200 + (index - (len(stations) - 1) / 2) * 172
        shift = f"translate({x - 200 * scale:g} {200 - 200 * scale:g}) scale({scale:g})"
        figures += f'<g transform="{shift}">{station_picture(station)}</g>'
    return svg(style, figures, "Drawing of charging stations")


def different_builds(stations: Sequence[Station]) -> list[Station]:
    """The first station of each build: mounting and current."""
    first: dict[tuple[str, str], Station] = {}
    for station in stations:
        first.setdefault((station.mounting, station.current_type), station)
    return list(first.values())


def pictures(documents: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Every picture of the data files as (path below `static/catalog/`, SVG)."""
    for document in documents:
        slug = document["slug"]
        yield f"{slug}.svg", draw_brand(slug, document["models"])
        for model in document["models"]:
            yield f"{slug}/{model['slug']}.svg", draw_model(slug, model)
