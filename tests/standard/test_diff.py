"""The difference of two editions names what changed and whom it breaks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kiban import standard
from kiban.kernel import Problem

ITEMS = "items.csv"
YAML = "business.yaml"
SEX = "codes/001_seibetsu.csv"
EVERYONE = ("writers", "readers", "stored data")
NEXT = (YAML, 'edition: "test-1"', 'edition: "test-2"')
Make = Callable[..., Path]


def _changes(edited: Make, *edits: tuple[str, str, str]) -> list[standard.Change]:
    old, new = standard.load(edited(name="old")), standard.load(edited([NEXT, *edits], name="new"))
    return list(standard.diff(old, new).changes)


def test_an_edition_does_not_differ_from_itself(tiny: standard.Edition) -> None:
    found = standard.diff(tiny, tiny)
    assert (found.changes, found.breaking) == ((), ())


@pytest.mark.parametrize(
    ("edit", "kind", "romaji", "breaks", "note"),
    [
        ((ITEMS, "90100011,住所,jusho,人,,,人,住所,,N,300", "90100011,住所,jusho,人,,,人,住所,,N,400"),
         "widened", "jusho", ("readers",), "桁数: 300 → 400"),
        ((ITEMS, "氏名,,Ｎ,100", "氏名,,Ｎ,50"), "narrowed", "shimei", ("writers", "stored data"), "桁数: 100 → 50"),
        ((ITEMS, '"3,2"', '"3,1"'), "narrowed", "ritsu", ("writers", "stored data"), "桁数: 3,2 → 3,1"),
        ((ITEMS, "X,3,,999", "X,3,,1000"), "widened", "gyomuid", ("readers",), "繰り返し: 999 → 1000"),
        ((ITEMS, "X,3,,999", "X,3,,"), "narrowed", "gyomuid", EVERYONE, "繰り返し: 999 → 1"),
        ((ITEMS, "共通,,9,5,,,必須", "共通,,X,5,,,必須"), "retyped", "rirekibango", EVERYONE, "データ型: 9 → X"),
        ((ITEMS, "・不詳日を許容する", "・不詳日を許容しない"),
         "narrowed", "seinengappi", ("writers", "stored data"), "no longer permitted"),
        ((ITEMS, "N,300,,,任意", "N,300,,,必須"), "tightened", "jusho", ("writers", "stored data"), "任意 → 必須"),
        ((ITEMS, "X,6,,,必須", "X,6,,,任意"), "loosened", "kukodo", ("readers",), "必須 → 任意"),
        ((ITEMS, "N,300,,,任意,,,,,", "N,300,,,任意,,,,○,"), "tightened", "jusho", ("writers",), "実装類型: now ○"),
        ((ITEMS, "X,1,001,,任意,,,,○", "X,1,001,,任意,,,,"), "loosened", "seibetsu", ("readers",), "no longer ○"),
        ((ITEMS, "90100015,増減", "90100035,増減"), "renumbered", "zogen", (), "90100015 → 90100035"),
        ((ITEMS, "増減,zogen", "増減,zogengaku"), "renamed", "zogengaku", EVERYONE, "zogen → zogengaku"),
        ((ITEMS, "kukodo,人,", "kukodo,人,○"), "key-changed", "kukodo", EVERYONE, "now part of the key"),
        ((ITEMS, "90100015,増減", "90100015,増減額"), "reworded", "zogen", (), "データ項目"),
        ((ITEMS, "住所,jusho,人,", "住所,jusho,世帯,"), "moved", "jusho", EVERYONE, "hito (人) to setai"),
        ((ITEMS, "X,1,001", "X,1,"), "recoded", "seibetsu", ("readers",), "no longer coded"),
        ((ITEMS, "X,6,,,必須,行政区", "X,6,1,,必須,行政区"),
         "recoded", "kukodo", ("writers", "stored data"), "now coded"),
        ((SEX, "", "001,性別,9,適用不能,,,\n"), "recoded", "seibetsu", ("readers",), "added 9"),
        ((SEX, "001,性別,0,不明,,,\n", ""), "recoded", "seibetsu", ("writers", "stored data"), "removed 0"),
        ((SEX, "1,男", "1,男性"), "recoded", "seibetsu", ("readers",), "relabelled 1 (男 → 男性)"),
        ((SEX, "1,男,,,", "1,男,,,2030-04-01"), "recoded", "seibetsu", ("writers",), "other validity of 1"),
        ((ITEMS, "rirekibango,人,○,,人", "rirekibango,人,○,,者"), "reworded", "rirekibango", (), "クラス分類"),
    ],
)  # fmt: skip
def test_one_change_is_named_with_whom_it_breaks(
    edit: tuple[str, str, str], kind: str, romaji: str, breaks: tuple[str, ...], note: str, edited: Make
) -> None:
    edits = [edit]
    if kind == "moved":  # the search must not name it any more
        edits.append((YAML, "address: [jusho]", "address: []"))
    found = [c for c in _changes(edited, *edits) if c.kind == kind]
    assert [(c.romaji, c.breaks, c.breaking) for c in found] == [(romaji, breaks, bool(breaks))]
    assert note in found[0].note


def test_items_that_come_break_writers_only_where_they_are_needed(edited: Make) -> None:
    rows = (
        "90100041,任意項目,nini,世帯,,,,,,X,1,,,任意,,,,,,\n"
        "90100042,必須項目,hissu,世帯,,,,,,X,1,,,必須,,,,○,,\n"
        "90100043,条件項目,joken,世帯,,,,,,X,1,,,条件付き必須,,※※いつか,,○,,\n"
    )
    added = {c.romaji: (c.old, c.breaks) for c in _changes(edited, (ITEMS, "", rows)) if c.kind == "added"}
    assert added == {
        "nini": (None, ()),
        "hissu": (None, ("writers", "stored data")),
        "joken": (None, ("writers",)),
    }


def test_an_item_that_goes_breaks_readers_and_stored_data(edited: Make) -> None:
    (change,) = _changes(edited, (ITEMS, "90100015,増減,zogen,人,,,人,共通,,S9,9,,,任意,,,,,-5,\n", ""))
    assert (change.kind, change.romaji, change.new, change.breaks) == (
        "removed",
        "zogen",
        None,
        ("readers", "stored data"),
    )


def test_a_declared_rename_is_no_loss(edited: Make) -> None:
    found = _changes(
        edited,
        (YAML, "groups:", "replaces: test-1\nrenames: {ritsu: wariai}\ngroups:"),
        (ITEMS, "90100014,率,ritsu", "90100055,割合,wariai"),
    )
    assert [(c.kind, c.romaji) for c in found] == [
        ("renamed", "wariai"),
        ("renumbered", "wariai"),
        ("reworded", "wariai"),
    ]


def test_a_rename_is_turned_where_the_editions_are_compared_backwards(edited: Make) -> None:
    old = standard.load(edited(name="old"))
    new = standard.load(
        edited(
            [
                NEXT,
                (
                    YAML,
                    "groups:",
                    'replaces: test-1\nrenames: {ritsu: wariai}\nrecodes: {"1": {"2": "9"}}\ngroups:',
                ),
                (ITEMS, "90100014,率,ritsu", "90100055,割合,wariai"),
                (SEX, "2,女", "9,女"),
            ],
            name="new",
        )
    )
    there, back = standard.diff(old, new), standard.diff(new, old)
    assert there.recodes == {"1": {"2": "9"}}
    assert back.recodes == {"1": {"9": "2"}}
    assert [c.note for c in there.changes if c.kind == "recoded"] == ["list 1 性別: recoded 2→9"]
    assert [c.note for c in back.changes if c.kind == "recoded"] == ["list 1 性別: recoded 9→2"]
    assert [c.note for c in back.changes if c.kind == "renamed"] == ["wariai → ritsu"]


def test_items_that_were_only_renumbered_are_not_taken_for_each_other(edited: Make) -> None:
    found = _changes(
        edited,
        (ITEMS, "90100014,率", "90100099,率"),
        (ITEMS, "90100015,増減", "90100014,増減"),
    )
    assert {(c.kind, c.romaji) for c in found} == {("renumbered", "ritsu"), ("renumbered", "zogen")}


def test_another_order_is_told_and_breaks_nobody_who_reads_by_name(edited: Make) -> None:
    text = "90100015,増減,zogen,人,,,人,共通,,S9,9,,,任意,,,,,-5,\n"
    rate = '90100014,率,ritsu,人,,,人,共通,,9V,"3,2",,,任意,,,,,12.5,\n'
    (change,) = _changes(edited, (ITEMS, rate + text, text + rate))
    assert (change.kind, change.group, change.breaking, change.breaks) == (
        "order-changed",
        "hito",
        False,
        ("readers",),
    )


@pytest.mark.parametrize(
    ("edits", "kind", "note"),
    [
        ([(YAML, "id: shori", "id: kiroku")], "group-renamed", "shori (処理) is now kiroku (処理)"),
        ([(YAML, "kind: log", "kind: register")], "group-changed", "kind: log → register"),
        ([(YAML, "history: rirekibango", "history: null")], "group-changed", "history: rirekibango → none"),
        ([(YAML, "    scope: ward\n    ward: kukodo\n  - id: shori", "    scope: city\n  - id: shori")],
         "group-changed", "ward: kukodo → none"),
        ([(YAML, "to: setai}", "to: setai2}"),
          (YAML, "  - id: shori", "  - {id: setai2, name: 世帯二, kind: register, scope: city}\n  - id: shori"),
          (ITEMS, "", "90100051,世帯番号,setaibango,世帯二,○,,,,,X,15,,,必須,,,,○,,\n")],
         "reference-changed", "外部キー: setai → setai2"),
    ],
)  # fmt: skip
def test_changes_of_whole_groups_and_references_are_named(
    edits: list[tuple[str, str, str]], kind: str, note: str, edited: Make
) -> None:
    assert (kind, note) in {(c.kind, c.note) for c in _changes(edited, *edits)}


def test_a_group_that_goes_and_one_that_comes_are_named_with_their_items(edited: Make) -> None:
    found = _changes(
        edited,
        (YAML, "  - id: setai\n    name: 世帯\n", "  - id: kazoku\n    name: 家族\n"),
        (YAML, "references:\n  - {group: hito, item: setaibango, to: setai}\n", ""),
        (ITEMS, "90100005,世帯番号,setaibango,人,,○", "90100005,世帯番号,setaibango,人,,"),
        (ITEMS, "90100021,世帯番号,setaibango,世帯,", "90100061,家族番号,kazokubango,家族,"),
        (ITEMS, "90100022,行政区コード,kukodo,世帯,", "90100062,行政区コード,kukodo,家族,"),
        (ITEMS, "90100023,世帯主,setainushi,世帯,", "90100063,家族主,kazokunushi,家族,"),
    )
    kinds = {(c.kind, c.group) for c in found}
    assert {
        ("group-removed", "setai"),
        ("group-added", "kazoku"),
        ("removed", "setai"),
        ("added", "kazoku"),
    } <= kinds


def test_editions_of_two_businesses_are_not_compared(tiny: standard.Edition, edited: Make) -> None:
    folder = edited()
    for file in (ITEMS, YAML):
        text = (folder / file).read_text(encoding="utf-8")
        (folder / file).write_text(text.replace("\n901", "\n902").replace('"901"', '"902"'), encoding="utf-8")
    with pytest.raises(Problem, match="two editions of one business"):
        standard.diff(tiny, standard.load(folder))
