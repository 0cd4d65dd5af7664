"""What was typed into the search: one box that understands numbers, dates, kana, names and addresses, and fields for each."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from kiban import kernel
from kiban.kernel import UncertainDate
from kiban.standard import Item
from kiban.web.counter.municipality import split
from kiban.web.counter.registers import Roll

_LONGEST = 200
_KANA = re.compile(r"[ぁ-ゖァ-ヺー・\s]+")
_ADDRESS = re.compile(r"[一-鿿].*(\d|[丁番号])")
_EIGHT = re.compile(r"(1[89]|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_DATED = re.compile(
    r"([明大昭平令][治正和成和]?[元\d一二三四五六七八九十]|[MTSHRmtshr]\d|(1[89]|20)\d{2}[年/.\-])"
)


@dataclass(frozen=True)
class Asked:
    """What is looked for; everything that is given must hold.

    Attributes:
        register: schema.table of the roll.
        number: of the item that identifies the person, or of another number.
        number_item: romaji of that item.
        name: the beginning of a name.
        kana: the beginning of its reading.
        birth: a day or a span, as it was typed.
        sex: code.
        address: the beginning of the address without the municipality.
        wards: `own` or `all`.
    """

    register: str
    number: str = ""
    number_item: str = ""
    name: str = ""
    kana: str = ""
    birth: str = ""
    sex: str = ""
    address: str = ""
    wards: str = "own"

    @property
    def by_number(self) -> bool:
        """Whether a number is looked for."""
        return bool(self.number)

    @property
    def fields(self) -> str:
        """By what is looked, without what was typed."""
        names = [name for name in ("name", "kana", "birth", "sex", "address") if getattr(self, name)]
        return ",".join([*([self.number_item] if self.number else []), *names])

    def packed(self) -> dict[str, str]:
        """As plain texts, to be kept or sealed."""
        return {name: value for name, value in asdict(self).items() if value}

    @staticmethod
    def unpacked(kept: Mapping[str, Any]) -> Asked:
        """From what `packed` gave; unknown parts are left out."""
        known = {name: str(kept[name]) for name in Asked.__dataclass_fields__ if name in kept}
        return Asked(**{"register": "", **known})

    def widened(self) -> Asked:
        """The same in all wards."""
        return replace(self, wards="all")


@dataclass(frozen=True)
class Understood:
    """What a form says.

    Attributes:
        asked: what is looked for.
        faults: field -> what is wrong with it and what to do; nothing is searched then.
        hints: what is odd, and how the one box was understood.
    """

    asked: Asked
    faults: Mapping[str, str] = field(default_factory=dict)
    hints: tuple[str, ...] = ()


def understand(
    form: Mapping[str, str], roll: Roll, numbers: Mapping[str, Item], municipality: Collection[str] = ()
) -> Understood:
    """Read a form.

    Args:
        form: fields by their names: `box`, one for each of `numbers`, `name`, `kana`, `birth`, `sex`, `address`, `wards`.
        roll: where is searched.
        numbers: items whose numbers may be asked for, by romaji; that of the person first.
        municipality: names that may stand before an address and are not searched; see `municipality.names`.
    """
    given = {name: _tidy(str(form.get(name, ""))) for name in (*_FIELDS, "box", *numbers)}
    faults = {name: "長すぎます。短くしてください。" for name, text in given.items() if len(text) > _LONGEST}
    hints: list[str] = []
    asked = Asked(roll.register, **{name: given[name] for name in _FIELDS if name != "wards"})
    asked = replace(asked, wards="all" if given["wards"] == "all" else "own")
    if given["box"] and not faults:
        asked = _boxed(given["box"], asked, numbers, municipality, hints)
    for name, item in numbers.items():
        if given[name]:
            asked = replace(asked, number=given[name], number_item=name)
            faults |= _number_faults(name, given[name], item)
    asked = _whole(asked, numbers, hints)
    asked = _behind(asked, municipality, hints, faults)
    faults |= _birth_fault(asked.birth)
    if not faults and not (asked.number or asked.name or asked.kana or asked.birth or asked.address):
        faults["box"] = "番号・氏名・カナ・生年月日・住所のいずれかを入力してください。"
    return Understood(asked, faults, tuple(hints))


_FIELDS = ("name", "kana", "birth", "sex", "address", "wards")


def _tidy(text: str) -> str:
    return re.sub(r"[\t\r\n]+", " ", text).strip(" \u3000")


def _boxed(
    box: str, asked: Asked, numbers: Mapping[str, Item], municipality: Collection[str], hints: list[str]
) -> Asked:
    """Share what stands in the one box out to the fields."""
    rest = []
    for token in re.split(r"[ \u3000]+", box):
        if not asked.birth and _is_day(token):
            asked = replace(asked, birth=token)
            hints.append(
                f"「{token}」は生年月日として検索しました。番号のときは、詳しい条件の番号の欄に入力してください。"
            )
        else:
            rest.append(token)
    left = "\u3000".join(rest)
    plain = unicodedata.normalize("NFKC", left)
    digits = re.sub(r"[\s\-]", "", plain)
    if not left:
        return asked
    if digits.isdecimal() and digits.isascii():
        name = _which_number(digits, numbers)
        hints.append(f"「{numbers[name].name}」として検索しました。")
        return replace(asked, number=digits, number_item=name)
    if _KANA.fullmatch(plain):
        return replace(asked, kana=left)
    if _ADDRESS.search(plain) or len(split(left, municipality)[0]) > 1:  # 神戸市子 may be a name
        hints.append("住所として検索しました。氏名のときは、詳しい条件の氏名の欄に入力してください。")
        return replace(asked, address=left)
    return replace(asked, name=left)


def _behind(asked: Asked, municipality: Collection[str], hints: list[str], faults: dict[str, str]) -> Asked:
    """The address without the municipality, by which nobody is found; tells what was left out."""
    before, rest = split(asked.address, municipality)
    if not before:
        return asked
    if not rest:
        faults["address"] = "市区町村名だけでは検索できません。町字から入力してください。例：魚崎北町一丁目"
        return asked
    hints.append(f"「{''.join(before)}」を除き、町字から検索しました。")
    return replace(asked, address=rest)


def _is_day(token: str) -> bool:
    plain = unicodedata.normalize("NFKC", token)
    return bool(_EIGHT.fullmatch(plain) or _DATED.match(plain)) and birth_span(token) is not None


def _which_number(digits: str, numbers: Mapping[str, Item]) -> str:
    """The item whose numbers are just as long and have a good check digit; otherwise that of the person."""
    person, *others = numbers
    for name in others:
        if (
            len(digits) == numbers[name].digits
            and _checks(name, digits)
            and len(digits) < (numbers[person].digits or 0)
        ):
            return name
    return person


def _number_faults(name: str, text: str, item: Item) -> dict[str, str]:
    digits = _digits(text)
    if not (digits.isascii() and digits.isdecimal()):
        return {name: f"{item.name}は数字で入力してください。"}
    if item.digits and len(digits) > item.digits:
        return {name: f"{item.name}は{item.digits}桁までです。"}
    return {}


def _whole(asked: Asked, numbers: Mapping[str, Item], hints: list[str]) -> Asked:
    """The number with its leading zeros; tells where its check digit is wrong. Older numbers may have none."""
    if not asked.number or asked.number_item not in numbers:
        return asked
    item = numbers[asked.number_item]
    digits = _digits(asked.number)
    whole = digits.zfill(item.digits or 0) if asked.number_item == next(iter(numbers)) else digits
    if _checks(asked.number_item, whole) is False:
        hints.append(f"{item.name}の検査数字（末尾の1桁）が合いません。入力誤りがないか確認してください。")
    return replace(asked, number=whole)


def _digits(text: str) -> str:
    return re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", text))


def _checks(name: str, digits: str) -> bool | None:
    """Whether the check digit of an official number is right; None where nobody says how it is made."""
    rule = getattr(kernel, f"is_valid_{name}", None)
    return bool(rule(digits)) if rule else None


def _birth_fault(text: str) -> dict[str, str]:
    if not text or birth_span(text):
        return {}
    return {
        "birth": "生年月日を読み取れません。例：昭和25年3月1日、S25.3.1、1950-03-01、昭和25年、昭和25年から昭和27年"
    }


def birth_span(text: str) -> tuple[date, date] | None:
    """The first and last day that a text means; None where it means none.

    >>> birth_span("昭和25年～27年")
    (datetime.date(1950, 1, 1), datetime.date(1952, 12, 31))
    """
    plain = re.sub(r"/", "-", unicodedata.normalize("NFKC", text))
    first, until, last = (part.strip() for part in re.split(r"(~|〜|から|$)", plain, maxsplit=1))
    if not until:
        return _span(plain)
    era = re.match(r"\D*", first)
    begins, ends = _span(first), _span(last) or _span((era[0] if era else "") + last)
    return (begins[0], ends[1]) if begins and ends and begins[0] <= ends[1] else None


def _span(plain: str) -> tuple[date, date] | None:
    if _EIGHT.fullmatch(plain):
        plain = f"{plain[:4]}-{plain[4:6]}-{plain[6:]}"
    if not plain:
        return None
    day = UncertainDate.written(plain)
    if day.earliest is None or day.latest is None or day.earliest > day.latest:
        return None
    return day.earliest, day.latest
