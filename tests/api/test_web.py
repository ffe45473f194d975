"""What only the real web process can get wrong: it reads a request before the application does."""

from pathlib import Path
from uuid import uuid4

import pytest

from locations.models import Location
from tests.api.web import web


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_form_that_nobody_can_read_is_refused_in_json(tmp_path: Path, user_token: str) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    with web(tmp_path / "web.log") as server, server.client(user_token) as client:
        answer = client.post("/locations", content=b'{"name": "Harbour"}', headers=headers)
    assert answer.status_code == 415
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_query_may_name_a_thousand_chargers(tmp_path: Path, user_token: str, location: Location) -> None:
    strangers = [str(uuid4()) for _ in range(1000)]
    with web(tmp_path / "web.log") as server, server.client(user_token) as client:
        answer = client.delete(f"/locations/{location.pk}/chargers", params={"charger_ids": strangers})
    assert answer.status_code == 200
    assert answer.json()["failed_count"] == 1000
