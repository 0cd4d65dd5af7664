"""The owner decides on each finding; what is decided is done and listed, what it brings about is told, and nothing is silent."""

from __future__ import annotations

import pytest

from kiban.kernel import Problem, Problems
from kiban.migration import findings

from .conftest import Desk

ORPHANS = "先がない,孤児,A,X,B.K,must,指す先の記録がない"
BY = "理由,係長,2026-10-15"


def orphaned(desk: Desk) -> None:
    desk.rows = {"A": [{"X": 1}, {"X": 2}, {"X": 3}], "B": [{"K": 1}]}
    desk.checks = [ORPHANS]


def test_without_a_decision_a_finding_is_open_and_no_row_goes(desk: Desk) -> None:
    orphaned(desk)
    assert desk.states() == {("A", 3, "reference-missing"): "open", ("A", 4, "reference-missing"): "open"}
    assert desk.excluded() == set()


def test_the_most_particular_decision_counts(desk: Desk) -> None:
    orphaned(desk)
    desk.decisions = [f"先がない,*,*,受入れ,{BY}", f"先がない,A,4,除外,{BY}"]
    assert desk.states() == {
        ("A", 3, "reference-missing"): "accepted",
        ("A", 4, "reference-missing"): "rejected",
    }
    assert desk.excluded() == {("A", 4, 0, "rejected")}
    assert {line["状況"] for line in desk.left("decided.csv")} == {"適用"}


def test_a_returned_finding_is_decided_and_keeps_waiting(desk: Desk) -> None:
    orphaned(desk)
    desk.decisions = [f"先がない,A,*,出し直し,{BY}"]
    assert set(desk.states().values()) == {"returned"}
    [line] = desk.left("findings.csv")
    assert (line["件数"], line["未決定"], line["決定"], line["担当"], line["例"]) == (
        "2",
        "0",
        "出し直し 2",
        "市民課長",
        "3・4",
    )


def test_only_rows_that_are_the_same_in_everything_are_merged_and_the_first_stays(desk: Desk) -> None:
    same = {"K": 1, "N": "a"}
    desk.rows = {"A": [same, same, {"K": 2, "N": "a"}, {"K": 2, "N": "b"}]}
    desk.checks = ["二重,重複,A,K,,must,"]
    desk.decisions = [f"二重,*,*,統合,{BY}"]
    assert desk.states() == {
        ("A", 3, "double-same"): "merged",
        ("A", 4, "double-other"): "open",
        ("A", 5, "double-other"): "open",
    }
    assert desk.excluded() == {("A", 3, 0, "merged")}
    assert desk.look().settled.refused == ((2, "二重", "double-other"),)


def test_excluding_one_of_two_settles_what_stood_between_them(desk: Desk) -> None:
    desk.rows = {"A": [{"K": 2, "N": "a"}, {"K": 2, "N": "b"}]}
    desk.checks = ["二重,重複,A,K,,must,"]
    desk.decisions = [f"二重,A,3,除外,{BY}"]
    assert desk.states() == {("A", 2, "double-other"): "settled", ("A", 3, "double-other"): "rejected"}


def test_what_cannot_be_decoded_is_never_accepted(desk: Desk) -> None:
    desk.rows = {"A": [{"X": None}]}
    desk.checks = ["必ず,必須,A,X,,must,"]
    desk.ledger = [("A", 2, "X", "nibble-bad")]
    desk.decisions = [f"復号:X,*,*,受入れ,{BY}"]
    assert desk.states() == {
        ("A", 2, "nibble-bad"): "open"
    }  # and it is told once, not again as a missing value
    assert desk.look().settled.refused == ((2, "復号:X", "nibble-bad"),)
    desk.decisions = [f"復号:X,*,*,除外,{BY}"]
    assert desk.states() == {("A", 2, "nibble-bad"): "rejected"}


def test_protection_is_never_weakened_by_a_decision(desk: Desk) -> None:
    desk.rows = {"A": [{"F": "0", "X": 1}, {"F": "1", "X": 2}], "B": [{"K": 1}]}
    desk.checks = ["印,保護不一致,A,F X,1; B.K,must,"]
    desk.decisions = [f"印,*,*,受入れ,{BY}"]
    assert desk.states() == {("A", 2, "protection-missing"): "open", ("A", 3, "protection-extra"): "accepted"}


def test_orphans_that_an_exclusion_makes_are_told_and_wait_for_a_decision_of_their_own(desk: Desk) -> None:
    desk.rows = {
        "A": [{"X": 1}, {"X": 1}],
        "B": [{"K": 1, "P": 9}, {"K": 2, "P": 8}],
        "C": [{"Q": 8}],
    }
    desk.checks = ["家がない,孤児,A,X,B.K,must,", "主がいない,孤児,B,P,C.Q,must,"]
    desk.decisions = [f"主がいない,B,2,除外,{BY}"]
    assert desk.states() == {
        ("B", 2, "reference-missing"): "rejected",
        ("A", 2, "reference-missing-after"): "open",
        ("A", 3, "reference-missing-after"): "open",
    }
    assert [line["内容"] for line in desk.left("findings.csv") if line["規則"] == "家がない"] == [
        "指す先がない（除外したために生じた）"
    ]
    desk.decisions += [f"家がない,A,3,除外,{BY}"]
    assert desk.states()["A", 3, "reference-missing-after"] == "rejected"
    assert desk.states()["A", 2, "reference-missing-after"] == "open"


