"""The demo organization of a first run, and the file that tells scripts how to reach it.

Everything here may be repeated: what is there is kept, what no longer works (a token, an address) is renewed.
"""

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chargers.models import Charger
from chargers.services.provisioning import update_charger
from locations.models import Location
from ocpplab import demo
from simulator.csms.services import endpoint_url, ensure_endpoint
from tenants import audit, tokens
from tenants.models import AccessToken, Membership, Organization, TokenRole, User
from tenants.scoping import scope

FILE = "first-run.json"
LOGIN = "demo"
ORGANIZATION = ("demo", "Demo Lab")
LABEL = "first run"  # of its tokens, and its name in the audit
RENEW_BEFORE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Facts:
    """What `first-run.json` holds, key by key."""

    base_url: str
    house_csms_url: str
    organization_id: str
    user_token: str
    admin_token: str
    login: str
    password: str


@dataclass(frozen=True, slots=True)
class Lab:
    """The facts, and the rows that the printed example works on. `charger_id` is None once all are deleted."""

    facts: Facts
    location_id: UUID
    charger_id: UUID | None


@transaction.atomic
def prepare() -> Lab:
    """Makes sure that there is a lab to sign in to, and that the file beside the database is true."""
    audit.act_as(audit.Actor(LABEL))
    known = read()
    slug, name = ORGANIZATION
    organization, is_new = Organization.objects.get_or_create(slug=slug, defaults={"name": name})
    ensure_endpoint(organization)
    house = endpoint_url(organization)
    with scope(organization):
        if is_new:
            demo.create_site(house)
        elif known and known.house_csms_url != house:
            move_chargers(known.house_csms_url, house)
        location = Location.objects.first() or demo.create_location()
        charger = Charger.objects.filter(ws_url=house).first() or Charger.objects.first()
    facts = refreshed(known, organization, house)
    if facts != known:
        write(facts)
    return Lab(facts, location.pk, charger.pk if charger else None)


def refreshed(known: Facts | None, organization: Organization, house: str) -> Facts:
    """The facts as they are now; login and password stay as first given."""
    if known is None or not User.objects.filter(username=known.login).exists():
        login, password = create_user()
    else:
        login, password = known.login, known.password
    user = User.objects.get(username=login)
    membership, _ = Membership.objects.get_or_create(user=user, organization=organization)
    user_token = kept(known.user_token, organization.pk) if known else None
    admin_token = kept(known.admin_token, None) if known else None
    return Facts(
        base_url=settings.PUBLIC_URL,
        house_csms_url=house,
        organization_id=str(organization.pk),
        user_token=user_token or issue_user_token(membership),
        admin_token=admin_token or tokens.issue(role=TokenRole.ADMIN, label=LABEL)[0],
        login=login,
        password=password,
    )


def issue_user_token(membership: Membership) -> str:
    organization = membership.organization
    return tokens.issue(role=TokenRole.USER, organization=organization, membership=membership, label=LABEL)[0]


def create_user() -> tuple[str, str]:
    """A person who may do everything in this lab. Somebody else's login of the same name is left alone."""
    login = LOGIN if not User.objects.filter(username=LOGIN).exists() else f"{LOGIN}-{secrets.token_hex(2)}"
    password = secrets.token_urlsafe(12)
    User.objects.create_superuser(login, email="", password=password)
    return login, password


def kept(text: str, organization_id: UUID | None) -> str | None:
    """The token if it still works for this organization (None: an admin's) and will for some days, else None."""
    try:
        claims = tokens.read(text)
    except (tokens.BadToken, tokens.MissingClaims):
        return None
    row = AccessToken.objects.filter(pk=claims.token_id).first()
    works = row is not None and row.is_live and row.expires_at > timezone.now() + RENEW_BEFORE
    return text if works and claims.organization_id == organization_id else None


def move_chargers(old: str, new: str) -> None:
    """Chargers at the house CSMS follow it to its new address: it has moved when the port has."""
    for charger in Charger.objects.select_related("model").filter(ws_url__startswith=old):
        update_charger(charger, {"ws_url": new + charger.ws_url.removeprefix(old)})


def path() -> Path:
    return Path(settings.DATA_DIR) / FILE


def read() -> Facts | None:
    """The facts of an earlier run; None when the file is missing, damaged or of another shape."""
    try:
        found = json.loads(path().read_text())
        return Facts(**{field.name: str(found[field.name]) for field in fields(Facts)})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(facts: Facts) -> None:
    """Replaces the file as a whole, readable by its owner only: it holds a password and two tokens."""
    fresh = path().with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(facts), file, indent=2)
        file.write("\n")
    fresh.replace(path())
