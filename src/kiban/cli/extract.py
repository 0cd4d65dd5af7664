"""`kiban extract`: extracts (EUC, データ抽出) from the command line, for the information section's own runs."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kiban.access import Access, Grant, extract
    from kiban.settings import Settings
    from kiban.store import Store

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Extract data by a query in a file (EUC, データ抽出).

    A query is a YAML file: a business, its groups and items by their official romaji, conditions, a day.
    Whoever extracts is named by a staff number; what she may extract, and of which wards, the policies say.
    docs/extract.md tells how a query is written.""",
    epilog="""Examples:

    [b]kiban extract check elderly.yaml[/b]                        tell everything that is wrong with it
    [b]kiban extract run elderly.yaml --staff 000123 --reason 敬老会の案内 --out ./elderly[/b]
    [b]kiban extract list --staff 000123[/b]                       what was asked, and how far it is
    [b]kiban extract work[/b]                                      run what people ask for on pages""",
)

Number = Annotated[str, typer.Option("--staff", help="Staff number (職員番号) of whoever extracts.")]
Assignment = Annotated[int | None, typer.Option(help="ID of the assignment, where she has several.")]
Purpose = Annotated[str, typer.Option(help="The work (事務). Default: the first of the duty.")]


@app.command()
def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The query, YAML or JSON.")],
    staff: Annotated[str, typer.Option(help="Check what this member of staff may extract, too.")] = "",
    assignment: Assignment = None,
    purpose: Purpose = "",
) -> None:
    """Check a query: all its faults at once, against the edition in force and, with --staff, what may leave."""
    from kiban.access import extract
    from kiban.cli import serving

    asked = extract.read_query(file)
    with serving.opened() as (given, city, opened, _):
        if staff:
            held, grant = _desk(given, city, opened, staff, assignment, purpose)
            held.plan(asked, grant)
        else:
            edition = city.edition(asked.query.business)
            extract.check(asked.query, edition, (), extract.today(serving.now()), serving.now())
    typer.echo(f"{file}: the query can be run.")


@app.command()
def run(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The query, YAML or JSON.")],
    staff: Number,
    reason: Annotated[str, typer.Option(help="What it is for (使用の目的); it stands in the records.")],
    out: Annotated[Path, typer.Option(help="Folder for the files; it must not exist.")],
    assignment: Assignment = None,
    purpose: Purpose = "",
) -> None:
    """Extract, and put the files with their manifest into a folder."""
    from kiban.access import extract
    from kiban.cli import serving
    from kiban.kernel import Problem

    if out.exists():
        raise Problem("out-exists", "the folder exists", str(out), "name one that does not exist yet")
    asked = extract.read_query(file)
    with serving.opened() as (given, city, opened, _):
        held, grant = _desk(given, city, opened, staff, assignment, purpose)
        handle = held.ask(asked, grant, reason)
        opened.audit.write(extract.line(held.desk.job(handle, staff), "done", serving.now(), act="run"))
        job = _made(held, _worker(given, city, opened), handle, staff)
        if job.state != "done" or job.manifest is None:
            raise _failed(job)
        names = [*(each["name"] for each in job.manifest["files"]), extract.MANIFEST]
        files = [held.file(job, name, grant) for name in names]
        opened.audit.write(extract.line(job, "done", serving.now(), kind="export", files=len(files)))
        _copy(files, out)
    typer.echo(f"{job.rows:,} rows in {len(names) - 1} files: {out}")
    _tell(job)


@app.command("list")
def list_(staff: Number) -> None:
    """Show what a member of staff asked for, and how far it is."""
    from kiban.access import extract
    from kiban.cli import serving

    with serving.opened() as (_, _, opened, _):
        jobs = extract.Desk(opened.books).jobs(staff)
    for job in jobs:
        state = extract.STATES[job.state]
        typer.echo(f"{job.job}  {job.asked_at:%Y-%m-%d %H:%M}  {state}  {job.rows:>10,}  {job.title}")
    if not jobs:
        typer.echo("Nothing was asked for.")


