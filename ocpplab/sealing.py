"""Secrets at rest: texts that only this installation can read again, whoever reads the database or the spool.

The keys are made from `SEALING_KEYS`, which stand outside the database. The first one seals; all of them unseal, so
that a key is rotated by putting a new one in front.
"""

from base64 import urlsafe_b64encode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"ocpplab: secrets at rest"  # keeps these keys apart from others made of the same secret


class Unsealable(ValueError):
    """The text was not sealed with any key of this installation, or was damaged."""


def seal(text: str) -> str:
    """The text as it may be stored: printable, different each time, about a third longer plus 100 characters."""
    return _keys(tuple(settings.SEALING_KEYS)).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """The text that was sealed. Raises Unsealable."""
    try:
        return _keys(tuple(settings.SEALING_KEYS)).decrypt(sealed.encode()).decode()
    except (InvalidToken, UnicodeError):
        raise Unsealable(
            "A stored secret cannot be read: it was sealed with another key. "
            "Put the former SECRET_KEY or sealing key into SEALING_KEYS, or set the secret anew."
        ) from None


@lru_cache(maxsize=4)
def _keys(secrets: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derived(secret)) for secret in secrets])


def _derived(secret: str) -> bytes:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret.encode())
    return urlsafe_b64encode(key)
