"""What a session costs: OCPI tariffs applied to what was measured. Pure: no Django, no clock, exact arithmetic."""

from ocpi.cost.bill import Bill, Cost, Piece, Price, Segment, price
from ocpi.cost.tariff import Dimension, Restriction, Terms

__all__ = ["Bill", "Cost", "Dimension", "Piece", "Price", "Restriction", "Segment", "Terms", "price"]
