"""What was read of the bytes, and the proof that none was lost."""

from __future__ import annotations

from kiban.migration.packet import Section, Table, Verdict
from kiban.migration.stage import Context
from kiban.migration.stages.sections.outputs import summary_of


def decoded(context: Context) -> Section:
    """Rows read, values that could not be, and what writing them back showed."""
    summary, proof = summary_of(context, "decode"), summary_of(context, "prove")
    faults = int(summary["faults"])
    sentences = [
        f"全ファイルの{summary['rows']:,}行を、読み飛ばさずに復号しました。",
        "読めない値はありませんでした。代わりの文字（〓や？）に置き換えた値もありません。"
        if not faults
        else f"読めない値が{faults:,}個あります。置き換えや省略はせず、場所と元のバイトを台帳に残しました。",
    ]
    if summary["filled"]:
        sentences.append(
            f"説明のない余白に{summary['filled']:,}バイトの値があります。持ち主に意味を確かめてください。"
        )
    codes = [(code, count) for code, count in summary["codes"].items()]
    tables = [Table("読めない値の種類", ("種類", "個数"), codes)] if codes else []
    lost = proof["unexplained"] + proof["missing"]
    sentences.append(
        f"読んだ値をもう一度書き戻し、{proof['records']:,}レコードの元のバイトと比べました。"
        + (
            f"{proof['fields']:,}個の値が1バイトも違わず元に戻り、説明のつかないバイトはありません。"
            if not lost
            else f"説明のつかないバイトが{proof['unexplained']:,}、行にならなかったレコードが{proof['missing']:,}あります。"
        )
    )
    if proof["otherwise"]:
        sentences.append(
            f"同じ値でも書き方が異なるもの（符号の書き方など）が{proof['otherwise']:,}個あり、元のバイトは受け取ったファイルに残っています。"
        )
    verdict: Verdict = "bad" if lost else "open" if faults or summary["filled"] else "good"
    return Section("復号", verdict, sentences, tables)
