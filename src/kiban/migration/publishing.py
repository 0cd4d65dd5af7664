"""What was converted and proved leaves as sets: one for each register, with counts, sums and digests for whoever takes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from kiban import sets
from kiban.kernel import AsOf, Problem
from kiban.migration.engine import Result, Work
from kiban.migration.mapping import load_maps
from kiban.migration.plan import Plan


def publish(
    plan: Plan,
    results: Sequence[Result],
    work: Work,
    shelf: sets.Shelf,
    *,
    signer: sets.Signer | None = None,
) -> Iterator[sets.Manifest]:
    """Publish the converted rows of every register as a full set whose epoch is the day of the data.

    Args:
        plan: of the migration.
        results: how its stages stand.
        work: remembers the ids of the sets, so that a call after an interruption goes on with the same ones.
        shelf: where to.
        signer: of the producer; None to leave them unsigned.

    Raises:
        Problem: `stage-before` where the proof is not done on the present inputs or found a difference; `set-exists` where another
            set of this register and day lies there; what the shelf refuses.
    """
    done = {one.stage.called: one for one in results if one.state == "done"}
    proof = done.get("reconcile")
    if proof is None or proof.gate is None or not proof.gate.open or done["transform"].out is None:
        raise Problem(
            "stage-before",
            "the proof is not done on the present inputs, or it found a difference; nothing leaves before that",
            fix="run kiban migrate run, and mend what it names",
        )
    place, day = done["transform"].out, plan.cut_date
    maps = load_maps(plan)
    ids = _ids(work, done["transform"].output, [made.register for made in maps])
    for made in maps:
        folder = place / made.edition.id / made.group.id
        if not folder.is_dir():
            continue
        since = ("valid_from",) if made.group.kind == "register" else ()
        draft = sets.Draft(
            set_id=ids[made.register],
            flow=f"ikou.{plan.id}.{made.register}",
            kind="full",
            epoch=int(day.strftime("%Y%m%d")),
            as_of=AsOf(day),
            producer=f"migration.{plan.id}",
            edition=made.edition.edition,
            register=made.register,
            key=(*(item.romaji for item in made.group.subject), *since),
            sums=tuple(
                item.romaji
                for item in made.group.items
                if item.type in ("9", "S9") and not item.key and not item.repeats
            ),
        )
        yield sets.publish_folder(shelf, draft, folder, signer=signer, progress=work.progress)


def _ids(work: Work, output: str, registers: Sequence[str]) -> dict[str, str]:
    """Of the sets of one conversion; written down before anything is published."""
    path = work.folder / "sets" / f"{output[:20]}.json"
    if not path.is_file():
        path.parent.mkdir(exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(
            json.dumps({name: sets.new_set_id(work.clock()) for name in registers}, indent=1),
            encoding="utf-8",
        )
        new.replace(path)
    return dict(json.loads(path.read_text(encoding="utf-8")))
