"""The words of each OCPI version: its classes, members, lengths and enumerations, as data."""
