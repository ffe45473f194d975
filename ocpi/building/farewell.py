"""Telling the peers of a CPO that it is gone, outside of every request, then clearing its last rows away."""

import logging
from concurrent.futures import ThreadPoolExecutor

from django.db import close_old_connections, transaction

from ocpi.building.dismantling import dismantle
from ocpi.models import Cpo, Peer, PeerState
from ocpi.peer import handshake
from tenants.scoping import scope

logger = logging.getLogger(__name__)
AT_ONCE = 8  # peers told at a time: a dead one takes its whole patience, and delays no other CPO's end


def finish(cpo: Cpo) -> None:
    """In a worker: may take as long as the slowest peer, hence not in the thread that builds."""
    with scope(cpo.tenant_id):  # type: ignore[arg-type]
        dismantle(cpo)
        peers = list(Peer.objects.filter(cpo=cpo).exclude(state=PeerState.UNREGISTERED))
    if peers:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="farewell") as threads:
            list(threads.map(_tell, peers))
    with scope(cpo.tenant_id), transaction.atomic():  # type: ignore[arg-type]
        rows = Cpo.objects.filter(pk=cpo.pk, destroyed_at__isnull=False)
        list(rows.select_for_update().values_list("pk"))  # what is recorded of it meanwhile waits
        rows.delete()


def _tell(peer: Peer) -> None:
    """Best effort (OCPI contract 16): it is unregistered here first, whatever it answers."""
    close_old_connections()
    try:
        with scope(peer.tenant_id):  # type: ignore[arg-type]
            handshake.unregister(peer)
    except Exception:
        logger.warning("peer not told of the end of its CPO", extra={"peer": peer.pk}, exc_info=True)
    finally:
        close_old_connections()
