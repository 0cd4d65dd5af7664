"""What a fault of a query is called on a page."""

from __future__ import annotations

from collections.abc import Iterable

from kiban.kernel import Problem

WORDS = {
    "group-unknown": "グループが今の標準の版にありません。",
    "group-twice": "同じグループが二度指定されています。",
    "reference-unknown": "結び付ける外部キーがありません。",
    "item-unknown": "項目が今の標準の版にないか、そのグループを結び付けていません。",
    "item-hidden": "持ち出せない項目が、項目・条件・並べ替え・集計・結び付けのどこかに含まれています。",
    "items-missing": "項目が一つも選ばれていません。",
    "item-binary": "画像の項目は出力できません。",
    "age-of-what": "年齢は、日付の項目からだけ計算できます。",
    "day-unreadable": "日付を読み取れません。2026-04-01、令和8年4月1日、今日、年度末日、今日-30 のように入力してください。",
    "known-unreadable": "記録の時点を読み取れないか、未来の時点です。",
    "condition-value": "条件の値が、項目の型・桁数に合いません。",
    "condition-item": "この項目には使えない条件です。",
    "condition-kind": "条件の種類が一つに決まりません。",
    "condition-unknown-dates": "日付の不詳があり得る項目です。不詳の行を含めるか、除くかを選んでください。",
    "code-name-unknown": "コードの名称が、コード一覧にありません。",
    "ward-none": "このグループの行は区に属しません。",
    "ward-unknown": "区のコードを6桁で入力してください。",
    "totals-empty": "区ごとの集計には、集計の指定が要ります。",
    "totals-and-items": "集計では、項目は集計の区分になります。",
    "sum-of-what": "合計できるのは数値の項目だけです。",
    "order-outside": "並べ替えの項目が、集計の区分にありません。",
    "query-text": "入力が長すぎるか、使えない文字が含まれています。",
    "query-many": "指定が多すぎます。",
    "query-number": "件数は1以上の数字で入力してください。",
    "query-word": "選択肢にない値です。",
    "field-missing": "必要な入力がありません。",
    "extract-reason": "使用の目的を入力してください。",
    "extracts-many": "待機中・実行中の抽出が多すぎます。終わるのを待つか、中止してください。",
    "queries-many": "保存できる数を超えています。不要なものを削除してください。",
    "time-exceeded": "時間内に終わりませんでした。集計は、実行すれば時間をかけて行います。",
    "not-allowed": "この操作は許可されていません。",
    "extract-lifted": "支援措置等の一時解除を受けている間は、抽出できません。解除が終わってから行ってください。",
    "extract-stale": "抽出後に支援措置等の対象者が加わりました。抽出し直してください。",
    "cell-long": "Excelのセルに入らない長い値があります。CSVかParquetを選んでください。",
    "cell-control": "Excelのセルに入らない文字があります。CSVかParquetを選んでください。",
    "disk-full": "ファイルを置く場所がありません。情報システム部門へ連絡してください。",
    "extract-given-up": "実行が何度も中断されました。情報システム部門へ連絡してください。",
}


def said(problems: Iterable[Problem]) -> list[str]:
    """The faults in Japanese, each once, with the item where there is one."""
    return list(dict.fromkeys(worded(each.code, each.where or "") for each in problems))


def worded(code: str, where: str = "") -> str:
    """One fault in Japanese."""
    inside = where[where.find("(") + 1 : where.find(")")] if "(" in where else ""
    return (f"{inside}：" if inside else "") + WORDS.get(code, f"指定を確認してください（{code}）。")
