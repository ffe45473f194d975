"""`manage.py diff_runs BASELINE RUN`: what is different in the run; for scripts that must know by the exit code."""

import json
import sys
from argparse import ArgumentTypeError
from math import isfinite
from typing import Any

import django.db
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chargers.api.run_serializers import KINDS, diff_answer
from chargers.models import Run, RunFrame
from chargers.services.lookup import as_id
from chargers.services.run_diff import ABSENT, ChargerDiff, FrameChange, RunDiff, Terms, diff
from chargers.services.runs import finished, named_run
from ocpplab.api.errors import GatewayError
from tenants.models import Organization
from tenants.scoping import scope

SAME, DIFFERENT, WRONG_USE = 0, 1, 2
DEFAULT_LIMIT = 20


def percent(text: str) -> float:
    value = float(text)
    if not (isfinite(value) and 0 <= value <= 100):
        raise ArgumentTypeError("a number from 0 to 100")
    return value


class Command(BaseCommand):
    help = (
        "Compares a run with a baseline, both by id or name (a name means its newest run). "
        "Exit code: 0 the same, 1 different, 2 wrong use."
    )

    requires_system_checks = ()  # a doubtful setting is none of its business, nor a difference

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("baseline", help="id or name")
        parser.add_argument("run", help="id or name")
        parser.add_argument("--organization", metavar="SLUG", help="whose runs; needed for names if there are several")
        parser.add_argument(
            "--tolerance", type=percent, default=5.0, help="percent by which measured values may differ"
        )
        parser.add_argument(
            "--ignore", action="append", default=[], metavar="ACTION", help="comma-separated or repeated"
        )
        parser.add_argument("--limit", type=int, default=DEFAULT_LIMIT, help="frames shown per charger and kind")
        parser.add_argument("--json", action="store_true", help="the answer of GET /runs/{id}/diff")

    def handle(self, *args: Any, **options: Any) -> None:
        terms = Terms.worded(options["tolerance"], ",".join(options["ignore"]))
        try:
            with scope(self.organization(options)):
                baseline, run = named_run(options["baseline"]), named_run(options["run"])
                found = diff(finished(run), finished(baseline), terms)
        except (GatewayError, django.db.Error) as error:  # never mistaken for a difference
            raise CommandError(str(error), returncode=WRONG_USE) from None
        limit = max(options["limit"], 0)
        if options["json"]:
            self.stdout.write(json.dumps(diff_answer(run, baseline, terms, found, limit), indent=2))
        else:
            self.tell(run, baseline, found, limit)
        if not found.is_same:
            sys.exit(DIFFERENT)

    def organization(self, options: dict[str, Any]) -> Organization:
        if slug := options["organization"]:
            found = Organization.objects.filter(slug=slug).first()
            if found is None:
                raise CommandError(f"No organization has the slug {slug}.", returncode=WRONG_USE)
            return found
        key = as_id(options["run"])
        if key and (run := Run.objects.unscoped().filter(pk=key).select_related("tenant").first()):
            return run.tenant
        several = list(Organization.objects.all()[:2])
        if len(several) != 1:
            raise CommandError("Whose runs? Name the organization: --organization SLUG.", returncode=WRONG_USE)
        return several[0]

    def tell(self, run: Run, baseline: Run, found: RunDiff, limit: int) -> None:
        for charger in found.chargers:
            self.tell_charger(charger, limit)
        for identity in found.only_in_run:
            self.stdout.write(f"{identity}: only in {run.name}")
        for identity in found.only_in_baseline:
            self.stdout.write(f"{identity}: only in {baseline.name}")
        verdict = "the same as" if found.is_same else "different from"
        self.stdout.write(f"{run.name} is {verdict} {baseline.name}.")

    def tell_charger(self, found: ChargerDiff, limit: int) -> None:
        name = found.identity
        name += f" (baseline: {found.baseline_identity})" if found.baseline_identity != found.identity else ""
        numbers = [f"{len(frames)} {kind}" for kind in KINDS if (frames := getattr(found, kind))]
        self.stdout.write(f"{name}: {', '.join(numbers) or 'the same'}")
        for sign, frames in (("+", found.added), ("-", found.missing)):
            for frame in frames[:limit]:
                self.stdout.write(f"  {sign} {_line(frame)}")
        for sign, changes in (("^", found.reordered), ("~", found.changed)):
            for change in changes[:limit]:
                self.tell_change(sign, change)

    def tell_change(self, sign: str, change: FrameChange) -> None:
        self.stdout.write(f"  {sign} {_line(change.new)}, in the baseline {change.old.entry_id}")
        for field in change.fields:
            self.stdout.write(f"      {field.path or 'payload'}: {_shown(field.old)} -> {_shown(field.new)}")


def _line(frame: RunFrame) -> str:
    return f"{frame.direction} {frame.message_type} {frame.action} ({frame.entry_id}, {frame.offset_ms / 1000:.1f} s)"


def _shown(value: Any) -> str:
    return "absent" if value is ABSENT else json.dumps(value)
