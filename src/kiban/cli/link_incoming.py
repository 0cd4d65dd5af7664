"""`kiban link incoming`: take what comes into Kiban, and decide on what needs an officer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiban.cli.linking import Json, Keys, Root

if TYPE_CHECKING:
    from kiban import linkage
    from kiban.store import Books, Store

_EXAMPLES = """Examples:

    [b]kiban link incoming apply donor-nonresident.v1 kifu.jsonl[/b]               take messages, one JSON a line

    [b]kiban link incoming list donor-nonresident.v1[/b]                           what waits for an officer

    [b]kiban link incoming show donor-nonresident.v1 12[/b]                        one proposal: old and new

    [b]kiban link incoming accept donor-nonresident.v1 12 --seen 3f0a…[/b]         write it into the register

    [b]kiban link incoming reject donor-nonresident.v1 12 --seen 3f0a… --reason 本人に確認できない[/b]"""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Take what other systems send into Kiban.

    Items that the contract names are applied by themselves, once and in the order of their person; all others wait for an officer, who sees
    old and new beside each other. The authority map says who may write what from when to when; a write of anybody else is refused and
    recorded. It is the file authority.yaml or authority.csv in the folder linkage of the home, or --authority.""",
    epilog=_EXAMPLES,
)

_Flow = Annotated[str, typer.Argument(metavar="FLOW", help="Such as donor-nonresident.v1.")]
_Proposal = Annotated[int, typer.Argument(metavar="NUMBER", help="Of a proposal, as `list` shows it.")]
_Seen = Annotated[str, typer.Option(metavar="SEEN", help="What `show` printed: you decide on what you saw.")]
_Ward = Annotated[
    str | None, typer.Option(metavar="CODE", help="Work as an officer of this ward. Default: the whole city.")
]

_KINDS = {"change": "訂正", "create": "新規", "end": "終了"}
_STATES = {
    "applied": "反映した",
    "proposed": "職員の確認待ち",
    "same": "変更なし",
    "late": "より新しいものが反映済み",
    "repeated": "受領済み",
    "held": "前のものを待っている",
    "quarantined": "内容に誤りがあり、本人分だけ止めた",
    "loop": "Kibanから出た変更の戻り",
    "refused": "正本でない項目のため拒否した",
}


def add(parent: typer.Typer) -> None:
    """Put the commands under `kiban link`."""
    parent.add_typer(app, name="incoming")


@app.command()
def apply(
    flow: _Flow,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="Messages, one JSON a line.")
    ],
    authority: Annotated[
        Path | None, typer.Option(metavar="FILE", exists=True, help="The authority map, YAML or CSV.")
    ] = None,
    key: Keys = None,
    root: Root = None,
) -> None:
    """Take messages into the register: applied, proposed, held or refused, each once. Leaves with 1 where one is quarantined or refused."""
    from collections import Counter

    from kiban import linkage, main, settings
    from kiban.cli import linking

    found = linking.contracts(root)
    today = linkage.evidence.day_of(linkage.evidence.stamp(linking.now()))
    contract = found.admit(flow, today, main.trusted(settings.read(os.environ), key or ()))
    map_ = linkage.incoming.load_authority(authority or _map(), [each for each in found if each.incoming])
    secret = linkage.evidence.city_secret(linking.home() / "evidence.secret")
    told: Counter[str] = Counter()
    with linking.opened() as (place, books), file.open("rb") as lines:
        ledger = linkage.evidence.BookLedger(books)
        intake = linkage.incoming.Intake(place, books, contract, map_, (ledger, secret))
        intake.resume(linking.now())
        for line in lines:
            for each in intake.receive([linkage.decode(line)], linking.now()):
                told[each.state] += 1
                for problem in each.problems:
                    typer.echo(
                        f"→ {each.id}：{problem.what}（{problem.where or ''}） [{problem.code}]", err=True
                    )
    for state, count in told.items():
        typer.echo(f"{_STATES[state]}：{count:,}件")
    if told["quarantined"] or told["refused"]:
        raise typer.Exit(1)


