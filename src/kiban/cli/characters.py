"""`kiban characters`: which code page a file is in, and the signature of decisions on a city's own characters."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kiban import characters
from kiban.cli.listing import lines, show
from kiban.kernel import Problem, Problems

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Legacy code pages and a city's own characters (外字).""",
    epilog="""Examples:

    [b]kiban characters install[/b]

    [b]kiban characters guess JUMIN.DAT --record-length 280 --field 11:30:single --field 41:40:double[/b]

    [b]kiban characters sign decisions.csv --key city.pem[/b]""",
)


@app.callback()
def _characters() -> None:
    """Legacy code pages and a city's own characters (外字)."""


@app.command()
def install(
    home: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Instead of KIBAN_HOME; it goes into characters/.")
    ] = None,
) -> None:
    """Fetch the MJ tables (npm) and the IPAmj font (Debian) from their publishers. Each can be done without."""
    from kiban import settings

    done = characters.install((home or settings.read(os.environ).home) / "characters")
    lines(
        [
            f"{each.path}: {each.count:,} {'導入済み' if each.new else '既にあり'}({each.source}、ライセンス {each.licence})"
            for each in done.placed
        ]
    )
    if done.problems:
        raise Problems(done.problems)


@app.command()
def sign(
    decisions: Annotated[Path, typer.Argument(help="A CSV file of decisions.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="An Ed25519 private key in PEM.")],
) -> None:
    """Sign decisions, so that a changed file is refused. Faults in them are told first."""
    characters.check_decisions(decisions)
    typer.echo(str(characters.sign_decisions(decisions, key)))


@app.command()
def guess(
    file: Annotated[Path, typer.Argument(help="An unload of a mainframe with fixed-length records.")],
    record_length: Annotated[int, typer.Option(metavar="N", min=1, help="Bytes of a record.")],
    field: Annotated[
        list[str],
        typer.Option(
            metavar="START:LEN:MODE", help="Where a text lies, from byte 0; single, double or mixed."
        ),
    ],
    sample: Annotated[int, typer.Option(metavar="N", min=1, help="Records to judge.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Judge which code page the texts of a file are in, and show why. A person confirms."""
    found = characters.guess(_records(file, record_length, sample), [_field(each) for each in field])
    if as_json:
        body = {"told_apart": characters.told_apart(found), "pages": [asdict(each) for each in found]}
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2))
        return
    heads = ("コードページ", "評点", "解読", "シフト", "カナ", "姓", "世代差", "区別できない")
    rows = [
        (
            *(each.page, f"{each.score:.3f}", _percent(each.read), _percent(each.balanced)),
            *(_percent(each.kana), _percent(each.surnames), str(each.swapped), " ".join(each.same_as)),
        )
        for each in found
    ]
    show(f"{file} のコードページの候補", heads, rows, (heads, rows), as_json=False)
    lines([_verdict(found)])


def _verdict(found: Sequence[characters.Guess]) -> str:
    best = found[0]
    if characters.told_apart(found):
        return f"最も確からしいもの: {best.page}。人が確かめてから使うこと。"
    alike = [g for g in found if g is best or g.page in best.same_as or g.score == best.score]
    if swapped := next((g.swapped_fields for g in alike if g.swapped), None):
        where = "、".join(f"{f.start}:{f.length}:{f.mode}({count}件)" for f, count in swapped)
        return (
            "文字コードの世代(KEIS78・KEIS83)はこの標本では区別できない。どちらで読んでも正しい字になる項目がある: "
            f"{where}。これらの項目を台帳・帳票などの外部の資料と突き合わせ、人が世代を確認すること。"
        )
    near = "、".join(g.page for g in alike)
    return f"{near} はこの標本では区別できない。世代の違う字を含む項目か、外部の資料で確かめること。"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _records(file: Path, length: int, count: int) -> list[bytes]:
    """Records from the beginning, the middle and the end: an old file is not alike throughout."""
    try:
        total = file.stat().st_size // length
        step = max(1, total // count)
        with file.open("rb") as source:
            found = []
            for number in range(0, total, step):
                source.seek(number * length)
                found.append(source.read(length))
        return found[:count]
    except OSError as error:
        raise Problem(
            "guess-file", f"the file cannot be read ({error.strerror})", str(file), "name a file"
        ) from error


def _field(text: str) -> characters.FieldAt:
    modes: dict[str, characters.Mode] = {"single": "single", "double": "double", "mixed": "mixed"}
    start, _, rest = text.partition(":")
    length, _, mode = rest.partition(":")
    if not (start.isdecimal() and length.isdecimal() and mode in modes):
        raise Problem("guess-field", f"{text!r} is no field", fix="START:LEN:MODE such as 41:40:double")
    return characters.FieldAt(int(start), int(length), modes[mode])
