"""How outlets share what the whole station may draw (behaviour contract, rule C3).

Equal shares; who takes less frees the rest; who would get less than a car accepts waits until others are done.
"""

import msgspec

ROUNDING = 1e-9


class Claim(msgspec.Struct, frozen=True):
    """One outlet's claim, all in one unit. `floor`: the least that is of use; `wants`: what its car would take;
    `most`: what it may take by its own limits. A `wants` of 0 is a car that takes nothing now."""

    floor: float
    wants: float
    most: float


def shared(total: float, claims: list[Claim]) -> list[float]:
    """What each claim gets, first come first served where there is not enough for all; sums up to `total` at most.

    A car that takes nothing is offered the least of use beside that, so that it can begin again at any time.
    """
    admitted = _admitted(total, claims)
    floors = [claim.floor if index in admitted else 0.0 for index, claim in enumerate(claims)]
    needs = [min(claim.wants, claim.most) if index in admitted else 0.0 for index, claim in enumerate(claims)]
    given = _filled(total, floors, needs)
    # Whatever nobody takes is on offer too.
    most = [claim.most if index in admitted or not claim.wants else 0.0 for index, claim in enumerate(claims)]
    given = _filled(total, given, most)
    return [
        max(got, min(claim.floor, claim.most, total)) if not claim.wants else got
        for got, claim in zip(given, claims, strict=True)
    ]


def _admitted(total: float, claims: list[Claim]) -> set[int]:
    """Those whose least fits into the total, in order."""
    admitted, left = set(), total
    for index, claim in enumerate(claims):
        if claim.wants and claim.floor <= min(left + ROUNDING, claim.most):
            admitted.add(index)
            left -= claim.floor
    return admitted


def _filled(total: float, floors: list[float], tops: list[float]) -> list[float]:
    """Raises one level for all, each between its floor and its top, until the total is reached."""
    tops = [max(top, floor) for floor, top in zip(floors, tops, strict=True)]

    def at_level(level: float) -> list[float]:
        return [min(max(level, floor), top) for floor, top in zip(floors, tops, strict=True)]

    before = 0.0
    for mark in sorted({0.0, *floors, *tops}):
        if sum(at_level(mark)) > total:
            rising = sum(1 for floor, top in zip(floors, tops, strict=True) if floor <= before < top)
            spare = total - sum(at_level(before))
            return at_level(before + spare / rising) if rising and spare > 0 else at_level(before)
        before = mark
    return tops
