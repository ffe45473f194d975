"""OCPI in the admin: templates, bundles, and what passed between them and their peers."""

from ocpi.admin import bundles, presets, records

__all__ = ["bundles", "presets", "records"]
