"""A policy set is read whole, or every fault is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kiban import access, standard
from kiban.access import Policies
from kiban.kernel import Problem, Problems

from .conftest import DAY, at_work

Change = Callable[[str, str, str], None]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A city's own copy of the reference set."""
    return Path(shutil.copytree(access.REFERENCE, tmp_path / "policies"))


@pytest.fixture
def change(own: Path) -> Change:
    def made(name: str, old: str, new: str) -> None:
        path = own / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return made


def problems(folders: list[Path], library: standard.Library) -> list[Problem]:
    with pytest.raises(Problems) as error:
        access.load_policies(folders, library)
    return list(error.value.problems)


def test_the_same_files_have_the_same_digest(
    policies: Policies, own: Path, library: standard.Library
) -> None:
    assert access.load_policies([own], library).digest == policies.digest


def test_a_change_of_what_decides_changes_the_digest(
    policies: Policies, own: Path, change: Change, library: standard.Library
) -> None:
    change("item_classes.yaml", "group: memo}", "group: memo, romaji: memonaiyo}")
    assert access.load_policies([own], library).digest != policies.digest


def test_every_fault_of_all_files_is_told_at_once(
    own: Path, change: Change, library: standard.Library
) -> None:
    change("duties.yaml", "purposes: [個人住民税事務]", "purposes: []")
    change("duties.yaml", "offices: [ward, section, branch]", "offices: [ward, team]")
    change("actions.yaml", "title: 検索, over: business", "title: 検索, over: everything")
    change("item_classes.yaml", "romaji: juminhyokodo", "romaji: juminhyokoodo")
    change("item_classes.yaml", "edition: nonresident_addressee", "edition: nonresident")
    change("resident.cedar", '@reason("窓口は、自区の届出を記録する。支所も同じ")\n', "")
    change("resident.cedar", '@id("records-lift")', '@id("records-all")')
    change(
        "resident.cedar",
        'Duty::"resident-records",\n    action in [Action::"lifts", Action::"ask-lift"]',
        'Duty::"resident-record",\n    action == Action::"lift"',
    )
    change(
        "shared.cedar",
        'resource == Items::"nonresident_addressee"',
        'resource == Items::"nonresident_addressees"',
    )
    found = problems([own], library)
    assert {problem.code for problem in found} == {
        *("duty-purposeless", "office-kind", "action-over", "class-unmatched", "business-unknown"),
        *("policy-unreasoned", "id-twice", "policy-invalid"),
    }
    told = "\n".join(map(str, found))
    assert 'Items::"nonresident_addressees"' in told and "resident-record" in told and "lift" in told
    assert all(problem.where for problem in found)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("permit (principal, action, resource", "cedar-broken"),
        ("permit (principal, action, resource);", "policy-unnamed"),
        ('@id("a") permit (principal, action == Action::"read", resource);', "policy-unreasoned"),
        ('@id("a") @reason("理由") permit (principal == ?principal, action, resource);', "policy-template"),
        (
            '@id("a") @reason("理由") permit (principal, action, resource in ItemClass::"個人番号");',
            "policy-invalid",
        ),
        (
            '@id("a") @reason("理由") permit (principal, action, resource) when { principal.ward == "1" };',
            "policy-invalid",
        ),
        (
            '@id("a") @reason("理由") permit (principal, action, resource) when { context.ward == "1" };',
            "policy-invalid",
        ),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(
    tmp_path: Path, library: standard.Library, text: str, code: str
) -> None:
    (tmp_path / "own.cedar").write_text(text, encoding="utf-8")
    assert code in {problem.code for problem in problems([access.REFERENCE, tmp_path], library)}


def test_an_edition_that_renames_an_item_does_not_open_it(
    own: Path, library: standard.Library, change: Change
) -> None:
    change("item_classes.yaml", "romaji: hodai30jono45kubun", "romaji: kaminnonai")
    found = problems([own], library)
    editions = [each.edition for each in library.editions if each.id == "resident"]
    assert len(found) == len(editions) and {problem.code for problem in found} == {"class-unmatched"}


def test_nothing_is_there(tmp_path: Path, library: standard.Library) -> None:
    assert {each.code for each in problems([tmp_path / "no"], library)} >= {
        "policies-missing",
        "duties-missing",
    }


def test_a_city_adds_to_the_reference(tmp_path: Path, policies: Policies, library: standard.Library) -> None:
    text = """@id("city-east-number") @reason("東灘区の窓口は、個人番号を照会する")
    permit (principal in Duty::"resident-counter", action == Action::"read", resource == Items::"resident/individual-number")
    when { principal has ward && principal.ward == "281018" && context.on >= datetime("2026-11-24") };"""
    (tmp_path / "own.cedar").write_text(text, encoding="utf-8")
    own = access.load_policies([access.REFERENCE, tmp_path], library)
    counter = at_work("resident-counter")
    assert own.grant(counter).allows("read", "resident", "individual-number")
    moved = own.changes(policies, DAY)
    assert [
        (each.after.duty, each.after.item_class, each.before.mark, each.after.mark, each.opens)
        for each in moved
    ] == [("resident-counter", "individual-number", "never", "sometimes", True)]
    assert [each.opens for each in policies.changes(own, DAY)] == [False]


def test_the_table_of_the_reference_says_what_grants_say(policies: Policies) -> None:
    cells = {
        (each.duty, each.action, each.business, each.item_class): each.mark for each in policies.table(DAY)
    }
    assert cells["resident-counter", "read", "resident", ""] == "always"
    assert (
        cells["resident-counter", "record", "resident", ""] == "sometimes"
    )  # a section of the city hall has no ward
    assert cells["audit", "read", "resident", ""] == "never" and cells["audit", "audit", "", ""] == "always"
    per_duty = len(cells) // len(policies.duties)
    assert len(cells) == per_duty * len(policies.duties)
