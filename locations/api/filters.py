"""What a list of locations can be narrowed and sorted by."""

import django_filters

from locations.models import LocationStatus
from ocpplab.api.filtering import StableOrdering, Truth, Word


class LocationFilter(django_filters.FilterSet):
    name = Word(lookup_expr="icontains", help_text="Part of the name, in any case of letters.")
    city = Word(lookup_expr="iexact", help_text="The city, in any case of letters.")
    country = Word(help_text="ISO 3166-1 alpha-2, such as FR.")
    status = django_filters.ChoiceFilter(choices=LocationStatus.choices)
    public = Truth(help_text="Shown to the public, or not.")
    ordering = StableOrdering(
        fields=[(name, name) for name in ("created_at", "updated_at", "name", "city", "country", "status")]
    )
