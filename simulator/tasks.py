"""Repairs that beat asks for. Nodes look after themselves and their shards; this is for what no node holds."""

from celery import shared_task

from simulator.shell import inbox, leases


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def repair() -> None:
    """Ends commands that nobody will finish any more and forgets nodes that died without a successor on their host."""
    inbox.time_out_forgotten()
    leases.forget_dead_nodes()
