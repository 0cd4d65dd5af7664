"""What a contract asks of every provider of sets, looked for on the shelf where it laid them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from kiban import sets
from kiban.kernel import Problem, Problems
from kiban.linkage import files
from kiban.linkage.conformance.verifying import Result
from kiban.linkage.consumer import Replica
from kiban.linkage.contracts.model import Contract
from kiban.linkage.files import about, companions, intake

CHECKS = {
    "there": ("セットがあり、目録が読める", "届いたことに誰も気づかない"),
    "order": ("全件が世代を開き、差分が直前のものを示して続く", "抜けや前後の入替りに気づけない"),
    "whole": ("目録の部品がすべてあり、1バイトも違わない（n個のうちn個）", "一部だけを取り込む"),
    "signed": ("信頼する鍵で署名している", "誰が作ったか分からない"),
    "form": ("契約のグループを、契約のプロファイルの形で運ぶ", "利用側が読めない、または読み違える"),
    "rows": ("示した件数・合計・要約値が、行と合う", "作成時の欠けに気づかない"),
    "content": ("値が契約と標準のとおりである", "利用側で隔離され、反映されない"),
    "ends": (
        "行のなくなった人・世帯を、終わったものとして示す",
        "除票の人が現存者として残る、または消えてよいか分からない",
    ),
    "protection": ("対象者の渡さない項目を空にする", "支援措置の対象者の住所が漏れる"),
}
"""What is looked at, and what goes wrong in a city whose provider does not do so."""

_OF = {
    "whole": ("part-missing", "part-changed", "part-rows", "part-sums", "part-unreadable", "set-totals"),
    "signed": ("set-unsigned", "signer-unknown", "signature-wrong"),
    "form": ("about-", "companion-", "file-", "part-stranger", "set-other-", "characters-"),
    "rows": ("set-rows", "set-sums", "set-buckets"),
    "ends": ("absence-many", "set-units"),
}
_OF_THE_ORDER = ("sequence-", "epoch-", "set-no-epoch", "set-stale")


def verify_sets(
    contract: Contract, shelf: sets.Shelf, desk: files.Intake, folder: Path
) -> tuple[Result, ...]:
    """Take every set of a flow into an empty copy, and say what a consumer would have to refuse. The shelf stays as it is.

    Args:
        contract: of the flow.
        shelf: of the provider.
        desk: how the files are read; with `unsigned` signatures are not asked for.
        folder: empty, for copies.

    Returns:
        A result for each of `CHECKS`; its faults name sets by epoch and sequence, and tell no value.

    Raises:
        Problem: `shelf-unreadable`.
    """
    faults: dict[str, list[str]] = defaultdict(list)
    manifests = list(_manifests(shelf, contract.flow, faults))
    faults["order"] += _order(manifests)
    copy = sets.open_shelf(folder / "shelf", make=True)
    with Replica.open(folder / "replica", contract) as replica:
        for manifest in (
            manifests
        ):  # one after the other, as they came: who sees a later epoch takes none of an older one
            _copy(shelf, manifest, copy)
            _take(replica, copy, manifest, desk, faults)
            faults["protection"] += _leaks(contract, copy, manifest, desk)
    return tuple(
        Result(check, *words, tuple(dict.fromkeys(faults[check]))) for check, words in CHECKS.items()
    )


def _manifests(shelf: sets.Shelf, flow: str, faults: dict[str, list[str]]) -> Iterator[sets.Manifest]:
    there = sets.positions(shelf, flow)
    if not there:
        faults["there"].append("このフローのセットが1つもない")
    for position in there:
        try:
            yield sets.find(shelf, flow, *position)
        except (Problem, Problems):
            faults["there"].append(f"{_named(position)}：目録が読めない")


def _copy(shelf: sets.Shelf, manifest: sets.Manifest, copy: sets.Shelf) -> None:
    """Put a set on a shelf of one's own: receipts are filed there, and not at the provider."""
    for key in shelf.sizes(sets.part_place(manifest, manifest.parts[0]).rpartition("/")[0]):
        copy.put(key, shelf.chunks(key))
    copy.put(sets.manifest_place(manifest), sets.manifest_bytes(manifest))


def _order(manifests: list[sets.Manifest]) -> Iterator[str]:
    before: sets.Manifest | None = None
    for each in manifests:
        if each.kind == "delta":
            follows = before is not None and (before.epoch, before.sequence) == (each.epoch, each.previous)
            if not follows:
                yield f"{_named(each.position)}：直前のセットが{each.previous}でない"
        elif before is not None and each.epoch <= before.epoch:
            yield f"{_named(each.position)}：全件が新しい世代を開いていない"
        before = each


def _take(
    replica: Replica,
    shelf: sets.Shelf,
    manifest: sets.Manifest,
    desk: files.Intake,
    faults: dict[str, list[str]],
) -> None:
    name = _named(manifest.position)
    try:
        taken = files.take_set(replica, shelf, manifest, desk)
    except (Problem, Problems) as found:
        for problem in found.problems if isinstance(found, Problems) else (found,):
            if not problem.code.startswith(_OF_THE_ORDER):
                faults[_check_of(problem.code)].append(f"{name}：{problem.where or ''}（{problem.code}）")
        return
    if taken.quarantined:
        faults["content"].append(f"{name}：{taken.quarantined}の人・世帯の値が契約に合わない")
    for feed, units in taken.absent.items():
        faults["ends"].append(f"{name}：{feed} の{len(units)}の人・世帯が、終わった印なしに消えている")


def _check_of(code: str) -> str:
    return next((check for check, codes in _OF.items() if code.startswith(codes)), "content")


def _leaks(
    contract: Contract, shelf: sets.Shelf, manifest: sets.Manifest, desk: files.Intake
) -> Iterator[str]:
    """Items that stand there of somebody who is protected, though the contract withholds them."""
    if not any(contract.protection.withheld.values()):
        return
    try:
        said = about.about_of(shelf, manifest, desk.scratch)
        data = about.companion(shelf, manifest, about.PROTECTION, desk.scratch)
        protected = companions.read_protection(data, said.protection)
        for feed in contract.feeds:
            hidden = contract.protection.withheld.get(feed.name, frozenset())
            for batch in intake.batches_of(desk, shelf, manifest, feed) if hidden else ():
                if not batch.equals(protected.withhold(contract, feed, batch)):
                    yield f"{_named(manifest.position)}：{feed.name}"
    except (Problem, Problems):
        return  # told of already, by what could not be read


def _named(position: sets.Position) -> str:
    return f"世代{position[0]}・通番{position[1]}"
