"""`kiban link contracts`: read, check, compare, sign and show the contracts of the linkage."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from kiban import linkage

_EXAMPLES = """Examples:

    [b]kiban link contracts list[/b]                                       every contract at hand (without any: the samples)

    [b]kiban link contracts check contracts/[/b]                           everything that is wrong with the files of a folder

    [b]kiban link contracts page resident-tax.v1 --out tax.html[/b]        one contract as a page for officials

    [b]kiban link contracts sample resident-tax.v1 --units 100[/b]         invented messages, one JSON a line

    [b]kiban link contracts diff old.yaml new.yaml[/b]                     what changed, and whom it breaks

    [b]kiban link contracts sign contracts/tax.yaml --key city.pem[/b]     answer for a contract: now it may carry traffic"""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Read, check, compare, sign and show contracts.

    A contract is one YAML file in the Open Data Contract Standard 3.1: who gives what to whom, on which legal basis, by which
    ways, when due, and what happens to protected persons. Only a contract that is active, in its period and signed by a
    trusted key carries traffic. A change that breaks provider or consumer takes a new major version; both are served for a while.

    Contracts lie in the folders of KIBAN_CONTRACTS or of --root; their profiles in profiles/ beside them.""",
    epilog=_EXAMPLES,
)

_Root = Annotated[
    list[Path] | None,
    typer.Option(
        "--root",
        metavar="DIR",
        help="A folder with contracts, besides those of KIBAN_CONTRACTS; may be repeated.",
    ),
]
_Flow = Annotated[
    str, typer.Argument(metavar="FLOW", help="The ID and the major version, such as resident-tax.v1.")
]
_Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write to this file.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Keys = Annotated[
    list[Path] | None,
    typer.Option(
        "--key",
        metavar="PEM",
        help="A trusted public key, besides those in trusted/ of the home; may be repeated.",
    ),
]


def add(parent: typer.Typer) -> None:
    """Put the commands under `kiban link`."""
    parent.add_typer(app, name="contracts")


@app.command("list")
def list_(root: _Root = None, key: _Keys = None, as_json: _Json = False) -> None:
    """List the contracts: from whom to whom, by which ways, in force and signed or not."""
    from datetime import UTC, datetime, timedelta

    from kiban import main, settings
    from kiban.cli import listing

    found, keys = at_hand(root), main.trusted(settings.read(os.environ), key or ())
    today = (datetime.now(UTC) + timedelta(hours=9)).date()
    live = {each.digest for each in found.live(today, keys)}
    in_force = {each.digest for each in found.in_force(today)}
    heads = ("フロー", "版", "提供側", "利用側", "渡し方", "状態", "署名", "名称")
    rows = []
    for one in found:
        state = "通信できる" if one.digest in live else "適用中" if one.digest in in_force else one.status
        signed = f"{len(one.signed_by)}件" if one.signed_by else "なし"
        ways = "、".join(sorted(one.ways))
        ends = (one.provider.id, one.consumer.id)
        rows.append((one.flow, _version(one), *ends, ways, state, signed, one.title))
    listing.show("契約", heads, rows, (heads, rows), as_json=as_json)


@app.command()
def check(folder: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders or files.")]) -> None:
    """Check contracts and profiles: every fault of every file at once, with file, line and what to do. Leaves with 1 where there is one."""
    from kiban import linkage

    found = linkage.load_contracts(folder, _library())
    unset = [
        each for each in found.profiles.values() if each.unset and each.id in {one.profile for one in found}
    ]
    typer.echo(f"契約{len(found)}件に誤りはない")
    for each in unset:
        typer.echo(
            f"→ プロファイル {each.id}：未確認の細目がある（{'、'.join(each.unset)}）。ファイルは渡せない"
        )


@app.command()
def show(flow: _Flow, root: _Root = None, as_json: _Json = False) -> None:
    """Show a contract: its terms, and the items that it carries."""
    from kiban.cli import listing

    one = at_hand(root).flow(flow)
    if as_json:
        typer.echo(json.dumps(one.document, ensure_ascii=False, indent=2))
        return
    listing.lines(
        (
            f"{one.flow} {_version(one)} {one.title}",
            f"提供側      {one.provider.id} {one.provider.name}",
            f"利用側      {one.consumer.id} {one.consumer.name}",
            f"法的根拠    {one.basis}",
            f"利用目的    {one.purpose}",
            f"渡し方      {'、'.join(sorted(one.ways))}" + (f"（{one.profile}）" if one.profile else ""),
            f"適用        {one.effective} から {one.until or '定めなし'}、{one.status}",
            f"署名        {'、'.join(key[:16] for key in sorted(one.signed_by)) or 'なし'}",
        )
    )
    heads = ("グループ", "データ項目", "ローマ字", "型", "桁数", "条件", "扱い")
    for feed in one.feeds:
        hidden = one.protection.withheld.get(feed.name, frozenset())
        rows = [(feed.name, *_item(item, item.romaji in hidden)) for item in feed.items]
        listing.show(
            f"{feed.group.name}（単位：{feed.unit.name}）",
            heads,
            rows,
            (heads[1:], [row[1:] for row in rows]),
            as_json=False,
        )


@app.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A file, or FLOW.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="A file, or FLOW.")],
    root: _Root = None,
    out: _Out = None,
    as_json: _Json = False,
) -> None:
    """Compare two versions of a contract: every change, and whether it breaks provider or consumer. Leaves with 1 where one does."""
    from dataclasses import asdict

    from kiban import linkage
    from kiban.cli import files, listing

    before, after = _one(old, root), _one(new, root)
    found = linkage.compare(before, after)
    if out is not None:
        files.write_text(out, linkage.difference_page(before, after))
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], ensure_ascii=False, indent=2))
    else:
        heads = ("影響", "内容", "場所", "種類")
        rows = [("要対応" if each.breaking else "—", each.note_ja, each.where, each.kind) for each in found]
        title = f"{before.flow} {_version(before)} → {after.flow} {_version(after)}：変更{len(found)}件"
        listing.show(title, heads, rows, (heads[:-1], [row[:-1] for row in rows]), as_json=False)
    if any(each.breaking for each in found) and before.version[0] == after.version[0]:
        fix = f'version: "{before.version[0] + 1}.0.0" にして、しばらく両方を提供する'
        typer.echo(f"→ 相手の対応が要る変更が、大きい番号を上げずに行われている。{fix}", err=True)
        raise typer.Exit(1)


