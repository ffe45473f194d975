"""Secrets at rest: sealed with the first key, readable with any, and with no other."""

from typing import Any

import pytest

from ocpplab import sealing


def test_a_secret_comes_back_and_does_not_show() -> None:
    sealed = sealing.seal("correct horse — battery")
    assert "horse" not in sealed
    assert sealing.seal("correct horse — battery") != sealed
    assert sealing.unseal(sealed) == "correct horse — battery"


def test_a_key_is_rotated_by_putting_a_new_one_in_front(settings: Any) -> None:
    settings.SEALING_KEYS = ["old" * 12]
    sealed = sealing.seal("secret")
    settings.SEALING_KEYS = ["new" * 12, "old" * 12]
    assert sealing.unseal(sealed) == "secret"
    fresh = sealing.seal("secret")
    settings.SEALING_KEYS = ["new" * 12]
    assert sealing.unseal(fresh) == "secret"
    with pytest.raises(sealing.Unsealable, match="SEALING_KEYS"):
        sealing.unseal(sealed)


@pytest.mark.parametrize("text", ["", "nonsense", "gAAAAA", "ä"])
def test_what_was_never_sealed_is_refused(text: str) -> None:
    with pytest.raises(sealing.Unsealable):
        sealing.unseal(text)
