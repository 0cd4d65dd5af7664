"""What `kiban sets` says of sets, in the words of officials."""

from __future__ import annotations

from collections.abc import Iterator

from kiban import sets
from kiban.cli.listing import Row
from kiban.kernel import Problem

KINDS = {"full": "全件", "delta": "差分"}
STATES = {"received": "受領", "validated": "検証済", "applied": "反映済"}

SAID = {
    "set-signature": "署名がマニフェストの内容と合わない。改ざんか書換えのおそれがある",
    "set-unsigned": "署名がない",
    "signer-unknown": "信頼する鍵の中に署名者がいない",
    "epoch-stale": "より新しい世代が開いている。古いセットである",
    "sequence-stale": "既に反映した位置より新しくない。再び反映してはならない",
    "sequence-gap": "前のセットが抜けている。反映を止めて再送を求める",
    "set-sequence": "順序番号の付け方が正しくない",
    "set-columns": "項目の指定が正しくない",
    "set-buckets": "全体のダイジェストが中身と合わない",
    "set-place": "別の位置のマニフェストが写されている",
    "part-number": "何番目／全何個の表示が合わない",
    "part-repeated": "同じ分割が二度入っている",
    "part-sums": "合計が中身と合わない",
    "part-rows": "件数が中身と合わない",
    "part-missing": "分割が届いていない",
    "part-extra": "マニフェストにない余分なファイルがある",
    "part-changed": "発行時と内容が異なる",
    "part-unreadable": "中身を読み取れない",
    "manifest-unreadable": "マニフェストを読み取れない",
    "manifest-version": "マニフェストの版が異なる",
    "claim-unreadable": "作成中の札を読み取れない",
    "claim-version": "作成中の札の版が異なる",
    "document-field": "記載の形式が正しくない",
}
"""What each code means; whoever reads it decides what to do."""


_WHAT = {
    "missing": "右にない",
    "extra": "右にだけある",
    "differs": "項目が異なる",
    "repeated": "キーが重複する",
}


def said(problem: Problem) -> str:
    """One fault of a set as a line."""
    where = f"{problem.where}：" if problem.where else ""
    return f"→ {where}{SAID.get(problem.code, problem.what)} [{problem.code}]"


def title(draft: sets.Draft) -> str:
    """A set as its first line names it."""
    return f"{draft.flow} {draft.epoch}-{draft.sequence}（{KINDS[draft.kind]}、基準日 {draft.as_of.valid}）"


def size(count: int) -> str:
    """A number of bytes, short."""
    units = ("B", "KiB", "MiB", "GiB")
    step = min((max(count, 1).bit_length() - 1) // 10, 3)
    return f"{count:,} B" if step == 0 else f"{count / 1024**step:,.1f} {units[step]}"


def facts(manifest: sets.Manifest) -> list[str]:
    """What is said of a set, a line each."""
    previous = "なし" if manifest.previous is None else f"{manifest.epoch}-{manifest.previous}"
    known = f"（{manifest.as_of.known.isoformat()} 時点で知られていたもの）" if manifest.as_of.known else ""
    signer = "なし" if manifest.signature is None else manifest.signature.key
    edition = " ".join(text for text in (manifest.register, manifest.edition) if text) or "なし"
    return [
        title(manifest),
        f"ID         {manifest.set_id}",
        f"前のセット {previous}",
        f"基準日     {manifest.as_of.valid}{known}",
        f"作成元     {manifest.producer}",
        f"登録簿・版 {edition}",
        f"キー       {'、'.join(manifest.key) or 'なし'}",
        f"件数       {manifest.rows:,}件（{len(manifest.parts)}分割、{size(manifest.bytes)}）",
        *(f"合計       {name} {value:,}円" for name, value in sorted(manifest.totals.items())),
        f"全体の要約 {manifest.digest or 'なし（キーがない）'}",
        f"署名の鍵   {signer}",
    ]


def row(one: sets.Manifest, found: sets.Contents) -> Row:
    """A set as a line of a list: flow, position, kind, day, rows, parts there of parts, signed, id."""
    there = len(one.parts) - len(found.lacking.get(one.set_id, ()))
    return (
        *(one.flow, f"{one.epoch}-{one.sequence}", KINDS[one.kind], str(one.as_of.valid), f"{one.rows:,}"),
        *(f"{there}/{len(one.parts)}", "あり" if one.signature else "なし", one.set_id),
    )


def verdict(manifest: sets.Manifest, faults: int) -> str:
    """What a check found, and what it did not look at."""
    if faults:
        return f"不備は{faults}件です。このセットは使えません。"
    raw = sum(part.form == "bytes" for part in manifest.parts)
    rest = f"（{raw}分割は表形式でないため、件数と合計は作成元の申告のままです）" if raw else ""
    signer = (
        "署名はありません。"
        if manifest.signature is None
        else f"署名の鍵は {manifest.signature.key[:16]}… です。"
    )
    return (
        f"不備はありません。{len(manifest.parts)}分割 {manifest.rows:,}件を計算し直しました。{rest}{signer}"
    )


def comparison(found: sets.Comparison) -> Iterator[str]:
    """What a comparison found, a line for each row that differs."""
    if found.equal:
        yield f"同じです。左右とも{found.left:,}件で、ダイジェストが一致しました。"
        return
    yield f"異なります。左 {found.left:,}件、右 {found.right:,}件。"
    counts = {
        "missing": found.missing,
        "extra": found.extra,
        "differs": found.differing,
        "repeated": found.repeated,
    }
    yield "、".join(f"{_WHAT[what]} {count:,}件" for what, count in counts.items() if count)
    for line in found.differences.to_pylist():
        key = "・".join("なし" if text is None else text for text in line["key"])
        fields = f"：{'、'.join(line['fields'])}" if line["fields"] else ""
        yield f"→ {key} {_WHAT[line['what']]}{fields}"
    if (rest := sum(counts.values()) - found.differences.num_rows) > 0:
        yield f"（ほか{rest:,}件。--most で増やせます）"


def receipt(one: sets.Receipt, manifest: sets.Manifest) -> str:
    """What a receiver said of a set, in a line."""
    result = agrees = ""
    if one.problems:
        result = f"問題 {'、'.join(one.problems)}"
    elif one.rows is not None:
        result = f"{one.rows:,}件"
    if one.digest is not None:
        agrees = "、要約は一致" if one.digest == manifest.digest else "、要約は異なる"
    return f"受領証 {one.system} {STATES[one.state]} {one.at.isoformat()} {result}{agrees}".rstrip()