@app.command()
def show(job: Annotated[str, typer.Argument(help="Its handle, see list.")], staff: Number) -> None:
    """Show one extract: who, why, the query, the files."""
    from kiban.access import extract
    from kiban.cli import serving

    with serving.opened() as (_, _, opened, _):
        found = extract.Desk(opened.books).job(job, staff)
    typer.echo(f"{found.title or '（名称なし）'}  {extract.STATES[found.state]}  {found.rows:,} rows")
    typer.echo(f"職員 {found.staff}  {found.office}  {found.duty}  {found.purpose}")
    typer.echo(f"目的 {found.reason}")
    typer.echo(extract.text(extract.query_in(found.body)))
    for each in (found.manifest or {}).get("files", ()):
        typer.echo(f"  {each['name']}  {each['bytes']:,} bytes  {each['sha256']}")
    for fault in found.problems:
        typer.echo(f"  {fault['code']}: {fault['what']}")


@app.command()
def work(
    most: Annotated[int, typer.Option(help="How many may run at once, in all workers.", min=1, max=8)] = 1,
    beside: Annotated[int, typer.Option("--beside", hidden=True, help="End with this process.")] = 0,
) -> None:
    """Run what people ask for, until interrupted; behind everything else that the machine does."""
    from kiban.cli import serving
    from kiban.cli.upkeeping import POLICY_SECONDS, Keeping, Looking

    os.nice(19)
    with serving.opened() as (given, city, opened, _):
        worker = _worker(given, city, opened, most)
        folder = given.home / "audit"
        looking = Looking(Keeping(city, opened, opened.policies, opened.folders, folder, serving.now))
        swept = looked = 0.0
        while not beside or os.getppid() == beside:
            if time.monotonic() - swept > 600:
                worker.sweep()
                swept = time.monotonic()
            if time.monotonic() - looked > POLICY_SECONDS:
                looking.look()
                looked = time.monotonic()
            if not worker.next():
                time.sleep(1)


def _desk(
    given: Settings, city: Store, opened: Access, staff: str, assignment: int | None, purpose: str
) -> tuple[extract.Extracts, Grant]:
    """What this member of staff does with extracts, and what she may."""
    from kiban.access import extract
    from kiban.cli import serving
    from kiban.kernel import Problem

    on = extract.today(serving.now())
    acting = opened.people.acting(staff, on, purpose, assignment)
    if not purpose:
        duty = opened.policies.duties.get(acting.assignment.duty)
        if duty is None:
            raise Problem("duty-unknown", "the policy set does not know the duty", fix="see kiban access")
        acting = opened.people.acting(staff, on, duty.purposes[0], acting.assignment.id)
    held = extract.Extracts(opened, city, given.home / "extracts", serving.now)
    return held, opened.policies.grant(acting)


def _worker(given: Settings, city: Store, opened: Access, most: int = 1) -> extract.Worker:
    from kiban.access import extract
    from kiban.cli import serving

    return extract.Worker(opened, city, given.home / "extracts", serving.now, most)


def _made(held: extract.Extracts, worker: extract.Worker, handle: str, staff: str) -> extract.Job:
    """Work until it has ended; what others asked for before comes first."""
    while (job := held.desk.job(handle, staff)).open:
        if sys.stderr.isatty():
            typer.echo(f"{job.step or '待機中'} {job.rows:,}", err=True)
        if not worker.next():
            time.sleep(1)
    return job


def _failed(job: extract.Job) -> Exception:
    from kiban.kernel import Problem, Problems

    told = [Problem(each["code"], each["what"], fix=each["fix"]) for each in job.problems]
    return Problems(
        told or [Problem("extract-cancelled", "the extract was cancelled", fix="ask for it anew")]
    )


def _copy(files: list[Path], out: Path) -> None:
    """All files into a folder of their own, or no folder."""
    half = out.with_name(f"{out.name}.half")
    half.mkdir(mode=0o700, parents=True)
    for file in files:
        shutil.copyfile(file, half / file.name)
        (half / file.name).chmod(0o600)
    half.rename(out)


def _tell(job: extract.Job) -> None:
    manifest = job.manifest or {}
    if manifest.get("guarded"):
        typer.echo(f"{manifest['guarded']:,} texts look like formulas of a spreadsheet; see the manifest")
    for each in manifest.get("unmappable", ()):
        typer.echo(
            f"CP932 lacks {each['character']} ({each['code_point']}), {each['times']:,} times: 〓 stands for it"
        )
