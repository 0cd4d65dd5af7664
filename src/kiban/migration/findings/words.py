"""What each code of a finding says to officials."""

from __future__ import annotations

from kiban.migration.findings.settle import AFTER

SEVERITIES = {"must": "必須", "should": "要確認", "note": "参考"}
STATES = {
    "open": "未決定",
    "accepted": "受入れ",
    "rejected": "除外",
    "merged": "統合",
    "returned": "出し直し",
    "settled": "解消",
}
_CODES = {
    "value-missing": "値がない",
    "value-length": "桁数が違う",
    "value-negative": "負の数",
    "value-long": "標準の桁数より長い",
    "value-width": "半角の項目に全角の文字がある",
    "value-many": "繰り返しの数が多すぎる",
    "code-unknown": "コード表にない",
    "text-full": "欄いっぱいで、続きが切れているかもしれない",
    "date-form": "日付の形でない",
    "date-era": "元号の期間にない日か、旧暦の日",
    "date-calendar": "暦にない日",
    "date-flag": "不詳の印が0でも1でもない",
    "date-beside-flag": "不詳の印があるのに日付がある",
    "date-future": "基準日より後の日",
    "date-order": "前の日付より早い",
    "date-apart": "前の日付から離れすぎている",
    "birth-after": "生年月日より前に住んでいる",
    "birth-long-ago": "年齢が高すぎる（元号の誤りなど）",
    "time-form": "時刻の形でない",
    "year-form": "年の形でない",
    "year-other": "決定した年度と離れている",
    "number-form": "数字の形でない",
    "number-range": "標準の範囲にない数",
    "kana-form": "全角にできないカナ",
    "list-form": "区切りの形でない",
    "check-digit": "検査数字が合わない",
    "total-wrong": "合計が合わない",
    "count-wrong": "件数が実際の行数と違う",
    "key-collides": "別の番号と同じ番号になる",
    "double-same": "同じキーの行（中身まで同じ）",
    "double-other": "同じキーの行（中身が違う）",
    "period-missing": "有効期間の端がない",
    "period-empty": "終わりが始まりより後でない",
    "period-overlap": "次の履歴が始まっても終わっていない",
    "period-overlapped": "前の履歴が終わる前に始まっている",
    "period-gap": "次の履歴が始まるまで空いている",
    "period-gap-before": "前の履歴が終わってから空いている",
    "period-begin-other": "最初の日が相手の記録と違う",
    "period-end-other": "最後の日が相手の記録と違う",
    "reference-missing": "指す先がない",
    "reference-ended": "指す先が条件に合わない（終わっているなど）",
    "reference-other": "指す先はあるが、内容が合わない",
    "reference-several": "指す先がいくつもある",
    "ward-unknown": "一覧にない区",
    "person-differs": "同じ番号の人と1項目が違う",
    "person-other": "同じ番号の人と2項目以上が違う（人違い）",
    "protection-missing": "支援措置の対象者なのに印がない",
    "protection-extra": "印があるのに支援措置の対象者でない",
    "low-values": "数字の欄が未設定（X'00'）",
    "spaces": "数字の欄が空白",
    "nibble-bad": "パック10進の半バイトが数字でない",
    "sign-bad": "符号が正しくない",
    "zone-bad": "ゾーン10進の形でない",
    "digit-bad": "数字でない文字",
    "digits-many": "桁数が多すぎる",
    "code-unmapped": "文字コード表にない符号",
    "gaiji-undecided": "2人が決めていない外字",
    "shift-unbalanced": "シフト符号が閉じていない",
    "byte-truncated": "文字の途中で切れている",
    "discriminator-unknown": "どの形のレコードか分からない",
    "record-short": "レコードが短い",
    "record-long": "レコードが長い",
    "table-count": "繰り返しの数とレコードの長さが合わない",
    "line-broken": "CSVの行が壊れている",
    "columns-wrong": "CSVの列の数が違う",
}


def said(code: str) -> str:
    """A code in words; the code itself where it has none.

    >>> said("date-future"), said("reference-missing-after")
    ('基準日より後の日', '指す先がない（除外したために生じた）')
    """
    bare = code.removesuffix(AFTER)
    words = _CODES.get(bare, bare)
    return words if bare == code else f"{words}（除外したために生じた）"
