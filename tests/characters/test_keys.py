"""Search keys: what they join, what they keep apart, and that the key of a key is itself."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiban import characters
from kiban.characters.kanji import kanji_table

KEYS = [characters.kana_key, characters.kana_loose_key, characters.name_key, characters.address_key]
BATCHES = [characters.kana_keys, characters.kana_loose_keys, characters.name_keys, characters.address_keys]

kana = st.text([chr(code) for code in (*range(0x3041, 0x30FF), *range(0xFF61, 0xFFA0), 0x20, 0x3000)])
addresses = st.text("一二十百〇13１９丁目番地号室館町のノーｰ-－‐ 　澤ヶ丘Ａa棟")
names = st.text("辺邊邉渡髙𠮷々斎齋ﾜタ・ ａZ’'–\U000e0101\ufe00\u0301é﨑")
texts = st.text() | kana | addresses | names


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.__name__)
@given(text=texts)
def test_the_key_of_a_key_is_itself(key, text: str) -> None:
    assert key(key(text)) == key(text)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.__name__)
def test_the_key_of_the_key_of_every_single_character_is_itself(key) -> None:
    for code in range(0x32400):  # beyond are no letters
        found = key(chr(code))
        if found:
            assert key(found) == found


@pytest.mark.parametrize(
    ("key", "batch"), list(zip(KEYS, BATCHES, strict=True)), ids=lambda each: each.__name__
)
@given(values=st.lists(st.none() | texts))
def test_a_batch_has_the_key_of_each_and_none_for_none(key, batch, values: list[str | None]) -> None:
    assert batch(values) == [None if value is None else key(value) for value in values]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.__name__)
@given(text=names)
def test_spaces_and_selectors_do_not_matter(key, text: str) -> None:
    plain = characters.strip_selectors("".join(text.split()))
    assert key(text) == key(plain)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ﾜﾀﾅﾍﾞ ｲﾁﾛｳ", "ワタナベ　イチロウ"),
        ("わたなべいちろう", "ワタナベ イチロー"),
        ("イチロウ", "イチロ"),
        ("ジョージ・ブッシュ", "ジヨジブツシユ"),
        ("ヅカ", "ズカ"),
        ("ヂロウ", "ジロー"),
        ("カヲル", "カオル"),
        ("ヴァン", "バン"),
        ("ヴィクター", "ビクタ"),
        ("ヴ", "ブ"),
        ("ヷ", "バ"),
        ("スミス－ジョーンズ", "スミスジョンズ"),
        ("コウウン", "コン"),
        ("スミエ", "スミヱ"),
        ("カ゛", "ガ"),
    ],
)
def test_readings_found_together(one: str, other: str) -> None:
    assert characters.kana_key(one) == characters.kana_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("ワタナベ", "ワタナヘ"), ("オオノ", "オーノ"), ("タケダ", "タケタ"), ("パク", "ハク")]
)
def test_readings_found_together_only_at_the_looser_level(one: str, other: str) -> None:
    assert characters.kana_key(one) != characters.kana_key(other)
    assert characters.kana_loose_key(one) == characters.kana_loose_key(other)


@pytest.mark.parametrize(("one", "other"), [("サトウ", "カトウ"), ("ユミ", "ユウミ"), ("ハナ", "ハンナ")])
def test_other_readings_stay_apart_at_both_levels(one: str, other: str) -> None:
    assert characters.kana_loose_key(one) != characters.kana_loose_key(other)


@given(kana.map(lambda text: text.replace("ヴ", "")), st.integers(0, 20))
def test_a_reading_that_begins_alike_has_a_key_that_begins_alike(text: str, cut: int) -> None:
    whole = unicodedata.normalize("NFKC", text).replace("\u3099", "").replace("\u309a", "")
    plain = "".join(c for c in whole if c not in "ヴゔヷヸヹヺ")
    for key in (characters.kana_key, characters.kana_loose_key):
        assert key(plain).startswith(key(plain[:cut]))


VARIANTS = (
    "辺邊邉 高髙 崎﨑嵜 斎齋 斉齊 沢澤 浜濱濵 島嶋嶌 桜櫻 国國 広廣 吉𠮷 "
    "渕淵 富冨 峰峯 竜龍 恵惠 真眞 徳德 薮藪 桧檜 遥遙 巌巖"
)


@pytest.mark.parametrize("variants", VARIANTS.split())
def test_variant_kanji_are_found_together(variants: str) -> None:
    assert len({characters.name_key(f"山{character}") for character in variants}) == 1
    assert set(variants) <= set(characters.kanji_variants(variants[-1]))


@pytest.mark.parametrize(
    "pair", ["斎斉", "玉王", "師帥", "功切", "書昼", "川河", "太大", "土士", "阪坂", "藤籐", "荘庄", "明朋"]
)
def test_other_kanji_stay_apart(pair: str) -> None:
    assert characters.name_key(pair[0]) != characters.name_key(pair[1])


@pytest.mark.parametrize("text", ["邉\U000e010f", "葛\U000e0100", "葛\U000e0101", "辻\ufe00"])
def test_variation_selectors_do_not_matter(text: str) -> None:
    assert characters.name_key(text) == characters.name_key(text[0])


def test_no_class_is_large_and_few_hold_two_common_kanji() -> None:
    classes = {characters.kanji_variants(chr(code)) for code in kanji_table()}
    assert max(map(len, classes)) <= 32
    # Common = JIS level 1. Each such class was looked at; more of them would mean that strangers merge.
    common = [
        [c for c in each if b"\x88\x9f" <= c.encode("shift_jis", "ignore") <= b"\x98\x72"] for each in classes
    ]
    assert max(map(len, common)) == 2
    assert sum(len(each) == 2 for each in common) <= 45


def test_a_representative_represents_itself() -> None:
    table = kanji_table()
    assert not {ord(found) for found in table.values()} & table.keys()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("渡邉\U000e010f　一郎", "渡辺一郎"),
        ("佐々木", "佐佐木"),
        ("Smith John", "ＳＭＩＴＨ　ＪＯＨＮ"),
        ("O'Brien", "Ｏ’ＢＲＩＥＮ"),
        ("ジョン・スミス", "ｼﾞｮﾝ ｽﾐｽ"),
        ("A-B", "Ａ－Ｂ"),
    ],
)
def test_names_found_together(one: str, other: str) -> None:
    assert characters.name_key(one) == characters.name_key(other)


def test_hiragana_and_katakana_names_are_two_names() -> None:
    assert characters.name_key("ひろみ") != characters.name_key("ヒロミ")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("本町一丁目２番３号", "本町1-2-3"),
        ("本町１丁目２－３", "本町1-2-3"),
        ("本町1-2-3", "本町1-2-3"),
        ("本町1ー2ー3", "本町1-2-3"),
        ("本町1の2ノ3", "本町1-2-3"),
        ("本町二十三丁目4番地の5", "本町23-4-5"),
        ("本町１番地", "本町1"),
        ("本町1-2-", "本町1-2"),
        ("本町1丁目2番3号　101号室", "本町1-2-3-101"),
        ("本町1丁目2番3号　コーポ澤　101号室", "本町1-2-3コーポ沢101"),
        ("西3丁2-7", "西3-2-7"),
        ("北三条西十丁目5", "北三条西10-5"),
        ("丸の内1-2", "丸の内1-2"),
        ("三番町6", "三番町6"),
        ("５番町３番地", "5番町3"),
        ("港町2号館", "港町2号館"),
        ("霞ヶ丘1", "霞ケ丘1"),
        ("櫻町1", "桜町1"),
        ("十百丁目", "十百丁目"),
    ],
)
def test_addresses_have_one_key(text: str, key: str) -> None:
    assert characters.address_key(text) == key


@given(st.text(), st.lists(st.sampled_from("\ufe00\ufe0f\U000e0100\U000e01ef")))
def test_selectors_have_no_length(text: str, selectors: list[str]) -> None:
    assert characters.length(text + "".join(selectors)) == characters.length(text)
    assert characters.length(text) == len(characters.strip_selectors(text))


def test_characters_beyond_the_first_plane_count_as_one() -> None:
    assert characters.length("𠮷野") == 2
