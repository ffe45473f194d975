"""Locations in the admin; every write goes through the services of the API."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminAutocompleteModelChoiceFieldWidget, UnfoldAdminSelect2Widget

from locations import services
from locations.models import Location
from locations.places import countries, timezones
from tenants.admin import RelatedFilter, TenantAdmin, TenantForm
from tenants.admin.base import ADD, CHANGE, DELETE, adopt
from tenants.admin.display import list_link
from tenants.scoping import scope
