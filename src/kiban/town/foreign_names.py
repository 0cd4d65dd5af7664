"""Names of foreign residents in Latin letters and kanji, from pools drawn once with a seeded generator."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml
from faker import Faker

from kiban.town.people import MAN, WOMAN

FILE = Path(__file__).with_name("names.yaml")
POOL = 400
FULL_WIDTH = {ord("A") + i: chr(0xFF21 + i) for i in range(26)} | {ord(" "): "\u3000"}
LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@dataclass(frozen=True)
class ForeignPool:
    """Parts of names of one nationality; the lists of one kind have one length.

    Attributes:
        label: the nationality or region as the code list names it.
        family: family names in full-width Latin letters.
        family_kanji: their kanji; None where names of the nationality have none.
        given: given names of men and of women in full-width Latin letters.
        given_kanji: kanji given names of men and women, in no relation to the Latin ones; None likewise.
    """

    label: str
    family: pa.Array
    family_kanji: pa.Array | None
    given: dict[int, pa.Array]
    given_kanji: dict[int, pa.Array] | None


@cache
def foreign_pools(nationalities: tuple[str, ...], seed: int) -> tuple[ForeignPool, ...]:
    """One pool for each nationality of `names.yaml`, in the order asked for."""
    return tuple(_pool(nationality, seed) for nationality in nationalities)


@cache
def _words() -> Any:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def _pool(nationality: str, seed: int) -> ForeignPool:
    entry = _words()["nationalities"][nationality]
    fake = Faker(entry["locale"])
    fake.seed_instance(seed)
    middle = entry.get("middle", {})
    word = entry.get("family_word")
    families = _some(fake.last_name if word is None else lambda: fake.romanized_name().split()[word])
    given = {
        sex: pa.array(
            [_full(f"{middle.get(sex, '')} {latin(name)}".strip()) for name in _given(fake, sex, word)]
        )
        for sex in (MAN, WOMAN)
    }
    latin_family = pa.array([_full(latin(name)) for name in families])
    if "kanji" not in entry:
        return ForeignPool(entry["label"], latin_family, None, given, None)
    writer = Faker(entry["kanji"])
    writer.seed_instance(seed)
    hanja = _words()["korean_surnames"]
    if entry["locale"] == "ko_KR":
        families = [name for name in families if name in hanja]
        latin_family = pa.array([_full(latin(name)) for name in families])
        kanji = [hanja[name] for name in families]
    else:
        drawn = _some(writer.last_name)
        kanji = [drawn[index % len(drawn)] for index in range(len(families))]
    given_kanji = {
        MAN: pa.array(_some(writer.first_name_male)),
        WOMAN: pa.array(_some(writer.first_name_female)),
    }
    return ForeignPool(entry["label"], latin_family, pa.array(kanji), given, given_kanji)


def _given(fake: Faker, sex: int, family_word: int | None) -> list[str]:
    if family_word is not None:
        return _some(lambda: fake.romanized_name().split()[1 - family_word])
    return _some(fake.first_name_male if sex == MAN else fake.first_name_female)


def _some(draw: Any) -> list[str]:
    """Distinct draws whose Latin form is not empty, in the order drawn."""
    found = dict.fromkeys(str(draw()) for _ in range(POOL))
    return [name for name in found if latin(name) or not name.isascii()]


def latin(name: str) -> str:
    """A name of any script of `names.yaml` in capital Latin letters, its words apart.

    >>> latin("Nguyễn"), latin("김"), latin("लामा")
    ('NGUYEN', 'GIM', 'LAMA')
    """
    spelled = "".join(_hangul(character) for character in _devanagari(name))
    plain = unicodedata.normalize("NFKD", spelled.replace("Đ", "D").replace("đ", "d")).upper()
    words = ("".join(character for character in word if character in LETTERS) for word in plain.split())
    return " ".join(word for word in words if word)


def _hangul(character: str) -> str:
    place = ord(character) - 0xAC00
    if not 0 <= place < 19 * 21 * 28:
        return character
    table = _words()["hangul"]
    return (
        f"{table['initials'][place // 588]}{table['vowels'][place % 588 // 28]}{table['finals'][place % 28]}"
    )


def _devanagari(name: str) -> str:
    table = _words()["devanagari"]
    out: list[str] = []
    for character in name:
        if character in table["consonants"]:
            out.append(table["consonants"][character] + table["inherent"])
        elif character in table["signs"] or character == table["no_vowel"]:
            # A vowel sign takes the place of the vowel that a consonant carries by itself.
            out.append(out.pop().removesuffix(table["inherent"]) if out else "")
            out.append(table["signs"].get(character, ""))
        else:
            out.append(table["vowels"].get(character, table["marks"].get(character, character)))
    return "".join(out)


def _full(name: str) -> str:
    return name.translate(FULL_WIDTH)
