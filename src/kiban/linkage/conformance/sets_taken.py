"""What a contract asks of every consumer of sets: careless sets are laid before it, and its receipts are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kiban import sets
from kiban.kernel import Problem
from kiban.linkage.conformance.making_sets import Maker, damaged
from kiban.linkage.conformance.verifying import Result
from kiban.linkage.files.about import About

Take = Callable[[], None]
"""Has the consumer look at its shelf now, take what is to be taken, and file its receipts."""

CHECKS = {
    "taken": (
        "全件を反映し、件数と要約値を受領証で示す",
        "届いたかどうか、正しいかどうかを誰も確かめられない",
    ),
    "repeated": ("同じセットをもう一度見ても何も変えない", "二重に取り込む"),
    "gap": ("間の差分が届いていない差分を反映しない", "抜けた異動に気づかない"),
    "stale": ("古い世代のセットを反映しない", "古い内容に戻ってしまう"),
    "part-lost": ("部品の欠けたセットを反映せず、受領証で断る", "一部の人が消えたまま進む"),
    "part-changed": ("1バイトでも違う部品のあるセットを反映せず、受領証で断る", "壊れた値が台帳に入る"),
    "rows-other": ("件数・要約値の合わないセットを反映せず、受領証で断る", "作成時の誤りに気づかない"),
    "goes-on": ("断った後の正しいセットを反映する", "一度の誤りで連携が止まったままになる"),
}
"""What is tried, and what goes wrong in a city whose consumer does not do so."""

_BEGIN = 5  # the epoch of the first set, so that there can be an older one
_UNITS, _MORE = 8, 12


@dataclass(frozen=True)
class _Trial:
    maker: Maker
    shelf: sets.Shelf
    take: Take

    def receipts(self, manifest: sets.Manifest) -> list[sets.Receipt]:
        """Those of the consumer."""
        system = self.maker.contract.consumer.id
        return [each for each in sets.receipts(self.shelf, manifest.set_id) if each.system == system]

    def applied(self, manifest: sets.Manifest, said: About) -> Iterator[str]:
        """What is wrong with the receipts of a good set."""
        told = self.receipts(manifest)
        if problems := sorted({code for each in told for code in each.problems}):
            yield f"正しいセットを断った：{'、'.join(problems)}"
        states = {each.state for each in told}
        if missing := [state for state in ("received", "validated", "applied") if state not in states]:
            yield f"受領証がない：{'、'.join(missing)}"
        for each in told:
            if each.state == "applied" and (each.rows, each.digest) != (said.rows, said.digest):
                yield "反映後の件数または要約値が、提供側のものでない"

    def refused(self, manifest: sets.Manifest, *, told: bool = True) -> Iterator[str]:
        """What is wrong with the receipts of a set that must not be applied."""
        found = self.receipts(manifest)
        if any(each.state == "applied" and not each.problems for each in found):
            yield "反映した"
        elif told and not any(each.problems for each in found):
            yield "断ったことを受領証で示していない"


def verify_taking(maker: Maker, shelf: sets.Shelf, take: Take) -> tuple[Result, ...]:
    """Lay sets before a consumer, right and wrong ones, and look at what it answers.

    Args:
        maker: of the sets.
        shelf: of the consumer, empty of this flow: what is laid there is invented.
        take: has the consumer look at it.

    Returns:
        A result for each of `CHECKS`; its faults tell no value.

    Raises:
        Problem: `verify-shelf` where the shelf holds sets of the flow; `subject-unreachable`.
    """
    if sets.positions(shelf, maker.contract.flow):
        fix = "give the consumer a shelf of its own for the test"
        raise Problem("verify-shelf", "the shelf holds sets of the flow already", shelf.place, fix)
    trial = _Trial(maker, shelf, take)
    faults = {check: tuple(found) for check, found in _trials(trial)}
    return tuple(Result(check, *words, faults[check]) for check, words in CHECKS.items())


def _trials(trial: _Trial) -> Iterator[tuple[str, list[str]]]:
    maker, shelf, flow = trial.maker, trial.shelf, trial.maker.contract
    few, more = maker.rows(_UNITS), maker.rows(_MORE)
    good, said = maker.put(shelf, few, (_BEGIN, 0))
    trial.take()
    yield "taken", list(trial.applied(good, said))
    before = trial.receipts(good)
    trial.take()
    yield "repeated", [] if trial.receipts(good) == before else ["受領証が変わった"]
    delta, _ = maker.put(shelf, more, (_BEGIN, 2))
    trial.take()
    yield "gap", list(trial.refused(delta, told=False))
    old, _ = maker.put(shelf, more, (_BEGIN - 1, 0))
    trial.take()
    yield "stale", list(trial.refused(old, told=False))
    for place, (check, lost) in enumerate((("part-lost", True), ("part-changed", False)), 1):
        bad, _ = maker.put(shelf, more, (_BEGIN + place, 0))
        damaged(shelf, bad, lost=lost)
        trial.take()
        yield check, list(trial.refused(bad))
    other = {feed.name: more[feed.name][1:] for feed in flow.feeds}
    wrong, _ = maker.put(shelf, more, (_BEGIN + 3, 0), other=other)
    trial.take()
    yield "rows-other", list(trial.refused(wrong))
    again, told = maker.put(shelf, more, (_BEGIN + 4, 0))
    trial.take()
    yield "goes-on", list(trial.applied(again, told))
