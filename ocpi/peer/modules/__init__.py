"""One file for each module of OCPI: its views, the same for every version."""
