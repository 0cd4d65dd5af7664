"""A batch folds to the same keys as each value alone, whatever stands beside what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiban import characters

_TEXT = st.text(
    alphabet=st.sampled_from("アオウヴァー゛ノの一二三丁目番地号-－ 　0９々渡邉\U000e010f'ｱﾞAaΣ\n\0髙丁"),
    max_size=8,
)
_NAME = st.builds(
    lambda a, b: f"{a}　{b}",
    st.text(alphabet="アオウヴァコトーガズゴ渡邉々ひゞ", max_size=4),
    st.text(alphabet="アオウァヴカコーヲヅ一郎々ひ゛", max_size=4),
)
_PAIRS = [
    (characters.kana_key, characters.kana_keys),
    (characters.kana_loose_key, characters.kana_loose_keys),
    (characters.name_key, characters.name_keys),
    (characters.address_key, characters.address_keys),
]


@pytest.mark.parametrize(("one", "many"), _PAIRS)
@given(values=st.lists(st.one_of(st.none(), _TEXT, _NAME)))
def test_a_batch_folds_like_each_value_alone(one, many, values):  # type: ignore[no-untyped-def]
    assert many(values) == [None if value is None else one(value) for value in values]
