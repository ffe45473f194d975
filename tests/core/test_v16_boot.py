"""OCPP 1.6: boot, registration, heartbeat (behaviour contract, section 2)."""

import json

from tests.core.rig import NOW, Rig


def answer_boot(status: str, interval: int) -> dict[str, object]:
    return {"status": status, "interval": interval, "currentTime": NOW}


def test_an_accepted_station_reports_itself_and_every_connector() -> None:
    rig = Rig().boot()
    assert rig.actions() == ["BootNotification", "0 Available", "1 Available", "2 Available"]


def test_heartbeats_come_at_the_interval_that_the_csms_gave() -> None:
    rig = Rig()
    rig.answers["BootNotification"] = answer_boot("Accepted", 30)
    rig.boot()
    rig.forget()
    rig.run(95)
    assert rig.actions() == ["Heartbeat"] * 3


def test_a_pending_station_sends_nothing_unasked_but_answers() -> None:
    rig = Rig()
    rig.answers["BootNotification"] = answer_boot("Pending", 60)
    rig.boot()
    assert rig.actions() == ["BootNotification"]
    assert rig.csms("GetConfiguration", key=["HeartbeatInterval"])["configurationKey"]
    assert rig.csms("RemoteStartTransaction", idTag="TAG", connectorId=1) == {"status": "Rejected"}
    rig.csms("TriggerMessage", requestedMessage="StatusNotification", connectorId=1)
    assert rig.actions() == ["BootNotification", "1 Available"]
    rig.answers["BootNotification"] = answer_boot("Accepted", 300)
    rig.csms("TriggerMessage", requestedMessage="BootNotification")
    assert rig.actions()[2:] == ["BootNotification", "0 Available", "1 Available", "2 Available"]


def test_a_rejected_station_keeps_silent_until_its_interval_is_over() -> None:
    rig = Rig()
    rig.answers["BootNotification"] = answer_boot("Rejected", 120)
    rig.boot()
    rig.station.receive(json.dumps([2, "x", "GetConfiguration", {}]), rig.now)
    rig.collect()
    rig.run(119)
    assert rig.actions() == ["BootNotification"]
    assert not [frame for frame in rig.frames if frame.message_id == "x" and frame.direction == "cp_to_csms"]
    rig.run(2)
    assert rig.actions() == ["BootNotification"] * 2


def test_a_reconnect_does_not_shorten_the_interval_of_a_rejection() -> None:
    rig = Rig()
    rig.answers["BootNotification"] = answer_boot("Rejected", 300)
    rig.boot()
    rig.drop()
    rig.reconnect()
    assert rig.actions() == ["BootNotification"]


def test_an_unanswered_boot_is_sent_again() -> None:
    rig = Rig()
    rig.answers["BootNotification"] = None
    rig.boot()
    rig.open_call = None
    rig.run(30 + 70)
    assert rig.actions().count("BootNotification") == 2


def test_a_reconnect_is_no_boot_and_tells_only_what_changed() -> None:
    rig = Rig().boot()
    rig.drop()
    rig.forget()
    rig.command("plug_connector", connector_id=2)
    rig.reconnect()
    assert rig.actions() == ["2 Preparing", "Heartbeat"]


def test_the_stations_clock_follows_the_csms() -> None:
    rig = Rig()
    rig.wall_shift = 5000.0
    rig.boot()
    assert rig.calls("StatusNotification")[0]["timestamp"].startswith("2026-04-02T09:15:0")


def test_back_off_doubles_and_stays_within_its_bounds() -> None:
    rig = Rig().boot()
    rig.drop()
    waits = []
    for _ in range(7):
        before = rig.mono
        rig.run_until(lambda: rig.station.wants_connection(rig.now))
        waits.append(rig.mono - before)
        rig.station.connecting(rig.now)
        rig.station.refused(rig.now, 503, "unavailable")
        rig.collect()
    for index, wait in enumerate(waits):
        least = 3 * 2 ** min(index, 4)
        assert least <= wait <= least + 11.1


def test_a_command_given_while_the_station_boots_waits_for_the_boot() -> None:
    rig = Rig()
    rig.station.power_up(rig.now)
    command = rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.connect()
    assert rig.outcome(command).state == "accepted"
    assert rig.calls("StartTransaction")
