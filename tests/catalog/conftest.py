import pytest

from tenants import audit


@pytest.fixture(autouse=True)
def nobody_acts_yet() -> None:
    """The test client leaves the last request's actor behind; its token is gone with that test's rows."""
    audit.act_as(audit.SYSTEM)
