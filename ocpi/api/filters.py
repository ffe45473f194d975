"""Filters of the lists of a CPO."""

import django_filters

from ocpi.models import Exchange
from ocpplab.api.filtering import At, Truth, Word


class ExchangeFilter(django_filters.FilterSet):
    direction = django_filters.ChoiceFilter(choices=[(one, one) for one in (Exchange.INCOMING, Exchange.OUTGOING)])
    module = Word(field_name="module", help_text="Such as locations or sessions.")
    method = Word(field_name="method", lookup_expr="iexact")
    peer_id = django_filters.NumberFilter(field_name="peer", min_value=0, max_value=2**63 - 1)
    status_code = django_filters.NumberFilter(field_name="status_code", min_value=0, max_value=9999)
    correlation_id = Word(field_name="correlation_id")
    since = At(field_name="at", lookup_expr="gte", help_text="Inclusive.")
    until = At(field_name="at", lookup_expr="lte", help_text="Inclusive.")


class DriverTokenFilter(django_filters.FilterSet):
    uid = Word(field_name="key_uid", lookup_expr="iexact")
    type = Word(field_name="type")
    valid = Truth(field_name="valid")
    whitelist = Word(field_name="whitelist")


class CdrFilter(django_filters.FilterSet):
    session_id = Word(field_name="session__session_id")
    peer_id = django_filters.NumberFilter(field_name="peer", min_value=0, max_value=2**63 - 1)
    credit = Truth(field_name="credit")
