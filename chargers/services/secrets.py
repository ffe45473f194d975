"""Secrets inside commands: the configuration an installer sends may hold a password, which no row may hold in clear."""

from collections.abc import Callable, Mapping
from typing import Any

from ocpplab import sealing
from simulator.core import rpc


def sealed(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload as it is stored."""
    return _with_secrets(payload, sealing.seal)


def opened(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload as the station gets it; a secret that cannot be unsealed any more is empty."""
    return _with_secrets(payload, _unsealed)


def masked(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload as readers see it."""
    return _with_secrets(payload, lambda _: rpc.MASK)


def _unsealed(text: str) -> str:
    try:
        return sealing.unseal(text)
    except sealing.Unsealable:
        return ""


def _with_secrets(payload: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    configuration = payload.get("configuration")
    if not isinstance(configuration, Mapping):
        return dict(payload)
    changed = {key: change(value) if _is_secret(key) else value for key, value in configuration.items()}
    return {**payload, "configuration": changed}


def _is_secret(key: str) -> bool:
    """1.6 names the key, 2.0.1 `Component.Variable`."""
    return key.rpartition(".")[2].lower() in rpc.SECRETS
