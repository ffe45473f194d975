"""What staff write goes through the services and leaves an audit row that names the fields, never their values."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from catalog.models import ChargerModel
from chargers.models import Charger, ChargerCommand, Connector, StationState
from locations.models import DeletedLocation, Location
from tenants.models import AuditEntry, Membership, Organization, User
from tenants.scoping import scope
from tests.admin.forms import form_values
from tests.factories import LocationFactory, new_charger

CHARGER_LIST = reverse("admin:chargers_charger_changelist")


def url_of(row: Any, page: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])


def errors_of(response: Any) -> str:
    return str(response.context["adminform"].form.errors)


def audit_of(verb: str) -> AuditEntry:
    entry = AuditEntry.objects.get(verb=verb)
    assert entry.actor == "sam"
    return entry


class TestOrganizations:
    def test_added_by_the_service_with_a_slug_of_its_name(self, staff: Client) -> None:
        fields = {"name": "Nordic Lab", "slug": "", **no_inlines("memberships")}
        assert staff.post(reverse("admin:tenants_organization_add"), fields).status_code == 302
        organization = Organization.objects.get(slug="nordic-lab")
        assert audit_of("create_organization").organization == organization
        assert not AuditEntry.objects.filter(verb="add_organization").exists()

    def test_a_taken_slug_is_refused_and_the_form_keeps_what_was_typed(
        self, staff: Client, tenant: Organization
    ) -> None:
        fields = {"name": "Acme again", "slug": "", **no_inlines("memberships")}
        response = staff.post(reverse("admin:tenants_organization_add"), fields | {"name": "Acme"})
        assert response.status_code == 200
        assert "taken" in errors_of(response)
        assert b'value="Acme"' in response.content
        assert Organization.objects.count() == 1

    def test_changed_with_the_names_of_the_fields(self, staff: Client, tenant: Organization) -> None:
        values = form_values(staff, url_of(tenant))
        assert staff.post(url_of(tenant), {**values, "name": "Acme of the North"}).status_code == 302
        entry = audit_of("change_organization")
        assert (entry.organization, entry.object_id) == (tenant, str(tenant.pk))
        assert entry.details == {"changes": [{"changed": {"fields": ["Name"]}}]}

    def test_a_membership_added_inline_is_told(self, staff: Client, superuser: User, tenant: Organization) -> None:
        inline = {"memberships-TOTAL_FORMS": 1, "memberships-0-user": superuser.pk, "memberships-0-role": "viewer"}
        values = {**form_values(staff, url_of(tenant)), **inline, "memberships-0-organization": tenant.pk}
        assert staff.post(url_of(tenant), values).status_code == 302
        assert Membership.objects.get().role == "viewer"
        assert "added" in audit_of("change_organization").details["changes"][0]

    def test_deleted_with_all_it_holds(self, staff: Client, charger: Charger) -> None:
        tenant = Organization.objects.get()
        page = staff.get(url_of(tenant, "delete")).content.decode()
        assert "and everything else it holds" in page
        assert staff.post(url_of(tenant, "delete"), {"post": "yes"}).status_code == 302
        assert not Charger.objects.unscoped().exists()
        assert audit_of("delete_organization").object_id == str(tenant.pk)


class TestUsers:
    def test_added_and_given_a_password_that_the_audit_does_not_know(self, staff: Client) -> None:
        words = {"password1": "correct horse", "password2": "correct horse", "usable_password": "true"}
        response = staff.post(reverse("admin:tenants_user_add"), {"username": "nina", **words})
        assert response.status_code == 302, errors_of(response)
        nina = User.objects.get(username="nina")
        url = reverse("admin:auth_user_password_change", args=[nina.pk])
        new = {"password1": "battery staple", "password2": "battery staple", "usable_password": "true"}
        assert staff.post(url, new).status_code == 302
        assert audit_of("add_user").object_id == str(nina.pk)
        audit_of("change_user")
        told = str(list(AuditEntry.objects.values_list("details", "summary")))
        assert "horse" not in told
        assert "battery" not in told

    def test_ones_own_password_too(self, staff: Client, superuser: User) -> None:
        url = reverse("admin:password_change")
        wrong = {"old_password": "no", "new_password1": "battery staple", "new_password2": "battery staple"}
        assert staff.post(url, wrong).status_code == 200
        assert not AuditEntry.objects.filter(verb="change_own_password").exists()
        assert staff.post(url, {**wrong, "old_password": "a long word of sam"}).status_code == 302
        assert audit_of("change_own_password").object_id == str(superuser.pk)

    def test_ticked_and_deleted_each_with_its_row(self, staff: Client) -> None:
        doomed = [User.objects.create_user(name) for name in ("ann", "bob")]
        data = {"action": "delete_selected", "_selected_action": [user.pk for user in doomed], "post": "yes"}
        assert staff.post(reverse("admin:tenants_user_changelist"), data).status_code == 302
        assert User.objects.filter(username__in=["ann", "bob"]).count() == 0
        assert set(AuditEntry.objects.filter(verb="delete_user").values_list("summary", flat=True)) == {"ann", "bob"}


class TestLocations:
    fields = {
        "name": "Harbour", "address": "Quay 1", "city": "Rotterdam", "country": "NL", "latitude": 51.9,
        "longitude": 4.48, "timezone": "Europe/Amsterdam", "owner_name": "", "public": "on",
    }  # fmt: skip

    def test_added_for_an_organization(self, staff: Client, tenant: Organization) -> None:
        response = staff.post(reverse("admin:locations_location_add"), {**self.fields, "organization": tenant.pk})
        assert response.status_code == 302, errors_of(response)
        location = Location.objects.unscoped().get()
        assert (location.tenant, location.country, location.public) == (tenant, "NL", True)
        assert location.slug.startswith("harbour-")
        assert audit_of("create_location").organization == tenant

    def test_changed_by_the_service(self, staff: Client, location: Location) -> None:
        values = form_values(staff, url_of(location))
        response = staff.post(url_of(location), {**values, "city": "Lyon", "country": "FR"})
        assert response.status_code == 302, errors_of(response)
        assert Location.objects.unscoped().get().city == "Lyon"
        assert audit_of("update_location").details == {"fields": ["city"]}

    def test_a_slug_of_another_location_is_refused(self, staff: Client, location: Location) -> None:
        with scope(location.tenant_id):
            other = LocationFactory(slug="harbour")
        response = staff.post(url_of(location), {**form_values(staff, url_of(location)), "slug": other.slug})
        assert "Another location has the slug harbour." in errors_of(response)

    def test_deleted_with_its_chargers_and_remembered(self, staff: Client, charger: Charger) -> None:
        location = Location.objects.unscoped().get()
        assert "with its 1 charger(s)" in staff.get(url_of(location, "delete")).content.decode()
        assert staff.post(url_of(location, "delete"), {"post": "yes"}).status_code == 302
        assert not Charger.objects.unscoped().exists()
        assert DeletedLocation.objects.unscoped().get().location_id == location.pk
        audit_of("delete_location")
        audit_of("delete_charger")

    def test_ticked_and_deleted(self, staff: Client, location: Location, stranger: Organization) -> None:
        with scope(stranger):
            other = LocationFactory()
        data = {"action": "delete_selected", "_selected_action": [location.pk, other.pk], "post": "yes"}
        assert staff.post(reverse("admin:locations_location_changelist"), data).status_code == 302
        assert not Location.objects.unscoped().exists()
        assert AuditEntry.objects.filter(verb="delete_location").count() == 2


class TestChargers:
    def fields(self, location: Location, model: ChargerModel, **changed: Any) -> dict[str, Any]:
        usual = {
            "location": location.pk, "model": model.pk, "identity": "CP-9", "name": "By the gate",
            "connector_type": "Type2", "ocpp_version": "", "ws_url": "ws://127.0.0.1:9/ocpp",
        }  # fmt: skip
        return {**usual, **changed}

    def test_added_by_the_service_with_outlets_and_state(
        self, staff: Client, location: Location, model: ChargerModel
    ) -> None:
        response = staff.post(reverse("admin:chargers_charger_add"), self.fields(location, model))
        assert response.status_code == 302, errors_of(response)
        charger = Charger.objects.unscoped().get()
        assert (charger.identity, charger.ocpp_version, charger.tenant_id) == ("CP-9", "OCPP1.6", location.tenant_id)
        assert Connector.objects.unscoped().filter(charger=charger).count() == 1
        assert StationState.objects.filter(charger=charger).exists()
        assert audit_of("create_charger").object_id == str(charger.pk)

    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"identity": "CP-1"}, "is taken"),
            ({"identity": "CP:1"}, "no colon"),
            ({"ws_url": "http://127.0.0.1/"}, "ws://"),
            ({"ws_url": "ws://169.254.169.254/"}, "not allowed"),
            ({"ocpp_version": "OCPP2.0.1"}, "does not speak OCPP2.0.1"),
        ],
    )
    def test_the_rules_of_the_api_hold(
        self, staff: Client, charger: Charger, model: ChargerModel, changed: dict[str, str], reason: str
    ) -> None:
        fields = self.fields(charger.location, model, **changed)
        response = staff.post(reverse("admin:chargers_charger_add"), fields)
        assert response.status_code == 200
        assert reason in errors_of(response)
        assert Charger.objects.unscoped().count() == 1

    def test_changed_so_that_its_machine_connects_anew(self, staff: Client, charger: Charger) -> None:
        values = form_values(staff, url_of(charger))
        response = staff.post(url_of(charger), {**values, "ws_url": "ws://127.0.0.1:10/other"})
        assert response.status_code == 302, errors_of(response)
        changed = Charger.objects.unscoped().get()
        assert (changed.ws_url, changed.revision) == ("ws://127.0.0.1:10/other", charger.revision + 1)
        assert audit_of("update_charger").details["fields"] == ["ws_url"]

    def test_does_not_move_to_another_organization(
        self, staff: Client, charger: Charger, stranger: Organization
    ) -> None:
        with scope(stranger):
            foreign = LocationFactory()
        response = staff.post(url_of(charger), {**form_values(staff, url_of(charger)), "location": foreign.pk})
        assert "There is no location" in errors_of(response)
        assert Charger.objects.unscoped().get().location_id == charger.location_id

    def test_deleted_one_or_many(self, staff: Client, charger: Charger, stranger: Organization) -> None:
        with scope(stranger):
            place = LocationFactory()
            others = [new_charger(place, identity, charger.model) for identity in ("X-1", "X-2")]
        assert staff.post(url_of(charger, "delete"), {"post": "yes"}).status_code == 302
        ticked = [other.pk for other in others]
        data = {"action": "delete_selected", "_selected_action": ticked, "post": "yes"}
        assert staff.post(CHARGER_LIST, data).status_code == 302
        assert not Charger.objects.unscoped().exists()
        assert audit_of("delete_charger").organization_id == charger.tenant_id
        assert audit_of("delete_chargers").organization == stranger


class TestActions:
    @pytest.mark.parametrize(
        ("action", "payload"),
        [
            ("stop_charger", {}),
            ("reset_charger", {}),
            ("plug_connector", {"connector_id": 1}),
            ("unplug_connector", {"connector_id": 1}),
            ("start_session", {"connector_id": 1, "id_tag": "TAG-RFID-001"}),
            ("stop_session", {}),
            ("inject_fault", {"fault_type": "OverCurrentFailure"}),
            ("clear_fault", {}),
        ],
    )
    def test_writes_the_command_that_the_api_writes(
        self, staff: Client, charger: Charger, action: str, payload: dict[str, Any]
    ) -> None:
        response = act(staff, action, charger)
        command = ChargerCommand.objects.unscoped().get()
        assert (command.event_type, command.payload, command.actor) == (action, payload, "sam")
        assert (command.charger, command.state, command.tenant_id) == (charger, "queued", charger.tenant_id)
        assert "1 command(s) written" in response.content.decode()
        assert AuditEntry.objects.filter(actor="sam", object_id=str(charger.pk), verb__contains=action).count() == 1

    def test_a_session_starts_with_the_tag_that_was_typed(self, staff: Client, charger: Charger) -> None:
        act(staff, "start_session", charger, id_tag=" CARD-7 ")
        assert ChargerCommand.objects.unscoped().get().payload["id_tag"] == "CARD-7"

    def test_stop_and_start_change_what_is_wanted_of_the_machine(self, staff: Client, charger: Charger) -> None:
        act(staff, "stop_charger", charger)
        assert Charger.objects.unscoped().get().runtime == "stopped"
        act(staff, "start_charger", charger)
        assert Charger.objects.unscoped().get().runtime == "running"

    def test_chargers_of_several_organizations_at_once(
        self, staff: Client, charger: Charger, stranger: Organization
    ) -> None:
        with scope(stranger):
            foreign = new_charger(LocationFactory(), "X-1", charger.model)
        act(staff, "plug_connector", charger, foreign)
        told = ChargerCommand.objects.unscoped().values_list("charger", "tenant")
        assert set(told) == {(charger.pk, charger.tenant_id), (foreign.pk, stranger.pk)}

    def test_refusals_are_shown_beside_what_was_done(
        self, staff: Client, charger: Charger, charger_201: Charger
    ) -> None:
        Charger.objects.unscoped().filter(pk=charger.pk).update(runtime="stopped")
        page = act(staff, "plug_connector", charger, charger_201).content.decode()
        assert "CP-1 is stopped: start it first." in page
        assert ChargerCommand.objects.unscoped().get().charger == charger_201

    def test_the_buttons_on_a_chargers_page_lead_back_to_it(self, staff: Client, charger: Charger) -> None:
        assert 'value="plug_connector"' in staff.get(url_of(charger)).content.decode()
        data = {"action": "plug_connector", "_selected_action": [charger.pk], "stay": "1", "index": 0}
        response = staff.post(CHARGER_LIST, data)
        assert response["Location"] == url_of(charger)
        assert ChargerCommand.objects.unscoped().count() == 1

    def test_whoever_may_only_look_has_no_actions(self, charger: Charger) -> None:
        viewer = User.objects.create_user("vic", password="x", is_staff=True)
        viewer.user_permissions.add(Permission.objects.get(codename="view_charger"))
        client = Client()
        client.force_login(viewer)
        assert client.get(CHARGER_LIST).status_code == 200
        assert 'value="plug_connector"' not in client.get(url_of(charger)).content.decode()
        act(client, "plug_connector", charger)
        assert not ChargerCommand.objects.unscoped().exists()


def act(client: Client, action: str, *chargers: Charger, **fields: str) -> Any:
    data = {"action": action, "_selected_action": [str(charger.pk) for charger in chargers], **fields}
    return client.post(CHARGER_LIST, data, follow=True)


def no_inlines(prefix: str) -> dict[str, int]:
    return {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
