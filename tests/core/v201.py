"""What tests of a 2.0.1 station say over and over."""

from typing import Any

from tests.core.rig import Rig

TOKEN = {"idToken": "04A2B3", "type": "ISO14443"}


def station(**settings: str) -> Rig:
    """A booted 2.0.1 station; settings are TxCtrlr's, by variable."""
    rig = Rig("ocpp2.0.1").boot()
    configure(rig, {f"TxCtrlr.{name}": value for name, value in settings.items()})
    rig.forget()
    return rig


def configure(rig: Rig, settings: dict[str, str]) -> None:
    if settings:
        outcome = rig.outcome(rig.command("update_configuration", configuration=settings))
        assert outcome.result is not None
        assert outcome.result["status"] == "Accepted", outcome.result


def events(rig: Rig) -> list[dict[str, Any]]:
    return rig.calls("TransactionEvent")


def story(rig: Rig) -> list[str]:
    """Each event as `type trigger state`."""
    return [
        f"{one['eventType']} {one['triggerReason']} {one['transactionInfo'].get('chargingState')}"
        for one in events(rig)
    ]


def entry(name: str, **more: Any) -> dict[str, Any]:
    component, _, variable = name.partition(".")
    return {"component": {"name": component}, "variable": {"name": variable}, **more}


def got(rig: Rig, *entries: dict[str, Any]) -> list[tuple[str, str | None]]:
    results = rig.csms("GetVariables", getVariableData=list(entries))["getVariableResult"]
    return [(one["attributeStatus"], one.get("attributeValue")) for one in results]
