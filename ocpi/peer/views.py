"""What every view of the peer surface does: who calls, in which version, may it, and the answer in its envelope."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from ocpi.models import Exchange, Peer
from ocpi.peer import links
from ocpi.peer.authentication import Caller, authenticate
from ocpi.protocol import bodies, routing
from ocpi.protocol.envelope import (
    UNSUPPORTED_VERSION,
    Answer,
    Missing,
    NotAllowed,
    Refusal,
    ServerFault,
    Unauthorized,
    response,
)
from ocpi.protocol.masking import masked
from ocpi.protocol.versions import BINDINGS, Binding
from ocpplab.api.bodies import TOO_LARGE
from tenants.scoping import scope

logger = logging.getLogger(__name__)
CRASHED = "Internal error. It was logged; repeating the request may help."
WITH_BODY = ("POST", "PUT", "PATCH")
LONGEST_PROBLEM = 300


@dataclass(slots=True)
class Conversation:
    """One request while it is being answered. `version` is None on the versions endpoint."""

    request: HttpRequest
    caller: Caller
    version: Binding | None
    ids: routing.MessageIds

    @property
    def binding(self) -> Binding:
        assert self.version is not None, "only the versions endpoint has no version"
        return self.version

    @property
    def peer(self) -> Peer:
        assert self.caller.peer is not None, "Token A opens no module"
        return self.caller.peer

    def body(self) -> Any:
        return bodies.parsed(self.request)


Handler = Callable[..., Answer]


@method_decorator(csrf_exempt, name="dispatch")
class PeerView(View):
    """A subclass has a method per HTTP method, named like it in lower case: (conversation, **url) -> Answer.

    `module` names what it belongs to. Where `opens_with_token_a` is False only registered peers come in.
    """

    module: ClassVar[str] = ""
    opens_with_token_a: ClassVar[bool] = False
    offered: ClassVar[tuple[str, ...]] = ("GET", "POST", "PUT", "PATCH", "DELETE")

    def dispatch(self, request: HttpRequest, *args: Any, **url: Any) -> HttpResponse:
        cpo_id, version = int(url.pop("cpo_id")), url.pop("version", None)
        started = time.perf_counter()
        try:
            caller = authenticate(request, cpo_id, version)
        except Refusal as refusal:
            return response(refusal.answer, routing.echoed(request, version))
        except Exception:
            logger.exception("ocpi request failed")
            return response(ServerFault(CRASHED, http=500).answer)
        with scope(caller.cpo.tenant_id):  # type: ignore[arg-type]
            talk = Conversation(request, caller, BINDINGS.get(version or ""), routing.MessageIds.of(request))
            answer = self.answer(talk, version, url)
            made = response(answer, self.headers(talk))
            self.record(talk, answer, made, started)
            return made

    def answer(self, talk: Conversation, version: str | None, url: dict[str, Any]) -> Answer:
        """Never raises: whatever goes wrong is an answer too."""
        try:
            handler = self.handler(talk, version)
            if any("\x00" in one for one in url.values()):
                raise Missing("No id holds NUL.")  # PostgreSQL refuses to look for one
            return handler(talk, **url)
        except Refusal as refusal:
            return refusal.answer
        except RequestDataTooBig:
            return Refusal(TOO_LARGE, http=413).answer
        except Exception:
            logger.exception("ocpi request failed", extra={"cpo": talk.caller.cpo.pk, "path": talk.request.path})
            return ServerFault(CRASHED, http=500).answer

    def handler(self, talk: Conversation, version: str | None) -> Handler:
        if version is not None and version not in talk.caller.cpo.offered:
            raise Missing(f"Version {version} is not offered here.", status_code=UNSUPPORTED_VERSION)
        if not (talk.caller.is_registered or self.opens_with_token_a):
            raise Unauthorized("Token A opens versions and credentials only.")
        if talk.version is not None and self.module and self.module not in talk.version.modules:
            raise Missing(f"Version {version} has no module {self.module}.")
        method = talk.request.method or ""
        handler = getattr(self, method.lower(), None) if method in self.offered else None
        if handler is None:
            raise NotAllowed(self.allowed())
        if self.is_routed(talk):
            routing.check_to(talk.request, talk.caller.cpo)
        found: Handler = handler
        return found

    def allowed(self) -> list[str]:
        return [name for name in self.offered if hasattr(self, name.lower())]

    def is_routed(self, talk: Conversation) -> bool:
        return talk.version is not None and talk.version.routes and self.module not in routing.UNROUTED

    def headers(self, talk: Conversation) -> dict[str, str]:
        """2.1.1 has none of these. Before the version is known, whoever sends ids gets them back."""
        if talk.version is None or not talk.version.routes:
            return routing.echoed(talk.request, talk.version.number if talk.version else None)
        headers = talk.ids.headers()
        peer = talk.caller.peer
        if self.is_routed(talk) and peer is not None and peer.roles:
            headers |= routing.answer_headers(talk.caller.cpo, routing.from_party(talk.request, peer))
        return headers

    def record(self, talk: Conversation, answer: Answer, made: HttpResponse, started: float) -> None:
        """Keeps the exchange, without tokens. An answer is not withheld because the record of it failed."""
        secrets = (talk.caller.token,)
        request = talk.request
        try:
            sent = request.body.decode("utf-8", "replace") if request.method in WITH_BODY else ""
            Exchange.objects.create(
                cpo=talk.caller.cpo,
                peer=talk.caller.peer,
                direction=Exchange.INCOMING,
                at=timezone.now(),
                method=(request.method or "")[:8],
                url=masked(links.public_url(request.get_full_path()), secrets)[:1000],
                module=self.module or "versions",
                request_body=masked(sent, secrets),
                response_body=masked(made.content.decode(), secrets),
                http_status=answer.http,
                status_code=answer.status_code,
                problem="" if answer.status_code < 2000 else masked(answer.message, secrets)[:LONGEST_PROBLEM],
                duration=(time.perf_counter() - started) * 1000,
                request_id=masked(talk.ids.request_id),
                correlation_id=masked(talk.ids.correlation_id),
            )
        except Exception:
            logger.exception("ocpi exchange not recorded", extra={"cpo": talk.caller.cpo.pk})


class UnknownPath(PeerView):
    """Everything else below a CPO's address."""

    opens_with_token_a = True

    def handler(self, talk: Conversation, version: str | None) -> Handler:
        raise Missing(f"No such path: {talk.request.path}.")
