"""What staff can tell the chargers they ticked: the same fan-outs as the API's, one per location."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from unfold.forms import ActionForm

from chargers.models import Charger
from chargers.services import runtime
from chargers.services.commands import Fanout, Refusal, issue_fanout
from locations.models import Location
from ocpplab.api.errors import GatewayError
from tenants.admin.display import list_link
from tenants.scoping import scope

DEFAULT_ID_TAG = "TAG-RFID-001"
LONGEST_ID_TAG = 36
MOST_NAMED = 10
FAULT = "OverCurrentFailure"


@dataclass(frozen=True, slots=True)
class Order:
    """One entry of the list's action menu. `payload` is the command's body; switches have none."""

    event_type: str
    title: str
    icon: str
    payload: dict[str, Any] = field(default_factory=dict)
    is_switch: bool = False
    takes_id_tag: bool = False

    def send(self, location: Location, charger_ids: list[str], payload: dict[str, Any]) -> Fanout:
        if self.is_switch:
            return runtime.switch_fanout(location, self.event_type, charger_ids)
        return issue_fanout(location, self.event_type, payload, charger_ids)


ORDERS = (
    Order(runtime.START, "Start the machine", "play_arrow", is_switch=True),
    Order(runtime.STOP, "Stop the machine", "stop", is_switch=True),
    Order(runtime.RESET, "Restart the machine", "restart_alt", is_switch=True),
    Order("plug_connector", "Plug in connector 1", "power", {"connector_id": 1}),
    Order("unplug_connector", "Unplug connector 1", "power_off", {"connector_id": 1}),
    Order("start_session", "Start a session on connector 1", "bolt", {"connector_id": 1}, takes_id_tag=True),
    Order("stop_session", "Stop the session", "flash_off"),
    Order("inject_fault", f"Inject {FAULT}", "warning", {"fault_type": FAULT}),
    Order("clear_fault", "Clear faults", "check_circle"),
)


class OrderForm(ActionForm):  # type: ignore[misc]  # unfold ships no types
    """The action menu with the driver's token beside it, shown where an action takes one."""

    id_tag = forms.CharField(
        label="",
        required=False,
        max_length=LONGEST_ID_TAG,
        widget=forms.TextInput(
            {
                "placeholder": f"id tag, {DEFAULT_ID_TAG} if empty",
                "aria-label": "Id tag",
                "x-show": "action == 'start_session'",
                "class": "bg-white/20 px-2 py-1 rounded-default text-white placeholder-white/70",
                "style": "width: 15rem",
            }
        ),
    )


def action_of(order: Order) -> Callable[..., HttpResponse | None]:
    @admin.action(description=order.title, permissions=["change"])
    def act(model_admin: Any, request: HttpRequest, queryset: QuerySet[Charger]) -> HttpResponse | None:
        payload = dict(order.payload)
        if order.takes_id_tag:
            payload["id_tag"] = request.POST.get("id_tag", "").strip()[:LONGEST_ID_TAG] or DEFAULT_ID_TAG
        chargers = list(queryset.select_related("location"))
        report(model_admin, request, order, fan_out(order, chargers, payload))
        if "stay" in request.POST and len(chargers) == 1:
            return redirect("admin:chargers_charger_change", chargers[0].pk)
        return None

    act.__name__ = order.event_type
    return act


ACTIONS = [action_of(order) for order in ORDERS]


def fan_out(order: Order, chargers: Iterable[Charger], payload: dict[str, Any]) -> Fanout:
    """The services' own fan-out for each location, put together."""
    total = Fanout()
    places: dict[Any, list[Charger]] = {}
    for charger in chargers:
        places.setdefault(charger.location, []).append(charger)
    for location, group in places.items():
        try:
            with scope(location.tenant_id):
                part = order.send(location, [str(charger.pk) for charger in group], payload)
        except GatewayError as error:
            part = Fanout(failed=[Refusal(charger.identity, error.message) for charger in group])
        total.queued += part.queued
        total.failed += part.failed
    return total


def report(model_admin: Any, request: HttpRequest, order: Order, fanout: Fanout) -> None:
    if fanout.queued:
        single = {"charger__id__exact": fanout.queued[0].charger_id} if len(fanout.queued) == 1 else {}
        commands = list_link("chargers_chargercommand", "what becomes of it", **single)
        text = format_html("{}: {} command(s) written, see {}.", order.title, len(fanout.queued), commands)
        model_admin.message_user(request, text, messages.SUCCESS)
    for refusal in fanout.failed[:MOST_NAMED]:
        model_admin.message_user(request, refusal.error, messages.ERROR)
    if len(fanout.failed) > MOST_NAMED:
        model_admin.message_user(request, f"And {len(fanout.failed) - MOST_NAMED} more were refused.", messages.ERROR)
