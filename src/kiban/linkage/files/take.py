"""Takes sets: each is checked whole before it takes effect, in its order, and answered by receipts."""

from __future__ import annotations

from kiban import sets
from kiban.kernel import Problem, Problems
from kiban.linkage.consumer import Replica
from kiban.linkage.files import about, applying, companions, intake, passing
from kiban.linkage.files.intake import Intake, TakenSet

_LATER = frozenset({"epoch-stale", "sequence-stale", "sequence-gap", "set-unsigned", "signer-unknown"})
"""Problems that are not of the set itself: it may be taken at another time, so no receipt is filed."""

_NOTE = "set"


def take_set(replica: Replica, shelf: sets.Shelf, manifest: sets.Manifest, desk: Intake) -> TakenSet:
    """Take one set, whole or not at all.

    Receipts are filed on the shelf in the name of the contract's consumer: received, validated, applied with the digest of
    everything that is held then; or the first of them with the problems that kept the set from it, and no further one.
    Whoever is interrupted calls again. A set that was applied before changes nothing.

    Args:
        replica: of the flow.
        shelf: where the set lies.
        manifest: of the set.
        desk: what to work with.

    Raises:
        Problem: `set-refused` where a receipt with problems stands; `absence-many`; `set-underway`.
        Problems: everything that is wrong with the set: those of `sets.verify`; `set-no-epoch`, `epoch-other`, `sequence-gap`;
            `set-other-…`, `part-stranger`, `set-rows`, `set-sums`, `set-buckets`, `set-units`. Nothing was changed then.
    """
    answer = _Answer(replica, shelf, manifest, desk)
    if position(replica) == manifest.position:
        return answer.applied(repeated=True)
    answer.refuse_if_refused()
    if wrong := _order(replica, shelf, manifest):
        raise Problems(wrong)
    answer.file("received", _checked(replica, shelf, manifest, desk))
    try:
        said = about.about_of(shelf, manifest, desk.scratch)
        answer.stop([*about.misfits(said, replica.contract), *intake.strangers(manifest, replica.contract)])
        return _applied(replica, shelf, manifest, said, desk, answer)
    except Problems as problems:
        answer.file("validated", problems.problems)
        raise
    except Problem as problem:
        if problem.code.startswith(("about-", "companion-", "part-", "file-")):
            answer.file("validated", [problem])
        raise


def take_newest(replica: Replica, shelf: sets.Shelf, desk: Intake) -> list[TakenSet]:
    """Take every set that is there and not yet applied, in order: from the newest full set on, the older ones are passed over.

    Raises:
        Problem: those of `take_set`.
        Problems: those of `take_set`. The sets before are applied then.
    """
    there = sets.positions(shelf, replica.contract.flow)
    if not there:
        return []
    epoch = there[-1][0]
    held = position(replica)
    return [
        take_set(replica, shelf, sets.find(shelf, replica.contract.flow, *place), desk)
        for place in there
        if place[0] == epoch and (held is None or place > held)
    ]


def position(replica: Replica) -> sets.Position | None:
    """Epoch and sequence of the set that was applied last; None where none was."""
    if replica.epoch is None:
        return None
    noted = str(replica.noted(_NOTE) or "0-0").split("-")
    return replica.epoch, int(noted[1]) if int(noted[0]) == replica.epoch else 0


def _order(replica: Replica, shelf: sets.Shelf, manifest: sets.Manifest) -> list[Problem]:
    """Why a set is not the next one to take; nothing where it is."""
    held, flow = position(replica), manifest.flow
    if flow != replica.contract.flow:
        fix = "take it by its own contract"
        return [Problem("set-other-flow", f"the set is of the flow {flow}", replica.contract.flow, fix)]
    if manifest.kind == "full":
        return []
    if held is None:
        return [Problem("set-no-epoch", "nothing is held yet", flow, "take the full set of the epoch first")]
    if manifest.epoch > held[0]:
        what = f"of epoch {manifest.epoch}, and {held[0]} is held"
        return [Problem("epoch-other", what, flow, "take the full set of that epoch first")]
    if manifest.epoch == held[0] and manifest.position > held and manifest.previous != held[1]:
        what = f"follows {manifest.epoch}-{manifest.previous}, and {held[0]}-{held[1]} is held"
        return [Problem("sequence-gap", what, flow, "take the sets between first; skip nothing")]
    return []


