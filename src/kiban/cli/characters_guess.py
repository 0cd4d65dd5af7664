"""`kiban characters guess`: in which code page the texts of a file are, and what speaks for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from kiban import characters
from kiban.cli.characters_pages import by_page, page_with
from kiban.cli.listing import lines, show
from kiban.kernel import Problem

SCORE = (
    "評点は、右に並ぶ割合(解読・シフト・カナ・姓のうち、この標本で判定できるもの)の平均。"
    "候補を並べるための値で、正しい確率ではない。解読=読めない符号のない項目、シフト=シフト符号の釣り合う項目、"
    "カナ=1バイトの項目のうちカナの語、姓=2バイトの項目のうち多い姓で始まるもの。"
)
_RANKING = "a mean of shares that ranks the pages; no probability"
_SHORTEST = 16
"""Bytes from which a PIC X is taken for a text where no field is named: shorter ones are mostly codes."""


def guess(
    file: Annotated[Path, typer.Argument(help="An unload of a mainframe.")],
    record_length: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Bytes of a record of fixed length.")
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(
            metavar="START:LEN:MODE",
            help="Where a text lies, from byte 0; single, double or mixed. With a copybook: NAME or NAME:MODE.",
        ),
    ] = None,
    copybook: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Says where the texts are, so that nobody counts bytes."),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Which record of the copybook; else that with most texts."),
    ] = None,
    rdw: Annotated[bool, typer.Option("--rdw", help="Variable records with descriptor words (RDW).")] = False,
    vb: Annotated[bool, typer.Option("--vb", help="Variable records in blocks (BDW and RDW).")] = False,
    page: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Judge only this page; repeat for several.")
    ] = None,
    table: Annotated[
        list[str] | None, typer.Option(metavar="PAGE=FILE", help="A maker's table (JSON) of a page.")
    ] = None,
    chart: Annotated[
        list[str] | None, typer.Option(metavar="PAGE=FILE", help="A city's gaiji chart (CSV) of a page.")
    ] = None,
    sample: Annotated[int, typer.Option(metavar="N", min=1, help="Records to judge.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Rank the code pages that the texts of a file may be in, and show why. A person confirms."""
    from kiban import migration

    known = migration.text_fields(copybook, record) if copybook else None
    framing: Literal["fixed", "rdw", "vb"] = "vb" if vb else "rdw" if rdw else "fixed"
    length = record_length or (known.longest if known else migration.LONGEST if framing != "fixed" else 0)
    if not length or not (known or field) or (rdw and vb):
        raise Problem(
            "guess-options",
            "it is not said where records and texts are",
            fix="give --copybook FILE, or --record-length N (or one of --rdw, --vb) with --field START:LEN:MODE",
        )
    records = migration.sample_records(file, framing, length, sample)
    fields = _fields(field or [], known.fields if known else {})
    found = characters.guess(records, fields, page or None, _laid(table or [], chart or []))
    if as_json:
        told = {"told_apart": characters.told_apart(found), "score": _RANKING}
        typer.echo(
            json.dumps({**told, "pages": [asdict(each) for each in found]}, ensure_ascii=False, indent=2)
        )
        return
    _show(f"{file} のコードページの候補(標本{len(records):,}件)", found)


def _laid(tables: Sequence[str], charts: Sequence[str]) -> dict[str, characters.CodePage]:
    table, chart = by_page(tables, "--table"), by_page(charts, "--chart")
    return {
        name: page_with(name, table.get(name, []), chart.get(name, []), undecided=True)
        for name in {**table, **chart}
    }


def _fields(given: Sequence[str], known: Mapping[str, characters.FieldAt]) -> Sequence[characters.FieldAt]:
    """The fields that are named; of a copybook without any, all texts but short single-byte ones."""
    if given:
        return [_field(text, known) for text in given]
    return [each for each in known.values() if each.mode == "double" or each.length >= _SHORTEST]


def _field(text: str, known: Mapping[str, characters.FieldAt]) -> characters.FieldAt:
    modes: dict[str, characters.Mode] = {"single": "single", "double": "double", "mixed": "mixed"}
    first, _, rest = text.partition(":")
    if first in known and (not rest or rest in modes):
        at = known[first]
        return characters.FieldAt(at.start, at.length, modes.get(rest, at.mode), first)
    length, _, mode = rest.partition(":")
    if not (first.isdecimal() and length.isdecimal() and mode in modes):
        names = f"; the copybook has {', '.join(known)}" if known else ""
        raise Problem(
            "guess-field", f"{text!r} is no field", fix=f"START:LEN:MODE such as 41:40:double{names}"
        )
    return characters.FieldAt(int(first), int(length), modes[mode])


def _show(title: str, found: Sequence[characters.Guess]) -> None:
    heads = ("コードページ", "評点", "解読", "シフト", "カナ", "姓", "世代差", "区別できない")
    rows = [
        (
            *(each.page, f"{each.score:.3f}", _percent(each.read), _percent(each.balanced)),
            *(_percent(each.kana), _percent(each.surnames), str(each.swapped), " ".join(each.same_as)),
        )
        for each in found
    ]
    show(title, heads, rows, (heads, rows), as_json=False)
    lines([SCORE, *_generations(found), _verdict(found)])


def _verdict(found: Sequence[characters.Guess]) -> str:
    alike = characters.likeliest(found)
    if len(alike) == 1:
        return f"最も確からしいもの: {alike[0].page}。人が確かめてから使うこと。"
    if any(each.swapped for each in alike):
        return (
            "文字コードの世代(KEIS78・KEIS83)はこの標本では区別できない。"
            "上の項目を台帳・帳票などの外部の資料と突き合わせ、人が世代を確認すること。"
        )
    near = "・".join(each.page for each in alike)
    return f"{near} はこの標本では区別できない。世代の違う字を含む項目か、外部の資料で確かめること。"


def _generations(found: Sequence[characters.Guess]) -> list[str]:
    """Whether the sample tells the generations of KEIS apart, where one of them is as likely as any page."""
    pages = {each.page: each for each in found}
    old, new = pages.get("keis78"), pages.get("keis83")
    if (
        old is None
        or new is None
        or {"keis78", "keis83"}.isdisjoint(g.page for g in characters.likeliest(found))
    ):
        return []
    told = []
    for each in (old, new):
        if each.alone:
            told.append(f"世代: {each.page} でだけ読める項目が{each.alone:,}件ある(その世代にしかない符号)。")
    if new.swapped:
        where = "、".join(f"{at}({count:,}件)" for at, count in new.swapped_fields)
        letters = "、".join(f"{one.other}/{one.own}({one.count:,})" for one in new.swapped_letters)
        told.append(
            f"世代: どちらで読んでも正しい字になる項目がある: {where}。KEIS78の字/KEIS83の字: {letters}。"
        )
    elif not told:
        told.append(
            "世代: 世代で変わる44字がこの標本に一つもないので、どちらで読んでも同じ。ほかのレコードにはあり得る。"
        )
    return told


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
