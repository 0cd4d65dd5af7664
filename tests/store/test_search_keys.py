"""Columns give the same search entries as single rows."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from kiban import main, standard, store
from kiban.settings import Settings
from kiban.store import search, search_keys

from .people import person

_NAMES = st.sampled_from(
    [
        None,
        "渡邉　花子",
        "渡邉\U000e010f　々子",
        "佐々木　太郎",
        "ＳＭＩＴＨ　ＭＡＲＹ",
        "オ　ウメ",
        "髙﨑",
        "",
        "山田　　二つ",
        "Z ́々",
    ]
)
_READINGS = st.sampled_from(
    [None, "ワタナベ　ハナコ", "オ　ウメ", "ヴ　アイ", "サトー　ジョウジ", "ｻﾄｳ ｼﾞﾛｳ", "コ　オ"]
)
_BIRTHS = st.sampled_from(
    [
        ("1950-03-04", "0", None), ("1951-02-29", None, None), (None, "1", "昭和２５年頃"), (None, None, None),
        ("1950-03-04", "1", "昭和２５年頃"), ("0000-01-01", None, None), (None, "1", "年月日不詳"),
    ]
)  # fmt: skip


_LINES = st.text("一二十〇1９丁目番地号號室館町のノー-－　澤ヶ丘ベａ\u3099゛①", max_size=5)
_ADDRESSES = st.tuples(
    _LINES | st.just("本町三丁目"),
    *[st.none() | _LINES | st.sampled_from(["９番８号", "ベル館１０１号"])] * 2,
)


_BIRTH = ("seinengappi", "seinengappi_fushofuragu", "seinengappi_fushohyoki")


@cache
def _group() -> standard.Group:
    return main.library(given=Settings(home=Path("unused"))).edition("resident").group("jumin")


_ADDRESS = ("jusho_choaza", "jusho_banchigohyoki", "jusho_katagaki")


@given(rows=st.lists(st.tuples(_NAMES, _READINGS, _NAMES, _BIRTHS, _ADDRESSES), min_size=1, max_size=12))
def test_columns_give_the_entries_that_single_rows_give(rows: list[tuple]) -> None:  # type: ignore[type-arg]
    group = _group()
    people = [
        person(
            str(n),
            shimei=name,
            shimei_furigana=kana,
            tsusho=alias,
            **dict(zip((*_BIRTH, *_ADDRESS), (*birth, *address), strict=True)),
        )
        for n, (name, kana, alias, birth, address) in enumerate(rows)
    ]
    schema = pa.schema([f.with_nullable(True) for f in store.arrow_schema(group)])
    many = search_keys.entries(group, pa.RecordBatch.from_pylist(people, schema=schema)).to_pylist()
    single = [entry for row in people for entry in search.entries(group, row)]

    def in_order(entries: list[dict]) -> list[list]:  # type: ignore[type-arg]
        return sorted(([e[n] or "" for n in search_keys._SCHEMA.names] for e in entries), key=repr)

    assert in_order(many) == in_order(single)
