"""Why a connection did not come about, or ended: the code and the words that its station is told."""

import os
from socket import gaierror
from ssl import SSLCertVerificationError, SSLError

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.frames import CloseCode
from websockets.http11 import Response

from simulator.core.credentials import NO_CIPHER_SUITE, NO_TLS_VERSION

CUT_IN_TLS = "The CSMS ended the connection during the TLS handshake: does it speak TLS on this port?"
CUT_AFTER_TLS = (
    "The CSMS ended the connection right after the TLS handshake: it may want a client certificate that it accepts."
)
# OpenSSL's names for what one side or the other finds missing.
TLS_MISMATCHES = {
    "TLSV1_ALERT_PROTOCOL_VERSION": NO_TLS_VERSION,
    "UNSUPPORTED_PROTOCOL": NO_TLS_VERSION,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": NO_CIPHER_SUITE,
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": NO_CIPHER_SUITE,
}


def closing(client: ClientProtocol) -> tuple[int, str]:
    """Code and reason as the CSMS gave them, else as we did, else 1006 (RFC 6455, 7.1.5)."""
    if client.close_rcvd is not None:
        return client.close_rcvd.code, client.close_rcvd.reason
    if client.close_sent is not None:
        return client.close_sent.code, client.close_sent.reason
    return CloseCode.ABNORMAL_CLOSURE, "The connection ended without a close frame."


def refusal(problem: Exception | None, response: Response | None) -> tuple[int | None, str]:
    if isinstance(problem, InvalidStatus):
        status = problem.response.status_code
        told = f"HTTP {status} {problem.response.reason_phrase}".strip()
        why = ": the CSMS does not accept the charger's credentials." if status in (401, 403) else ""
        return status, told + why
    code = response.status_code if response is not None else None
    if isinstance(problem, InvalidHandshake):
        return code, f"The WebSocket handshake failed: {problem}."
    return code, "The connection ended before the WebSocket handshake was answered."


def words(error: OSError | UnicodeError) -> str:
    """What kept us from connecting, for the log of connections."""
    if isinstance(error, gaierror):
        return f"The CSMS's name cannot be resolved: {error.strerror}."
    if isinstance(error, SSLCertVerificationError):
        return f"The CSMS's certificate was refused: {error.verify_message.rstrip('.')}."
    if isinstance(error, SSLError):
        return _words_of_tls(error)
    if isinstance(error, ConnectionError) and not error.errno:
        return CUT_IN_TLS
    if isinstance(error, OSError) and error.errno:
        return f"{os.strerror(error.errno)}."
    return str(error) or type(error).__name__


def _words_of_tls(error: SSLError) -> str:
    reason = error.reason or ""
    if reason in TLS_MISMATCHES:
        return TLS_MISMATCHES[reason]
    if "ALERT_" in reason:
        told = reason.partition("ALERT_")[2].lower().replace("_", " ")
        return f"The CSMS ended the TLS handshake: {told}."
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return "The CSMS does not speak TLS on this port."
    return f"TLS failed: {reason.lower().replace('_', ' ') or error}."


def clipped(reason: str) -> str:
    """A close frame has room for 123 bytes of reason (RFC 6455, 5.5)."""
    return reason.encode()[:123].decode(errors="ignore")
