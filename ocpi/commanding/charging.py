"""START_SESSION, STOP_SESSION and UNLOCK_CONNECTOR."""

from chargers.back_office import back_office
from chargers.models import Connector
from ocpi.commanding import targets, wording
from ocpi.commanding.answers import Answer, Asked, Declined, accepted
from ocpi.cpo_settings import setting
from ocpi.models import Evse


def start(asked: Asked) -> Answer:
    """The token is taken as authorized: it need not be known, and nobody is asked about it."""
    targets.check_token(asked)
    evse = targets.evse_of(asked, "REMOTE_START_STOP_CAPABLE")
    token = asked.body["token"]
    id_tag = wording.id_tag(evse, token["uid"])
    if targets.is_external(evse.cpo):
        # Without a cable the driver would present the card in vain until one is plugged in, as in the other way.
        act = "start_session" if setting(evse.cpo, "auto_plug") else "present_tag"
        way = targets.act(evse, act, {"id_tag": id_tag, "connector_id": evse.outlet_evse})
    else:
        way = targets.call(evse, *wording.start(evse, token, back_office().next_number(evse.cpo.csms_endpoint or 0)))
    return accepted(
        asked,
        evse=evse,
        token=token,
        id_tag=id_tag,
        authorization_reference=asked.body.get("authorization_reference") or "",
        had_car=_has_car(evse),
        **way,
    )


def _has_car(evse: Evse) -> bool:
    """Whether a cable seems to be plugged in already, as the outlet's status tells it."""
    rows = Connector.objects.filter(charger=evse.charger, evse_id=evse.outlet_evse, connector_id=evse.outlet_connector)
    return not rows.filter(status__in=["Available", "Reserved"]).exists()


def stop(asked: Asked) -> Answer:
    session = targets.session_of(asked)
    evse, transaction = session.evse, session.transaction
    assert evse is not None
    assert transaction is not None
    transaction_id = transaction.transaction_id or ""
    if targets.is_external(evse.cpo):
        way = targets.act(evse, "stop_transaction", {"transaction_id": transaction_id})
    elif wording.is_v16(evse) and not transaction_id.lstrip("-").isdigit():
        raise Declined("REJECTED", "The charger has no number for this session yet.")
    else:
        way = targets.call(evse, *wording.stop(evse, transaction_id))
    return accepted(asked, evse=evse, session=session, **way)


def unlock(asked: Asked) -> Answer:
    evse = targets.evse_of(asked, "UNLOCK_CAPABLE")
    if targets.is_external(evse.cpo):
        way = targets.act(evse, "unlock_connector", {"connector_id": evse.outlet_evse})
    else:
        way = targets.call(evse, *wording.unlock(evse))
    return accepted(asked, evse=evse, **way)