@app.command()
def sample(
    flow: _Flow,
    root: _Root = None,
    units: Annotated[int, typer.Option(min=1, help="Of how many persons or households.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed gives the same messages.")] = 1,
    out: _Out = None,
) -> None:
    """Invent messages of a flow, all of them good: one JSON a line, in the order of their events. Nobody is real."""
    from kiban import linkage
    from kiban.cli import files

    messages = linkage.sample(at_hand(root).flow(flow), seed, units)
    text = "".join(f"{linkage.encode(each).decode()}\n" for each in messages)
    if out is None:
        typer.echo(text, nl=False)
    else:
        files.write_text(out, text)
        typer.echo(f"見本のメッセージ{len(messages)}件を {out} に書いた")


@app.command()
def sign(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The contract.")],
    key: Annotated[Path, typer.Option(metavar="PEM", help="The private key, Ed25519.")],
) -> None:
    """Sign a contract: the signature stands beside it in FILE.sig, and is void once a letter of the contract changes."""
    from kiban import linkage, sets
    from kiban.cli import files

    signer = sets.read_signer(key)
    (one,) = linkage.load_contracts([file], _library(), signatures=False)
    files.write_text(linkage.signature_file(file), linkage.sign(one, signer))
    typer.echo(
        f"{one.flow} {_version(one)} に署名した（鍵 {signer.key[:16]}…）：{linkage.signature_file(file)}"
    )


@app.command()
def page(
    flow: _Flow, out: Annotated[Path, typer.Option(metavar="FILE", help="The HTML file.")], root: _Root = None
) -> None:
    """Write a contract as a page for officials, in Japanese: one HTML file that loads nothing."""
    from kiban import linkage
    from kiban.cli import files

    found = at_hand(root)
    one = found.flow(flow)
    profile = found.profiles.get(one.profile or "")
    files.write_text(out, linkage.contract_page(one, profile))
    typer.echo(f"{one.flow} を {out} に書いた")


@app.command()
def profiles(root: _Root = None, as_json: _Json = False) -> None:
    """List the profiles: how files look, and which details nobody has verified yet."""
    from kiban.cli import listing

    words = {"official": "公式", "city": "市", "example": "例"}
    heads = ("名前", "種別", "題", "未確認の細目")
    rows = [
        (each.id, words[each.status], each.title, "、".join(each.unset))
        for each in at_hand(root).profiles.values()
    ]
    listing.show("プロファイル", heads, rows, (heads, rows), as_json=as_json)


def _item(item: Any, hidden: bool) -> tuple[str, ...]:
    mark = "主キー" if item.key else "対象者には渡さない" if hidden else ""
    return item.name, item.romaji, item.type, str(item.digits or ""), item.condition, mark


def at_hand(root: list[Path] | None) -> linkage.Contracts:
    """The contracts of the settings and of --root; the samples where neither names a folder."""
    from kiban import linkage, main, settings

    given = settings.read(os.environ)
    roots = list(root or ())
    if not roots and not given.contracts:
        typer.echo("契約のフォルダ（KIBAN_CONTRACTS または --root）がないので、見本の契約を使う", err=True)
        roots = [linkage.SAMPLES]
    return main.contracts(given, roots)


def _library() -> Any:
    from kiban import main

    return main.library()


def _one(name: str, root: list[Path] | None) -> linkage.Contract:
    from kiban import linkage

    if Path(name).is_file():
        (one,) = linkage.load_contracts([Path(name)], _library())
        return one
    return at_hand(root).flow(name)


def _version(one: linkage.Contract) -> str:
    return ".".join(map(str, one.version))
