"""`manage.py revoke_token TOKEN`: takes a token back, given as the token itself or as its id."""

from typing import Any
from uuid import UUID

import jwt
from django.core.management.base import CommandError, CommandParser

from tenants import tokens
from tenants.management.by_hand import CommandByHand
from tenants.models import AccessToken


class Command(CommandByHand):
    help = "Takes a bearer token back; requests with it are answered 401 from then on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("token", help="The token, or its id.")

    def handle(self, *args: Any, **options: Any) -> None:
        row = AccessToken.objects.filter(pk=self.token_id(options["token"].strip())).first()
        if row is None:
            raise CommandError("No such token.")
        revoked = tokens.revoke(row)
        self.stdout.write(f"{row}: {'revoked' if revoked else 'was revoked before'}.")

    def token_id(self, text: str) -> UUID:
        """From the token's own claims, expired or not: taking back needs no valid signature."""
        try:
            if text.count(".") == 2:
                text = str(jwt.decode(text, options={"verify_signature": False}).get("jti"))
            return UUID(text)
        except (jwt.PyJWTError, ValueError):
            raise CommandError("This is neither a token nor a token's id.") from None
