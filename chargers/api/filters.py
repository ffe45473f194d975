"""What lists of chargers, commands and transactions can be narrowed and sorted by."""

import django_filters
from django.db.models import QuerySet

from chargers.models import Charger, CommandState, ConnectionStatus, OcppVersion, ProvisioningStatus, Run
from chargers.services.lookup import as_id
from ocpplab.api.filtering import StableOrdering, Truth, Word


class FleetFilter(django_filters.FilterSet):
    """For the chargers of one location."""

    identity = Word(lookup_expr="icontains", help_text="Part of the identity, in any case of letters.")
    status = django_filters.ChoiceFilter(choices=ProvisioningStatus.choices)
    connection_status = django_filters.ChoiceFilter(choices=ConnectionStatus.choices)
    ocpp_version = django_filters.ChoiceFilter(choices=OcppVersion.choices)
    brand_slug = Word(field_name="model__brand__slug", help_text="A brand of the catalog.")
    model_slug = Word(field_name="model__slug", help_text="A model of the catalog.")
    ordering = StableOrdering(
        fields=[
            (name, name)
            for name in ("created_at", "updated_at", "identity", "name", "status", "connection_status", "ocpp_version")
        ]
    )


class ChargerFilter(FleetFilter):
    location_id = Word(method="of_location", help_text="Only chargers of this location.")

    def of_location(self, chargers: QuerySet[Charger], name: str, value: str) -> QuerySet[Charger]:
        key = as_id(value)
        return chargers.filter(location=key) if key else chargers.none()


class CommandFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=CommandState.choices)
    event_type = Word(help_text="Such as start_session.")
    ordering = StableOrdering(fields=[(name, name) for name in ("created_at", "finished_at", "state", "event_type")])


class RunFilter(django_filters.FilterSet):
    name = Word(help_text="Exactly so.")
    is_baseline = Truth(method="marked", help_text="Marked as a baseline, or not.")
    ordering = StableOrdering(fields=[(name, name) for name in ("created_at", "started_at", "finished_at", "name")])

    def marked(self, runs: QuerySet[Run], name: str, value: bool) -> QuerySet[Run]:
        return runs.filter(baseline_at__isnull=not value)


class TransactionFilter(django_filters.FilterSet):
    transaction_id = Word(help_text="OCPP's id: the CSMS's number in 1.6, the station's UUID in 2.0.1.")
    id_tag = Word(help_text="The driver's token.")
    running = Truth(field_name="ended_at", lookup_expr="isnull", help_text="Still running, or not.")
    ordering = StableOrdering(fields=[(name, name) for name in ("started_at", "ended_at")])
