"""Changes of items and codes: what each is called, and whether it breaks anybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tests.linkage.contracts.edits import (
    Case,
    breaks,
    codes,
    item,
    measured,
    passes,
    recoded,
    same,
    with_item,
    with_list,
    without,
)

from kiban.standard import Code

ITEMS: dict[str, Case] = {
    "an optional item goes": breaks("item-removed", "jumin.tsusho", without("tsusho")),
    "a mandatory item goes": breaks("item-removed", "jumin.juminjotai", without("juminjotai")),
    "a flag goes": breaks("item-removed", "jumin.shiensochifuragu", without("shiensochifuragu")),
    "a key item goes": breaks("item-removed", "jumin.rirekibango", without("rirekibango")),
    "an item of a household goes": breaks("item-removed", "setai.setaininzu", without("setaininzu", "setai")),
    "an optional item comes": passes("item-added", "jumin.kyuji", with_item("kyuji")),
    "a conditional item comes": passes("item-added", "jumin.juminhyokodo", with_item("juminhyokodo")),
    "a mandatory item comes": breaks("item-added", "jumin.shorinengappi", with_item("shorinengappi")),
    "a key item comes": breaks("item-added", "jumin.biko", with_item("biko", key=True)),
    "a text becomes a number": breaks("type-changed", "jumin.setaibango", item("setaibango", type="9")),
    "a number becomes a text": breaks("type-changed", "jumin.setaiinjunjo", item("setaiinjunjo", type="X")),
    "half-width becomes full-width": breaks(
        "type-changed", "jumin.jusho_yubinbango", item("jusho_yubinbango", type="N")
    ),
    "full-width becomes half-width": breaks(
        "type-changed", "jumin.shimei_furigana", item("shimei_furigana", type="X")
    ),
    "a day becomes a text": breaks(
        "type-changed", "jumin.tenshutsunengappi", item("tenshutsunengappi", type="X")
    ),
    "a text becomes a day": breaks(
        "type-changed", "jumin.jusho_choazakanribango", item("jusho_choazakanribango", type="DATE")
    ),
    "a number may be below nothing": breaks(
        "type-changed", "jumin.setaiinjunjo", item("setaiinjunjo", type="S9")
    ),
    "a whole number becomes a decimal": breaks(
        "type-changed", "jumin.setaiinjunjo", item("setaiinjunjo", type="9V", scale=1)
    ),
    "a day becomes a year": breaks(
        "type-changed", "jumin.tenshutsunengappi", item("tenshutsunengappi", type="YEAR")
    ),
    "a name grows": breaks("width-up", "jumin.shimei", item("shimei", digits=200)),
    "a name grows by one": breaks("width-up", "jumin.shimei", item("shimei", digits=101)),
    "a name shrinks": breaks("width-down", "jumin.shimei", item("shimei", digits=80)),
    "a town shrinks from 120 to 18": breaks(
        "width-down", "jumin.jusho_choaza", item("jusho_choaza", digits=18)
    ),
    "a town grows from 18 to 120": breaks(
        "width-up", "jumin.jusho_choaza", item("jusho_choaza", digits=18), same
    ),
    "a number grows": breaks("width-up", "jumin.rirekibango", item("rirekibango", digits=6)),
    "a number shrinks": breaks("width-down", "jumin.rirekibango", item("rirekibango", digits=3)),
    "the number of a person grows": breaks("width-up", "jumin.atenabango", item("atenabango", digits=16)),
    "a width is no longer said": breaks("width-up", "jumin.shimei", item("shimei", digits=None)),
    "a width is said": breaks("width-down", "jumin.shimei", item("shimei", digits=None), same),
    "more digits behind the point": breaks(
        "scale-up",
        "jumin.setaiinjunjo",
        item("setaiinjunjo", type="9V", scale=1),
        item("setaiinjunjo", type="9V", scale=2),
    ),
    "fewer digits behind the point": breaks(
        "scale-down",
        "jumin.setaiinjunjo",
        item("setaiinjunjo", type="9V", scale=2),
        item("setaiinjunjo", type="9V", scale=1),
    ),
    "one value becomes many": breaks("repeat-up", "jumin.tsusho", item("tsusho", repeat=5)),
    "many values become one": breaks("repeat-down", "jumin.tsusho", item("tsusho", repeat=5), same),
    "more values": breaks("repeat-up", "jumin.tsusho", item("tsusho", repeat=5), item("tsusho", repeat=9)),
    "fewer values": breaks("repeat-down", "jumin.tsusho", item("tsusho", repeat=9), item("tsusho", repeat=5)),
    "an unknown day is possible": breaks(
        "unknown-date-changed", "jumin.tenshutsunengappi", item("tenshutsunengappi", allows_unknown_date=True)
    ),
    "an unknown day is not possible": breaks(
        "unknown-date-changed", "jumin.seinengappi", item("seinengappi", allows_unknown_date=False)
    ),
    "an item joins the key": breaks("key-changed", "jumin.setaibango", item("setaibango", key=True)),
    "an item leaves the key": breaks("key-changed", "jumin.rirekibango", item("rirekibango", key=False)),
    "an item is needed": breaks("required-changed", "jumin.tsusho", item("tsusho", condition="必須")),
    "an item is needed under a condition": breaks(
        "required-changed", "jumin.tsusho", item("tsusho", condition="条件付き必須")
    ),
    "an item is no longer needed": breaks(
        "required-changed", "jumin.juminjotai", item("juminjotai", condition="任意")
    ),
    "a condition is dropped": breaks("required-changed", "jumin.shimei", item("shimei", condition="任意")),
    "another romaji": breaks(
        "item-removed", "jumin.tsusho", lambda old: with_item("kyuji")(without("tsusho")(old))
    ),
    "another title": breaks("title-changed", "jumin.shimei", item("shimei", name="氏名等")),
    "a flag turns round": breaks(
        "meaning-changed",
        "jumin.shiensochifuragu",
        item("shiensochifuragu", definition="支援措置の対象でないことを示すフラグ（0：対象、1：対象でない）"),
    ),
    "an empty flag means something else": breaks(
        "meaning-changed",
        "jumin.seinengappi_fushofuragu",
        item("seinengappi_fushofuragu", description="・空欄は「1」とみなす"),
    ),
    "a coded item is defined anew": breaks(
        "meaning-changed", "jumin.idojiyu", item("idojiyu", definition="直前の異動の事由")
    ),
    "a name is defined in other words": passes(
        "reworded", "jumin.shimei", item("shimei", definition="住民の氏名をいう。")
    ),
    "another sample": passes("reworded", "jumin.shimei", item("shimei", sample="佐藤　一郎")),
    "another remark": passes("reworded", "jumin.shimei", item("shimei", remarks="備考")),
    "another column of the list": passes(
        "reworded", "jumin.shimei", item("shimei", extra=(("追加列_市", "○"),))
    ),
    "another classification": passes("reworded", "jumin.shimei", item("shimei", classes=("住民", "", ""))),
    "another number of the item": passes("item-renumbered", "jumin.shimei", item("shimei", id="00199999")),
    "no longer to be built in": passes(
        "implementation-changed", "jumin.shimei", item("shimei", implementation="")
    ),
    "yen become thousands of yen": breaks("measure-changed", "jumin.setaiinjunjo", *measured("円", "千円")),
    "a measure is said": breaks("measure-changed", "jumin.setaiinjunjo", *measured(None, "円")),
    "a measure is no longer said": breaks("measure-changed", "jumin.setaiinjunjo", *measured("円", None)),
}

CODES: dict[str, Case] = {
    "a code comes": breaks(
        "code-added",
        "jumin.seibetsu",
        codes("1", lambda old: replace(old, codes=(*old.codes, Code("5", "その他")))),
    ),
    "a code goes": breaks(
        "code-removed", "jumin.seibetsu", codes("1", lambda old: replace(old, codes=old.codes[1:]))
    ),
    "a code is told apart anew": breaks("code-removed", "jumin.seibetsu", codes("1", recoded(0, value="7"))),
    "a code means something else": breaks(
        "code-relabelled", "jumin.seibetsu", codes("1", recoded(0, label="不明"))
    ),
    "two codes change places": breaks(
        "code-relabelled",
        "jumin.shiensochifuragu",
        codes(
            "2",
            lambda old: replace(
                old,
                codes=tuple(
                    replace(a, label=b.label) for a, b in zip(old.codes, old.codes[::-1], strict=True)
                ),
            ),
        ),
    ),
    "a code ends": breaks(
        "code-validity-changed", "jumin.seibetsu", codes("1", recoded(0, valid_to=date(2027, 4, 1)))
    ),
    "a code begins": breaks(
        "code-validity-changed", "jumin.seibetsu", codes("1", recoded(0, valid_from=date(2027, 4, 1)))
    ),
    "another remark of a code": passes("", "", codes("1", recoded(0, remarks="注"))),
    "a list is filled by each city": breaks(
        "codes-free-changed", "jumin.seibetsu", codes("1", lambda old: replace(old, free=True, codes=()))
    ),
    "a list is no longer filled by each city": breaks(
        "codes-free-changed",
        "jumin.seibetsu",
        codes("1", lambda old: replace(old, free=True, codes=())),
        same,
    ),
    "an item is no longer coded": breaks("codes-changed", "jumin.seibetsu", item("seibetsu", code=None)),
    "an item is coded": breaks("codes-changed", "jumin.seibetsu", item("seibetsu", code=None), same),
    "an item takes another list": breaks(
        "code-added", "jumin.juminshubetsu", item("juminshubetsu", code="6")
    ),
    "a list has another ID": passes(
        "codes-renamed",
        "jumin.seibetsu",
        lambda old: item("seibetsu", code="1001")(
            codes("1001", lambda _: replace(old.feeds[0].edition.codes["1"], id="1001"))(
                with_list(old, "1001")
            )
        ),
    ),
}
