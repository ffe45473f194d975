"""Old exchanges go; what is recent, or still waits, stays."""

from datetime import timedelta

from django.utils import timezone

from ocpi import pruning
from ocpi.models import Exchange, Push, PushState
from tenants.scoping import scope
from tests.ocpi.conftest import Visitor


def test_exchanges_and_finished_pushes_are_forgotten_after_the_retention(visitor: Visitor) -> None:
    old = timezone.now() - timedelta(days=31)
    visitor.get("/locations")
    visitor.get("/tariffs")
    with scope(visitor.cpo.tenant_id):
        Exchange.objects.filter(module="locations").update(at=old)
        for number, state in enumerate((PushState.DELIVERED, PushState.WAITING)):
            Push.objects.create(
                cpo=visitor.cpo, peer=visitor.peer, subject=f"cdr:{number}", method="POST", plan="result",
                state=state, due_at=old, finished_at=old,
            )  # fmt: skip
    assert pruning.prune() == 2
    with scope(visitor.cpo.tenant_id):
        assert [one.module for one in Exchange.objects.all()] == ["tariffs"]
        assert [one.state for one in Push.objects.all()] == [PushState.WAITING]
