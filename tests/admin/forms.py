"""A form of the admin as a browser would send it back."""

from typing import Any

from django.test import Client


def form_values(client: Client, url: str) -> dict[str, Any]:
    """Every field of the page with its present value, inline ones included."""
    context = client.get(url).context
    values = bound_values(context["adminform"].form)
    for inline in context["inline_admin_formsets"]:
        values |= bound_values(inline.formset.management_form)
        for form in inline.formset.forms:
            values |= bound_values(form)
    return values


def bound_values(form: Any) -> dict[str, Any]:
    values = {form.add_prefix(name): form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in values.items() if value is not False}
