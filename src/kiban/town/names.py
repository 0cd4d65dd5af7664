"""Pools that names are drawn from: real frequencies of parts, random combinations, so nobody is real."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import pyarrow as pa

from kiban.town.arrays import Floats, Ints, drawn
from kiban.town.assumptions import Assumptions
from kiban.town.people import MAN

VARIANTS = Path(__file__).with_name("variants.csv")
OLD_FASHIONED_ENDINGS = "子江代枝美恵"
KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}


@dataclass(frozen=True)
class Pool:
    """Parts of names with their readings and weights.

    Attributes:
        spellings: Arrow texts.
        kana: Arrow texts, katakana; null where the reading is not known.
        weights: relative frequency; zero for spellings that are only reached as a variant of another.
    """

    spellings: pa.Array
    kana: pa.Array
    weights: Floats

    def draw(self, rng: np.random.Generator, size: int) -> Ints:
        """Indices of drawn parts."""
        return drawn(rng, self.weights, size)


@dataclass(frozen=True)
class JapanesePools:
    """Japanese surnames and given names.

    Attributes:
        surnames: base spellings first, then the rare variants.
        variant_base: index of the base spelling of each rare variant, ascending.
        variant_share: share of the families of that base who write the variant.
        first_variant: index of the first variant in the surnames.
        men: given names of men.
        women: given names of women, all generations.
        women_old: those that were usual for girls of older generations.
        given_spellings: given names of all pools, in the order of the indices that `draw_given` returns.
        given_kana: their readings.
    """

    surnames: Pool
    variant_base: Ints
    variant_share: Floats
    first_variant: int
    men: Pool
    women: Pool
    women_old: Pool
    given_spellings: pa.Array
    given_kana: pa.Array

    def draw_surnames(self, rng: np.random.Generator, size: int) -> Ints:
        """Surnames by frequency; some families write a rare variant."""
        base = self.surnames.draw(rng, size)
        chance = rng.random(size)
        for index in np.unique(self.variant_base):
            here = np.flatnonzero(base == index)
            mine = np.flatnonzero(self.variant_base == index)
            edges = np.cumsum(self.variant_share[mine])
            place = np.searchsorted(edges, chance[here], side="right")
            rare = place < len(mine)
            base[here[rare]] = self.first_variant + mine[place[rare]]
        return base

    def draw_given(self, rng: np.random.Generator, sex: Ints, age: Ints, given: Assumptions) -> Ints:
        """Index into `given_spellings` for each person."""
        old = rng.random(len(sex)) < given.curve("name.old_fashioned")[np.minimum(age, 100)]
        men, women = len(self.men.weights), len(self.women.weights)
        return np.where(
            sex == MAN,
            self.men.draw(rng, len(sex)),
            np.where(
                old, men + women + self.women_old.draw(rng, len(sex)), men + self.women.draw(rng, len(sex))
            ),
        )


@cache
def japanese_pools(given: Assumptions) -> JapanesePools:
    """The pools of the installed personal name dataset, with our rare variants."""
    surnames = [(row[0], row[2].translate(KATAKANA), float(row[1])) for row in _dataset("last_name_org.csv")]
    place = {spelling: index for index, (spelling, _, _) in reversed(list(enumerate(surnames)))}
    with VARIANTS.open(encoding="utf-8", newline="") as file:
        variants = sorted(
            ((place[row["base"]], row["variant"], float(row["share"])) for row in csv.DictReader(file)),
            key=lambda variant: variant[0],
        )
    rows = [*surnames, *((spelling, surnames[base][1], 0.0) for base, spelling, _ in variants)]
    women = _given_names("first_name_woman_org.csv", given)
    given_names = (
        _pool(_given_names("first_name_man_org.csv", given)),
        _pool([row for row in women if row[0][-1] not in OLD_FASHIONED_ENDINGS]),
        _pool([row for row in women if row[0][-1] in OLD_FASHIONED_ENDINGS]),
    )
    return JapanesePools(
        surnames=_pool(rows),
        variant_base=np.array([base for base, _, _ in variants], dtype=np.int64),
        variant_share=np.array([share for _, _, share in variants]),
        first_variant=len(surnames),
        men=given_names[0],
        women=given_names[1],
        women_old=given_names[2],
        given_spellings=pa.concat_arrays([pool.spellings for pool in given_names]),
        given_kana=pa.concat_arrays([pool.kana for pool in given_names]),
    )


@cache
def _dataset(name: str) -> tuple[list[str], ...]:
    source = resources.files("japanese_personal_name_dataset").joinpath("dataset", name)
    return tuple(csv.reader(source.read_text(encoding="utf-8").splitlines()))


def _given_names(name: str, given: Assumptions) -> list[tuple[str, str, float]]:
    """Spelling, reading and weight; readings with many spellings and spellings of usual kanji weigh more."""
    rows = [(row[0].translate(KATAKANA), row[2:]) for row in _dataset(name)]
    usual = Counter(character for _, spellings in rows for spelling in spellings for character in spelling)
    of_reading, of_spelling = given.number("name.reading_weight"), given.number("name.spelling_weight")
    found: list[tuple[str, str, float]] = []
    for kana, spellings in rows:
        raw = [_usualness(spelling, usual) ** of_spelling for spelling in spellings]
        scale = len(spellings) ** of_reading / sum(raw)
        found.extend(
            (spelling, kana, weight * scale) for spelling, weight in zip(spellings, raw, strict=True)
        )
    return found


def _usualness(spelling: str, usual: Counter[str]) -> float:
    return float(np.exp(np.mean([np.log(usual[character]) for character in spelling])))


def _pool(rows: list[tuple[str, str, float]]) -> Pool:
    return Pool(
        spellings=pa.array([row[0] for row in rows], pa.string()),
        kana=pa.array([row[1] for row in rows], pa.string()),
        weights=np.array([row[2] for row in rows]),
    )