def test_exclusions_go_on_from_row_to_row_until_nothing_changes(desk: Desk) -> None:
    desk.rows = {"A": [{"I": at, "P": at + 1} for at in range(1, 6)]}
    desk.checks = ["次がない,孤児,A,P,A.I,must,"]
    desk.decisions = [f"次がない,*,*,除外,{BY}"]
    desk.found()
    assert desk.excluded() == {("A", at, 0, "rejected") for at in range(2, 7)}


def test_a_record_that_goes_takes_the_rows_of_its_table_with_it_and_a_row_goes_alone(desk: Desk) -> None:
    desk.rows = {
        "A": [{"X": 1}, {"X": 2}],
        "T": [
            {"#file": "A", "#record": r, "#index": i, "P": p}
            for r, i, p in ((2, 1, 5), (2, 2, 6), (3, 1, 5), (3, 2, 7))
        ],
        "B": [{"K": 2, "M": 5}, {"K": 3, "M": 6}],
    }
    desk.checks = [ORPHANS, "人がいない,孤児,T,P,B.M,must,"]
    desk.decisions = [f"先がない,A,2,除外,{BY}", f"人がいない,A,3/2,除外,{BY}"]
    desk.found()
    assert desk.excluded() == {
        ("A", 2, 0, "rejected"),
        ("T", 2, 1, "rejected"),
        ("T", 2, 2, "rejected"),
        ("T", 3, 2, "rejected"),
    }


def test_decisions_that_match_nothing_any_more_are_told(desk: Desk) -> None:
    orphaned(desk)
    desk.decisions = [
        f"先がない,A,*,受入れ,{BY}",
        f"先がない,A,99,除外,{BY}",
        f"前の規則,*,*,受入れ,{BY}",
        "先がない,B,*,,,,",
    ]
    assert desk.look().settled.stale == (3, 4)
    assert [line["状況"] for line in desk.left("decided.csv")] == ["適用", "該当なし", "該当なし"]


def test_a_decision_on_a_record_of_an_earlier_unload_is_not_followed(desk: Desk) -> None:
    orphaned(desk)
    desk.decisions = ["先がない,A,3,除外,理由,係長,2026-09-30", "先がない,A,*,受入れ,理由,係長,2026-09-30"]
    assert set(desk.states().values()) == {"accepted"}
    assert desk.look().settled.stale == (2,)


def test_every_fault_of_the_decisions_is_told_at_once_with_its_line(desk: Desk) -> None:
    orphaned(desk)
    desk.decisions = [
        f"*,*,*,受入れ,{BY}",
        f"先がない,C,*,受入れ,{BY}",
        f"先がない,*,3,受入れ,{BY}",
        f"先がない,A,零,受入れ,{BY}",
        "先がない,A,3,多分,,,令和8年",
        f"先がない,A,4,受入れ,{BY}",
        f"先がない,A,4,除外,{BY}",
    ]
    with pytest.raises(Problems) as refused:
        desk.look()
    assert {(one.code, (one.where or "")[-1]) for one in refused.value.problems} == {
        ("decision-rule", "2"),
        ("decision-file", "3"),
        ("decision-file", "4"),
        ("decision-record", "5"),
        ("decision-word", "6"),
        ("decision-reason", "6"),
        ("decision-day", "6"),
        ("decision-twice", "8"),
    }


def test_the_same_data_and_decisions_leave_the_same_bytes(desk: Desk) -> None:
    desk.rows = {"A": [{"X": at % 7, "K": at % 50} for at in range(3_000)], "B": [{"K": 1}]}
    desk.checks = [ORPHANS, "二重,重複,A,K,,must,"]
    desk.decisions = [f"先がない,A,*,除外,{BY}"]

    def left() -> dict[str, bytes]:
        desk.look()
        return {path.name: path.read_bytes() for path in desk.out.iterdir()}

    assert left() == left()


def test_a_draft_lists_what_is_open_and_never_writes_over_what_people_wrote(desk: Desk) -> None:
    orphaned(desk)
    desk.look()
    desk.plan.findings.unlink()
    path = findings.draft(desk.plan, desk.out)
    assert path.read_text("utf-8").splitlines() == [
        "規則,ファイル,レコード,決定,理由,決定者,決定日",
        "先がない,*,*,,,,",
    ]
    with pytest.raises(Problem, match="nobody writes over"):
        findings.draft(desk.plan, desk.out)
    assert findings.read_decisions(desk.plan) == ()  # lines that are not filled in decide nothing


def test_no_value_of_the_data_stands_in_what_is_left(desk: Desk) -> None:
    desk.rows = {"A": [{"X": 4711, "N": "秘密氏名"}], "B": [{"K": 1, "M": "別氏名"}]}
    desk.checks = [ORPHANS, "切れた,切れた文字,A,N,2,should,"]
    desk.look()
    left = b"".join(path.read_bytes() for path in desk.out.glob("*.csv"))
    assert b"4711" not in left and "秘密".encode() not in left
    assert {"4711", "秘密氏名"} & {str(value) for one in desk.found() for value in one.values()} == set()
