"""What tells the route families apart: the shape of an answer, never the work (gateway contract, section 16)."""

from dataclasses import dataclass

from chargers.api import answers


@dataclass(frozen=True, slots=True)
class Family:
    """`prefix` stands before paths, also in bodies. `command` shows a command to one charger.

    In a durable family creation is answered 202 before the work, with a URL to poll; else 201 after it.
    """

    prefix: str
    command: answers.Answer
    is_durable: bool

    def path(self, route: str) -> str:
        """A path for bodies, such as `/ocpp/chargers/…/status`."""
        return f"{self.prefix}/{route}"


CANONICAL = Family("", answers.QUEUED, is_durable=False)
OCPP = Family("/ocpp", answers.FANOUT_OF_ONE, is_durable=True)
