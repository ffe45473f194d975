"""`manage.py issue_token`: prints a bearer token and nothing else."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from tenants import tokens
from tenants.lifetimes import lifetime
from tenants.management.by_hand import CommandByHand
from tenants.models import Membership, Organization, TokenRole


class Command(CommandByHand):
    help = "Prints a bearer token: --role user --organization SLUG, or --role admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--role", choices=TokenRole.values, default=TokenRole.USER)
        parser.add_argument("--organization", metavar="SLUG", help="Whose data a user token sees.")
        parser.add_argument("--member", metavar="USERNAME", help="Binds the token to a membership and its role.")
        parser.add_argument("--expires-in", default="90d", metavar="TIME", help="Such as 3600, 12h or 30d.")
        parser.add_argument("--label", default="", help="A name to find the token by.")

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["role"] == TokenRole.USER) != bool(options["organization"]):
            raise CommandError("A user token needs --organization SLUG; an admin token takes none.")
        organization = self.organization(options["organization"])
        try:
            until = lifetime(options["expires_in"])
        except ValueError as error:
            raise CommandError(f"--expires-in: {error}") from None
        text, _ = tokens.issue(
            role=options["role"],
            organization=organization,
            membership=self.membership(organization, options["member"]),
            lifetime=until,
            label=options["label"][:120],
        )
        self.stdout.write(text)

    def organization(self, slug: str | None) -> Organization | None:
        if slug is None:
            return None
        organization = Organization.objects.filter(slug=slug).first()
        if organization is None:
            known = ", ".join(Organization.objects.values_list("slug", flat=True)[:20])
            raise CommandError(f"No organization has the slug {slug}. There are: {known or 'none yet'}.")
        return organization

    def membership(self, organization: Organization | None, username: str | None) -> Membership | None:
        if username is None:
            return None
        if organization is None:
            raise CommandError("--member needs --organization.")
        found = organization.memberships.filter(user__username=username).first()
        if found is None:
            raise CommandError(f"{username} is no member of {organization.slug}.")
        return found
