"""The marker with which a test says which rows of the contract it proves."""

import pytest

proves = pytest.mark.proves
"""`@proves("4.8/Q5", "1.4/lost")`: the test fails unless the scripted CSMS saw all that these rows demand.

`{name}` stands for a parameter of the test: `@proves("8.1/{code}")`. Of a test over both versions only its 1.6 case
counts.
"""