def _checked(
    replica: Replica, shelf: sets.Shelf, manifest: sets.Manifest, desk: Intake
) -> tuple[Problem, ...]:
    """What is wrong with the bytes of a set.

    Raises:
        Problems: where it is not yet, or no longer, its turn.
    """
    found = sets.verify(
        shelf,
        manifest,
        scratch=desk.scratch,
        keys=desk.keys,
        unsigned=desk.unsigned,
        after=position(replica),
        progress=desk.progress,
    )
    if any(problem.code in _LATER for problem in found):
        raise Problems(found)
    return found


def _applied(
    replica: Replica,
    shelf: sets.Shelf,
    manifest: sets.Manifest,
    said: about.About,
    desk: Intake,
    answer: _Answer,
) -> TakenSet:
    marks = companions.read_marks(about.companion(shelf, manifest, about.UNITS, desk.scratch))
    data = about.companion(shelf, manifest, about.PROTECTION, desk.scratch)
    protected = companions.read_protection(data, said.protection)

    def ready() -> None:
        if desk.evidence is not None:
            desk.evidence([passing.received(replica.contract, manifest.set_id, said, desk.clock())])
        answer.file("validated")
        replica.protect_all(protected.states, protected.others, desk.clock())
        replica.hear(said.event, sets.moment_of(manifest.set_id), desk.clock())

    absent: dict[str, tuple[str, ...]] = {}
    quarantined = 0
    if manifest.kind == "full":
        absent, quarantined = applying.apply_full(replica, shelf, manifest, said, marks, desk, ready)
    else:
        quarantined = applying.apply_delta(replica, shelf, manifest, said, marks, protected, desk, ready)
    replica.note(_NOTE, f"{manifest.epoch}-{manifest.sequence}")
    return answer.applied(said, absent=absent, quarantined=quarantined)


class _Answer:
    """The receipts of one set."""

    def __init__(self, replica: Replica, shelf: sets.Shelf, manifest: sets.Manifest, desk: Intake) -> None:
        self._replica, self._shelf, self._manifest, self._desk = replica, shelf, manifest, desk
        self._system = replica.contract.consumer.id
        mine = (one for one in sets.receipts(shelf, manifest.set_id) if one.system == self._system)
        self._standing = {one.state: one for one in mine}

    def refuse_if_refused(self) -> None:
        """Nothing is done with a set that was refused before."""
        codes = [code for one in self._standing.values() for code in one.problems]
        if codes:
            fix = "have the provider publish it again, under a new id"
            what = f"the set was refused before: {', '.join(codes)}"
            raise Problem("set-refused", what, self._manifest.set_id, fix)

    def stop(self, problems: list[Problem]) -> None:
        """Leave where something is wrong."""
        if problems:
            raise Problems(problems)

    def file(
        self,
        state: sets.State,
        problems: tuple[Problem, ...] | list[Problem] = (),
        held: tuple[int, str] | None = None,
    ) -> None:
        """Put a receipt beside the set, once, and leave where it tells of problems."""
        if state not in self._standing:
            codes = tuple(dict.fromkeys(problem.code for problem in problems))
            receipt = sets.Receipt(
                set_id=self._manifest.set_id,
                system=self._system,
                state=state,
                at=self._desk.clock(),
                problems=codes,
                rows=held[0] if held else None,
                digest=held[1] if held else None,
            )
            self._standing[state] = sets.file_receipt(self._shelf, receipt, self._desk.signer)
        if problems:
            raise Problems(problems)

    def applied(
        self,
        said: about.About | None = None,
        *,
        repeated: bool = False,
        absent: dict[str, tuple[str, ...]] | None = None,
        quarantined: int = 0,
    ) -> TakenSet:
        """Tell what is held now; receipts that an interruption left out are filed."""
        told = said or about.about_of(self._shelf, self._manifest, self._desk.scratch)
        held = intake.held_rows(self._replica)
        for state in ("received", "validated"):
            self.file(state)
        self.file("applied", held=held)
        equal = held[1] == told.digest if self._manifest.kind == "full" else None
        return TakenSet(self._manifest, repeated, *held, equal, absent or {}, told.held, quarantined)
