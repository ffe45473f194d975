"""`seed_catalog`: all or nothing, twice the same, and hands off what staff edited or chargers use."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog import services
from catalog.documents import InvalidDocuments
from catalog.models import Brand, ChargerModel
from catalog.services import find_model, find_models, seed_catalog
from chargers.models import Charger
from tenants.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of two data files, to be changed at will."""
    for slug in ("wallbox", "abb"):
        shutil.copy(services.DATA_FOLDER / f"{slug}.json", tmp_path)
    return tmp_path


def rewrite(folder: Path, slug: str, **fields: Any) -> dict[str, Any]:
    path = folder / f"{slug}.json"
    document: dict[str, Any] = json.loads(path.read_text()) | fields
    path.write_text(json.dumps(document))
    return document


def drop_models(folder: Path, slug: str, keep: int) -> None:
    models = json.loads((folder / f"{slug}.json").read_text())["models"]
    rewrite(folder, slug, models=models[:keep])


def test_seeding_fills_the_tables_from_every_file():
    report = seed_catalog()
    assert Brand.objects.count() == len(services.read_brand_files())
    assert len(report.created) == Brand.objects.count() + ChargerModel.objects.count()
    model = find_model("abb", "terra-184")
    assert model is not None
    assert model.image == "catalog/abb/terra-184.svg"
    assert model.connector_type_tags == "|CCS2|"
    assert model.brand.vendor_keys


def test_seeding_again_changes_nothing(django_assert_max_num_queries):
    first = seed_catalog()
    audited = AuditEntry.objects.count()
    with django_assert_max_num_queries(5):
        second = seed_catalog()
    assert second.changes == 0
    assert second.unchanged == first.created
    assert AuditEntry.objects.count() == audited


def test_a_changed_fact_updates_its_row_only(folder: Path):
    seed_catalog(folder)
    rewrite(folder, "abb", name="ABB E-mobility")
    report = seed_catalog(folder)
    assert (report.updated, report.created, report.removed) == (["abb"], [], [])
    assert Brand.objects.get(slug="abb").name == "ABB E-mobility"
    entry = AuditEntry.objects.filter(verb="seed_catalog").first()
    assert entry is not None
    assert entry.details["updated"] == ["abb"]


def test_a_row_that_staff_edited_is_kept_and_reported(folder: Path):
    seed_catalog(folder)
    model = find_model("abb", "terra-184")
    assert model is not None
    model.name = "Terra of the lab"
    services.save_as_staff(model, summary="name")
    report = seed_catalog(folder)
    assert report.kept == ["abb/terra-184"]
    assert report.changes == 0
    assert ChargerModel.objects.get(pk=model.pk).name == "Terra of the lab"
    services.hand_back(model)
    assert seed_catalog(folder).updated == ["abb/terra-184"]
    assert ChargerModel.objects.get(pk=model.pk).name == "Terra 184"


def test_a_model_of_staffs_own_is_kept(folder: Path):
    seed_catalog(folder)
    own = ChargerModel(brand=Brand.objects.get(slug="abb"), slug="own", name="Own", current_type="ac")
    services.save_as_staff(own, summary="")
    assert seed_catalog(folder).kept == ["abb/own"]


def test_what_left_the_files_leaves_the_tables(folder: Path):
    seed_catalog(folder)
    drop_models(folder, "abb", keep=1)
    (folder / "wallbox.json").unlink()
    report = seed_catalog(folder)
    assert set(ChargerModel.objects.values_list("slug", flat=True)) == {"terra-184"}
    assert "wallbox" in report.removed
    assert "abb/terra-360" in report.removed


def test_a_model_in_use_stays_with_its_brand_and_is_reported(charger: Charger, folder: Path):
    """The charger's model is the Pulsar Plus, its brand Wallbox."""
    seed_catalog(folder)
    (folder / "wallbox.json").unlink()
    report = seed_catalog(folder)
    assert report.in_use == ["wallbox/wallbox-pulsar-plus", "wallbox"]
    assert ChargerModel.objects.filter(slug="wallbox-pulsar-plus").exists()
    assert "kept because chargers use it" in "\n".join(report.lines())


def test_an_invalid_file_writes_nothing_and_names_every_problem(folder: Path):
    rewrite(folder, "abb", name="", models=[])
    (folder / "broken.json").write_text("{")
    with pytest.raises(InvalidDocuments) as caught:
        seed_catalog(folder)
    assert not Brand.objects.exists()
    assert "abb.json: name: must not be empty" in caught.value.problems
    assert any(problem.startswith("broken.json: not JSON") for problem in caught.value.problems)


def test_a_file_bears_the_name_of_its_brand(folder: Path):
    (folder / "abb.json").rename(folder / "abc.json")
    with pytest.raises(InvalidDocuments, match=r"abc\.json: slug: 'abb' must be the name of the file"):
        seed_catalog(folder)


def test_an_empty_folder_is_a_mistake_not_an_empty_catalog(tmp_path: Path):
    with pytest.raises(InvalidDocuments, match="no data files"):
        seed_catalog(tmp_path)


def test_the_command_says_what_it_did(capsys: pytest.CaptureFixture[str]):
    call_command("seed_catalog")
    assert "created:" in capsys.readouterr().out
    call_command("seed_catalog")
    assert capsys.readouterr().out.startswith("0 changes")
    call_command("seed_catalog", verbosity=0)
    assert capsys.readouterr().out == ""


def test_the_command_refuses_broken_files_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def broken() -> None:
        raise InvalidDocuments(["abb.json: name: must not be empty"])

    monkeypatch.setattr("catalog.management.commands.seed_catalog.seed_catalog", broken)
    with pytest.raises(CommandError, match="Nothing was written"):
        call_command("seed_catalog")


def test_find_models_answers_for_many_in_one_query(django_assert_num_queries):
    seed_catalog()
    asked = [("abb", "terra-184"), ("wallbox", "wallbox-pulsar-plus"), ("nobody", "nothing")]
    with django_assert_num_queries(1):
        found = find_models(asked)
        assert [found[one].brand.slug for one in asked[:2]] == ["abb", "wallbox"]
    assert asked[2] not in found


def test_find_model_knows_both_slugs():
    seed_catalog()
    assert find_model("abb", "terra-184") is not None
    assert find_model("wallbox", "terra-184") is None
    assert find_model("nobody", "terra-184") is None