@app.command("list")
def list_(flow: _Flow, ward: _Ward = None, root: Root = None, as_json: Json = False) -> None:
    """List the proposals that wait and that you may see, the oldest first."""
    from kiban.cli import linking, listing

    with linking.opened() as (place, books):
        work = _work(place, books, flow, root)
        found = work.open(linking.officer(ward, "連携の確認"))
    heads = ("番号", "種別", "対象", "項目", "届いた日時", "状態")
    rows = [
        (
            str(each.number),
            _KINDS[each.kind],
            "、".join(str(value) for value in each.steps[0].subject.values()) if each.steps else "－",
            "、".join(dict.fromkeys(each.titles[name] for step in each.steps for name in step.new)),
            each.proposed_at.isoformat(timespec="seconds"),
            _standing(each),
        )
        for each in found
    ]
    listing.show(f"{flow} の確認待ち", heads, rows, (heads, rows), as_json=as_json)


@app.command()
def show(flow: _Flow, number: _Proposal, ward: _Ward = None, root: Root = None) -> None:
    """Show one proposal against the register as it is now: old and new of each item, by its official title."""
    from kiban.cli import linking, listing

    with linking.opened() as (place, books):
        found = _work(place, books, flow, root).show(linking.officer(ward, "連携の確認"), number)
    typer.echo(
        f"{number} {_KINDS[found.kind]}：{found.provider} から {found.register} へ　{_standing(found)}"
    )
    for step in found.steps:
        ends = (
            (str(step.valid.start or "定めなし"), str(step.valid.end or "定めなし"))
            if step.valid
            else ("－", "－")
        )
        subject = "、".join(f"{found.titles[name]} {value}" for name, value in step.subject.items())
        heads = ("項目", "現在", "届いた値")
        rows = [
            (found.titles[name], _word(step.old.get(name)), _word(value)) for name, value in step.new.items()
        ]
        listing.show(f"{subject}　{ends[0]} から {ends[1]}", heads, rows, (heads, rows), as_json=False)
    typer.echo(f"--seen {found.seen}")


@app.command()
def accept(
    flow: _Flow,
    number: _Proposal,
    seen: _Seen,
    reason: Annotated[str, typer.Option(help="Kept with the event; needed where you edit.")] = "",
    edit: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="ITEM=VALUE", help="Correct or complete an item. Repeatable."),
    ] = None,
    ward: _Ward = None,
    root: Root = None,
) -> None:
    """Write a proposal into the register, as one event with the names of sender and officer."""
    from kiban.cli import linking

    with linking.opened() as (place, books):
        work = _work(place, books, flow, root)
        edited = _edited(edit or (), linking.contracts(root).flow(flow))
        actor = linking.officer(ward, "連携の確認")
        done = work.accept(actor, number, seen, reason, linking.now(), edited)
    typer.echo("台帳は既にそのとおりである" if done.event is None else f"反映した（事象 {done.event}）")


@app.command()
def reject(
    flow: _Flow,
    number: _Proposal,
    seen: _Seen,
    reason: Annotated[str, typer.Option(help="In words. It is kept.")],
    ward: _Ward = None,
    root: Root = None,
) -> None:
    """Leave the register as it is, with a reason."""
    from kiban.cli import linking

    with linking.opened() as (place, books):
        actor = linking.officer(ward, "連携の確認")
        _work(place, books, flow, root).reject(actor, number, seen, reason, linking.now())
    typer.echo("却下した")


def _work(place: Store, books: Books, flow: str, root: list[Path] | None) -> linkage.incoming.WorkList:
    from kiban import linkage
    from kiban.cli import linking

    return linkage.incoming.WorkList(place, books, linking.contracts(root).flow(flow))


def _map() -> Path:
    from kiban.cli import linking
    from kiban.kernel import Problem

    folder = linking.home()
    for name in ("authority.yaml", "authority.csv"):
        if (folder / name).is_file():
            return folder / name
    fix = "write it there (docs/protection.md says how), or name it by --authority"
    raise Problem("authority-unreadable", "there is no authority map", str(folder / "authority.yaml"), fix)


def _edited(given: list[str] | tuple[str, ...], contract: linkage.Contract) -> dict[str, Any]:
    from kiban.kernel import Problem

    found: dict[str, Any] = {}
    items = {item.romaji: item for feed in contract.feeds for item in feed.group.items}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or name not in items:
            raise Problem(
                "item-unknown", f"{each!r} sets no item", "--set", "write ITEM=VALUE with the official romaji"
            )
        whole = items[name].type in ("9", "S9") and value.lstrip("-").isdecimal()
        found[name] = int(value) if whole else value or None
    return found


def _standing(shown: linkage.incoming.Shown) -> str:
    if not shown.steps:
        return "台帳は既にそのとおり"
    return "届いた後に台帳が変わった" if shown.changed_since else ""


def _word(value: object) -> str:
    return "（なし）" if value is None else str(value)
