"""What only the real web process can get wrong: it reads a request before the application does."""

from pathlib import Path
from uuid import uuid4

import pytest

from locations.models import Location
from tests.api.web import web


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_forms_that_nobody_can_read_and_long_queries_get_past_the_server(
    tmp_path: Path, user_token: str, location: Location
) -> None:
    unreadable = {"Content-Type": "multipart/form-data; boundary=x"}
    strangers = [str(uuid4()) for _ in range(1000)]
    with web(tmp_path / "web.log") as server, server.client(user_token) as client:
        form = client.post("/locations", content=b'{"name": "Harbour"}', headers=unreadable)
        deleted = client.delete(f"/locations/{location.pk}/chargers", params={"charger_ids": strangers})
    assert form.status_code == 415
    assert isinstance(form.json()["detail"], str)
    assert (deleted.status_code, deleted.json()["failed_count"]) == (200, 1000)
