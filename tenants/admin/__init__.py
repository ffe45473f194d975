"""The admin: its base classes for every room's tables, and the tables of this room.

Staff see the rows of all organizations, within Django's permissions. Whatever they write leaves an audit row.
"""

from tenants.admin import history, organizations, people, tokens
from tenants.admin.base import ReadOnlyAdmin, StaffAdmin, TenantAdmin, TenantForm
from tenants.admin.filters import RelatedFilter
from tenants.admin.keyset import KeysetAdmin

__all__ = [
    "KeysetAdmin",
    "ReadOnlyAdmin",
    "RelatedFilter",
    "StaffAdmin",
    "TenantAdmin",
    "TenantForm",
    "history",
    "organizations",
    "people",
    "tokens",
]
