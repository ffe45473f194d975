"""The demo organization and its file, run after run."""

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from catalog.services import seed_catalog
from chargers.models import Charger
from ocpplab import first_run, welcome
from tenants import tokens
from tenants.models import AccessToken, Organization, User
from tenants.scoping import scope

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def premises(settings, tmp_path: Path):
    settings.DATA_DIR = tmp_path
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    seed_catalog()
    return settings


def demo_chargers() -> list[Charger]:
    with scope(Organization.objects.get(slug="demo")):
        return list(Charger.objects.order_by("identity"))


def test_the_first_run_makes_a_site_with_one_charger_of_either_version():
    lab = first_run.prepare()
    ac, dc = demo_chargers()
    assert (ac.ocpp_version, dc.ocpp_version) == ("OCPP1.6", "OCPP2.0.1")
    assert {ac.ws_url, dc.ws_url} == {lab.facts.house_csms_url}
    assert lab.charger_id == ac.pk
    assert User.objects.get(username=lab.facts.login).check_password(lab.facts.password)
    assert str(tokens.read(lab.facts.user_token).organization_id) == lab.facts.organization_id
    assert tokens.read(lab.facts.admin_token).role == "admin"


def test_the_file_is_private_and_says_the_same():
    lab = first_run.prepare()
    path = first_run.path()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["user_token"] == lab.facts.user_token
    assert first_run.read() == lab.facts


def test_a_second_run_changes_nothing():
    first = first_run.prepare()
    written = first_run.path().stat().st_mtime_ns
    assert first_run.prepare() == first
    assert first_run.path().stat().st_mtime_ns == written
    assert len(demo_chargers()) == 2
    assert AccessToken.objects.count() == 2


@pytest.mark.parametrize("trouble", ["revoked", "expiring"])
def test_tokens_that_stop_working_are_issued_again(trouble: str):
    first = first_run.prepare().facts
    if trouble == "revoked":
        AccessToken.objects.update(revoked_at=timezone.now())
    else:
        AccessToken.objects.update(expires_at=timezone.now() + timedelta(days=1))
    second = first_run.prepare().facts
    assert second.user_token != first.user_token
    assert second.admin_token != first.admin_token
    assert (second.login, second.password) == (first.login, first.password)


def test_another_secret_key_means_other_tokens(settings):
    first = first_run.prepare().facts
    settings.JWT_KEYS = {"1": "another key, quite long enough to sign with"}
    assert first_run.prepare().facts.user_token != first.user_token


def test_chargers_at_the_house_csms_follow_it_to_another_port(settings):
    first = first_run.prepare().facts
    ac = demo_chargers()[0]
    Charger.objects.unscoped().filter(pk=ac.pk).update(ws_url="wss://csms.example/ocpp")
    settings.PUBLIC_URL = "http://127.0.0.1:9000"
    second = first_run.prepare().facts
    assert second.base_url == "http://127.0.0.1:9000"
    ac, dc = demo_chargers()
    assert ac.ws_url == "wss://csms.example/ocpp"
    assert dc.ws_url == second.house_csms_url == first.house_csms_url.replace(":8000", ":9000")
    assert dc.revision == 2  # its running machine has to connect anew


def test_a_lost_file_means_a_new_login_and_leaves_the_old_one_alone():
    first = first_run.prepare().facts
    first_run.path().unlink()
    second = first_run.prepare().facts
    assert second.login != first.login
    assert User.objects.get(username=first.login).check_password(first.password)
    assert len(demo_chargers()) == 2


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"base_url": "x"}'])
def test_a_damaged_file_is_written_anew(damage: str):
    first_run.prepare()
    first_run.path().write_text(damage)
    assert first_run.prepare().facts == first_run.read()


def test_deleted_demo_chargers_stay_deleted():
    first_run.prepare()
    Charger.objects.unscoped().all().delete()
    lab = first_run.prepare()
    assert lab.charger_id is None
    assert demo_chargers() == []
    assert "Ctrl-C stops." in welcome.text(lab)
