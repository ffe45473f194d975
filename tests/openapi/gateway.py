"""A live lab with a site and two chargers that a generated request can name."""

import time
from typing import Any

import httpx
import requests

Json = dict[str, Any]
SITE = {
    "name": "Harbour",
    "address": "Quai 1",
    "city": "Rotterdam",
    "country": "NL",
    "coordinates": {"latitude": 51.9, "longitude": 4.48},
}
NOBODY = "ws://127.0.0.1:9/ocpp"  # the discard port: chargers try, and nothing answers
NINE = "2026-04-02T09:00:00Z"  # before there was anything to record
READY_SECONDS = 60.0
WALL_BOX = {
    "brand_slug": "wallbox",
    "model_slug": "wallbox-pulsar-plus",
    "connector_type": "Type2",
    "ocpp_version": "OCPP1.6",
}


class Gateway:
    """`ids` holds what path parameters and bodies may name.

    It outlives a test: `stand` makes anew what the test before may have changed, as `used` was told.
    """

    def __init__(self, facts: dict[str, str]) -> None:
        self.base_url, self.house_csms = facts["base_url"], facts["house_csms_url"]
        self.headers = {"Authorization": f"Bearer {facts['user_token']}"}
        self.http = httpx.Client(base_url=self.base_url, headers=self.headers, timeout=30)
        self.session = requests.Session()
        self.ids: dict[str, str] = {name: WALL_BOX[name] for name in ("brand_slug", "model_slug", "connector_type")}
        self.made = 0
        self.cpo_site = ""  # the location behind the CPO's
        self.site_is_used = self.cpo_is_used = True

    def stand(self) -> None:
        if self.cpo_is_used:
            self.leave_cpos()
            self.renew_cpo()
        if self.site_is_used:
            self.leave_sites()
            self.renew_site()
        self.site_is_used = self.cpo_is_used = False

    def used(self, method: str, path: str) -> None:
        """A test has sent such requests. What is only read stays as it is."""
        if method.upper() != "GET":
            self.cpo_is_used |= path.startswith("/ocpi")
            self.site_is_used |= not path.startswith("/ocpi")

    def close(self) -> None:
        self.http.close()
        self.session.close()

    def ask(self, method: str, path: str, status: int, **options: Any) -> Any:
        answer = self.http.request(method, path, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def renew_site(self) -> None:
        """A site with one charger at the house CSMS, a command given to it and a job done for it."""
        self.made += 1
        location = self.ask("POST", "/locations", 201, json=SITE)["id"]
        body = WALL_BOX | {"identity": f"CP-{self.made}", "ws_url": self.house_csms, "location_id": location}
        charger = self.ask("POST", "/chargers", 201, json=body)["id"]
        command = self.ask("POST", f"/chargers/{charger}/plug-connector", 202, json={})["id"]
        group = {"template": {name: body[name] for name in (*WALL_BOX, "ws_url")}, "charger_ids": [f"J-{self.made}"]}
        job = self.ask("POST", f"/ocpp/locations/{location}/chargers", 202, json=[group])["job_id"]
        run = {"name": "a run", "charger_ids": [charger], "started_at": NINE, "finished_at": NINE}
        self.ids |= {"location_id": location, "charger_id": charger, "command_id": command, "job_id": job}
        self.ids["run_id"] = self.ask("POST", "/runs", 201, json=run)["id"]

    def renew_cpo(self) -> None:
        """A CPO with one location, for as long as it takes; its `location_id` in paths is OCPI's."""
        self.made += 1
        order = {"template": "smoke-single", "country_code": "NL", "party_id": "GEN", "name_prefix": f"G{self.made}"}
        cpo = self.ask("POST", "/ocpi/cpos", 202, json=order)["cpo_id"]
        deadline = time.monotonic() + READY_SECONDS
        while (status := self.ask("GET", f"/ocpi/cpos/{cpo}/status", 200))["status"] != "READY":
            assert time.monotonic() < deadline, status
            time.sleep(0.25)
        location = self.ask("GET", f"/ocpi/cpos/{cpo}/locations", 200)["data"][0]
        self.ids |= {"cpo_id": cpo, "ocpi_location_id": location["id"], "tariff_id": "AC-ENERGY"}
        self.ids |= {"peer_id": "1", "id_token": "CARD-1"}
        self.cpo_site = location["ocpp_location_id"]

    def sites(self) -> list[str]:
        page = self.ask("GET", "/locations", 200, params={"limit": 100, "fields": "id"})
        return [one["id"] for one in page["data"]]

    def leave_cpos(self) -> None:
        for cpo in self.ask("GET", "/ocpi/cpos", 200, params={"limit": 100})["data"]:
            self.ask("DELETE", f"/ocpi/cpos/{cpo['cpo_id']}", 204)

    def leave_sites(self) -> None:
        """All but the CPO's."""
        while sites := [one for one in self.sites() if one != self.cpo_site]:
            for site in sites:
                self.ask("DELETE", f"/locations/{site}", 204)
        while runs := self.ask("GET", "/runs", 200, params={"limit": 100})["data"]:
            for run in runs:
                self.ask("DELETE", f"/runs/{run['id']}", 204)
