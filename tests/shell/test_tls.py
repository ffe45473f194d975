"""TLS contexts made of credentials: shared where they are the same, and nothing of a key left on a disk."""

import ssl
from pathlib import Path

import pytest

from simulator.core.credentials import Credentials
from simulator.shell.tls import context_for
from tests.pki import Authority


def credentials(**changes: object) -> Credentials:
    authority = Authority()
    client = authority.client("CP-1")
    known = {"roots": (authority.pem,), "certificate": client.certificate, "key": client.key}
    return Credentials(**{**known, **changes})  # type: ignore[arg-type]


def test_a_fleet_with_the_same_trust_shares_one_context() -> None:
    roots = (Authority().pem,)
    one, other = Credentials(2, roots=roots, authorization="a"), Credentials(2, roots=roots, authorization="b")
    assert context_for(one) is context_for(other)
    assert context_for(one) is not context_for(Credentials(2))


def test_host_names_and_versions_are_checked_unless_the_lab_says_otherwise() -> None:
    context = context_for(credentials())
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    lax = context_for(credentials(insecure=True))
    assert (lax.check_hostname, lax.verify_mode) == (False, ssl.CERT_NONE)


def test_a_key_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    context_for(credentials())
    context_for(credentials(expired=True))
    assert list(tmp_path.iterdir()) == []


def test_material_that_does_not_fit_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="certificates cannot be used"):
        context_for(credentials(key=Authority().client("CP-2").key))
