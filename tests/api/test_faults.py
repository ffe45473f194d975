"""The catalog of faults, and what inject-fault takes of it (gateway contract, sections 12 and 19)."""

import pytest

from chargers.models import Charger
from tests.conftest import ApiClient


def test_the_catalog_names_every_fault_with_what_it_shows(user_client: ApiClient) -> None:
    answer = user_client.get("/faults")
    assert answer.status_code == 200
    found = {one["slug"]: one for one in answer.json()}
    assert found["GroundFailure"]["layer"] == "hardware"
    assert found["slow-responses"]["layer"] == "network"
    assert [one["name"] for one in found["slow-responses"]["parameters"]] == ["delay_ms", "jitter_ms", "action"]
    assert all(set(one["shows"]) == {"ocpp1.6", "ocpp2.0.1"} for one in found.values())


@pytest.mark.parametrize("parameters", [{"delay_ms": -1}, {"odd": 1}, {"action": 5}])
def test_unfit_parameters_are_422(user_client: ApiClient, charger: Charger, parameters: dict[str, object]) -> None:
    body = {"fault_type": "slow-responses", "parameters": parameters}
    assert user_client.post(f"/chargers/{charger.pk}/inject-fault", body).status_code == 422
