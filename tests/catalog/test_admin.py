"""The catalog in the admin: staff see pictures, edit, and cannot delete what is in use."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import Brand, ChargerModel
from catalog.services import find_model, seed_catalog
from chargers.models import Charger
from tenants.models import AuditEntry, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("sam", password="x"))
    return client


@pytest.fixture
def terra(db: None) -> ChargerModel:
    seed_catalog()
    model = find_model("abb", "terra-184")
    assert model is not None
    return model


def change_url(row: Brand | ChargerModel, page: str = "change") -> str:
    return reverse(f"admin:catalog_{row._meta.model_name}_{page}", args=[row.pk])


def form_of(staff: Client, row: Brand | ChargerModel) -> dict[str, Any]:
    """The change form's fields as a browser would send them back, hidden ones included."""
    form = staff.get(change_url(row)).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    values |= {f"initial-{name}": form[name].value() for name in form.fields if form.fields[name].show_hidden_initial}
    return {name: "" if value is None else value for name, value in values.items() if value is not False}


def test_lists_show_pictures_and_can_be_filtered_and_searched(staff: Client, terra: ChargerModel):
    url = reverse("admin:catalog_chargermodel_changelist")
    page = staff.get(url, {"connector_type": "NACS", "q": "supernova", "ocpp_version": "OCPP1.6"})
    text = page.content.decode()
    assert page.status_code == 200
    assert "/static/catalog/wallbox/wallbox-supernova-180.svg" in text
    assert "terra-184" not in text
    assert staff.get(reverse("admin:catalog_brand_changelist")).status_code == 200


def test_an_edit_makes_the_row_staffs_own_and_is_audited(staff: Client, terra: ChargerModel):
    response = staff.post(change_url(terra), {**form_of(staff, terra), "name": "Terra of the lab"})
    assert response.status_code == 302, response.context["errors"]
    terra.refresh_from_db()
    assert (terra.name, terra.edited_by_staff) == ("Terra of the lab", True)
    entry = AuditEntry.objects.get(verb="edit_catalog")
    assert (entry.actor, entry.object_id, entry.summary) == ("sam", str(terra.pk), "name")
    assert seed_catalog().kept == ["abb/terra-184"]


def test_an_edit_obeys_the_rules_of_the_data_files(staff: Client, terra: ChargerModel):
    response = staff.post(change_url(terra), {**form_of(staff, terra), "ocpp_versions": '["1.6"]'})
    assert response.status_code == 200
    assert "is not one of OCPP1.6, OCPP2.0.1" in str(response.context["errors"])


def test_a_brand_is_edited_too(staff: Client, terra: ChargerModel):
    response = staff.post(change_url(terra.brand), {**form_of(staff, terra.brand), "name": "ABB of the lab"})
    assert response.status_code == 302
    assert Brand.objects.get(slug="abb").edited_by_staff


def test_edited_rows_can_be_handed_back(staff: Client, terra: ChargerModel):
    ChargerModel.objects.filter(pk=terra.pk).update(edited_by_staff=True, name="Mine")
    url = reverse("admin:catalog_chargermodel_changelist")
    staff.post(url, {"action": "hand_back", "_selected_action": [str(terra.pk)]})
    assert seed_catalog().updated == ["abb/terra-184"]


def test_a_model_in_use_cannot_be_deleted(staff: Client, charger: Charger):
    for row in (charger.model, charger.model.brand):
        response = staff.post(change_url(row, "delete"), {"post": "yes"}, follow=True)
        assert "is in use and cannot be deleted" in response.content.decode()
    assert ChargerModel.objects.filter(pk=charger.model.pk).exists()


def test_a_model_nobody_uses_can_be_deleted_one_at_a_time(staff: Client, terra: ChargerModel):
    assert staff.post(change_url(terra, "delete"), {"post": "yes"}).status_code == 302
    assert not ChargerModel.objects.filter(pk=terra.pk).exists()
    assert AuditEntry.objects.filter(verb="delete_catalog", object_id=str(terra.pk)).exists()
    page = staff.get(reverse("admin:catalog_brand_changelist")).content.decode()
    assert "delete_selected" not in page
