"""The lane of protection: what events change of it goes to every flow that carries the person, before anything else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from kiban import store
from kiban.kernel import ALL_WARDS, Actor, Problem
from kiban.linkage.contracts.model import Contract
from kiban.linkage.evidence import JAPAN
from kiban.linkage.protection import journal
from kiban.linkage.protection.addressing import addressed
from kiban.linkage.protection.grounds import affected, gather, standing_now
from kiban.linkage.protection.unit import HOUSEHOLD, Notice, State, Unit, joined, kinds_of
from kiban.standard import Edition, Protected
from kiban.store import BookPage, Books, Session, Store, Told


class Lane:
    """Follows the events of the city for who is protected. One at a time works; others wait."""

    def __init__(
        self, opened: Store, books: Books, contracts: Iterable[Contract], business: str, actor: Actor
    ) -> None:
        """A lane for the registers of one business.

        Args:
            opened: an open store.
            books: of the linkage.
            contracts: of all flows that Kiban provides.
            business: whose edition says who is protected, such as `resident`.
            actor: who reads; sees the whole city, and rows of protected persons.

        Raises:
            Problem: `protection-unsaid` where the edition in force has no section `protection`,
                `protection-actor` for an actor of some wards only, or to whom protected rows are closed.
        """
        if actor.wards != ALL_WARDS or not actor.protected:
            raise Problem(
                "protection-actor",
                "who reads the protection does not see the whole city, or not whom it protects",
                fix="give all wards, and protected rows",
            )
        self._store, self._books, self._actor, self._business = opened, books, actor, business
        self._contracts = tuple(contracts)
        self._edition()

    def prepare(self, now: datetime) -> int:
        """Look the register through once and note who is protected, without telling anyone: full sets carry it.

        Does nothing where it was done. Returns how many units are protected.

        Raises:
            Problem: those of the store.
        """
        with self._books.transaction() as page:
            page.run("LOCK TABLE protection_place IN EXCLUSIVE MODE")
            if journal.place(page) is None:
                event, _ = store.last_event(self._store)
                with self._store.session(self._actor) as session:
                    self._sweep(page, session, event, now)
                journal.move_place(page, event)
            return len(journal.holds(page))

    def notices(self, until: int, now: datetime) -> list[Notice]:
        """What has to be published before any message of the events until one; all of them are taken in by then.

        For the publisher alone, whose lane knows the contracts of all flows: whoever else takes events in (`catch_up`)
        tells nobody. What was not published is told again at every call.

        Raises:
            Problem: `protection-unprepared` before `prepare`; those of the store. Then nothing may be published.
        """
        if self.catch_up(now) < until:
            raise Problem(
                "protection-behind", "there is no such event yet", fix="ask for events that are there"
            )
        with self._books.transaction() as page:
            journal.place(page, lock=True)
            if untold := journal.take_untold(page):
                with self._store.session(self._actor) as session:
                    made = addressed(page, session, self._contracts, self._protected(), untold)
                journal.write(page, made)
            return journal.unpublished(page)

    def take(self, told: Sequence[Told], now: datetime) -> None:
        """Take in events that follow those taken in so far; those that were before change nothing.

        Raises:
            Problem: those of `notices`.
        """
        with self._books.transaction() as page:
            reached = journal.place(page, lock=True)
            if reached is None:
                raise Problem(
                    "protection-unprepared",
                    "nobody looked through who is protected",
                    fix="call prepare first",
                )
            new = [each for each in told if each.event > reached]
            if new:
                with self._store.session(self._actor) as session:
                    self._take(page, session, new, now)
                journal.move_place(page, new[-1].event)

    def published(self, notices: Iterable[Notice], now: datetime) -> None:
        """Note that notices are with the broker."""
        with self._books.transaction() as page:
            journal.mark_published(page, [notice.id for notice in notices], now)

    def states(self, contract: Contract, pairs: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
        """State and version of units of a flow as messages of events carry them; unknown where no event is so far in."""
        kinds = sorted(kinds_of(contract, self._protected()))
        asked = list(dict.fromkeys(pairs))
        with self._books.transaction() as page:
            told = journal.states_after(
                page, [(Unit(kind, number), event) for kind in kinds for number, event in asked]
            )
        by_kind = zip(
            *(told[start : start + len(asked)] for start in range(0, len(told), len(asked) or 1)), strict=True
        )
        found = dict(zip(asked, map(joined, by_kind), strict=True))
        return [(found[pair].state, found[pair].event) for pair in pairs]

    def changed(self, contract: Contract, event: int) -> dict[str, tuple[str, int]]:
        """The units of a flow that are not simply clear since ever, as a full set after an event carries them.

        Raises:
            Problem: `protection-behind` where the event is not taken in: nobody could be told to be clear.
        """
        kinds = kinds_of(contract, self._protected())
        with self._books.transaction() as page:
            reached = journal.place(page)
            if reached is None or reached < event:
                raise Problem("protection-behind", "the event is not taken in", fix="call notices first")
            told = journal.changed(page, event)
        found: dict[str, State] = {}
        for unit, state in told.items():
            if unit.kind in kinds:
                found[unit.number] = joined([state, *([found[unit.number]] if unit.number in found else [])])
        return {number: (state.state, state.event) for number, state in found.items()}

    def known(self, units: Collection[Unit], event: int | None = None) -> dict[Unit, State]:
        """The state of each unit after an event; with no event the newest that was taken in.

        Unknown where the lane has not come so far. For a list that is used now, see `gate`.
        """
        asked = list(dict.fromkeys(units))
        with self._books.transaction() as page:
            return dict(
                zip(asked, journal.states_after(page, [(unit, event) for unit in asked]), strict=True)
            )

    def standing(self, units: Collection[Unit], now: datetime) -> dict[Unit, State]:
        """The state of each unit at this moment: whatever the register knows by now is taken in first.

        Raises:
            Problem: those of `notices`.
        """
        self.catch_up(now)
        return self.known(units)

    def catch_up(self, now: datetime) -> int:
        """Take in every event there is; the notices wait for the publisher. The number of the last event.

        Raises:
            Problem: those of `notices`.
        """
        while True:
            with self._books.transaction() as page:
                reached = journal.place(page) or 0
            told = store.told_after(self._store, reached, _AT_ONCE)
            self.take(told, now)
            if len(told) < _AT_ONCE:
                return told[-1].event if told else reached

    def empty_homes(self, page: BookPage, event: int, now: datetime) -> list[Unit]:
        """The held households that the register no longer protects, and of whose people nobody is held."""
        over = [
            unit
            for unit, (_, ended_by) in journal.holds(page).items()
            if unit.kind == HOUSEHOLD and ended_by is not None and not journal.unanswered(page, unit)
        ]
        if not over:
            return []
        with self._store.session(self._actor) as session:
            facts = gather(session, self._edition(), over, event)
        people = {unit: facts.companions(unit, (event, _day(now))) for unit in over}
        held = journal.holds(page, {person for some in people.values() for person in some})
        return [unit for unit in sorted(over) if not people[unit] & set(held)]

    def _take(self, page: BookPage, session: Session, told: Sequence[Told], now: datetime) -> None:
        edition = self._edition()
        touched = self._touched(session, edition, told)
        units = {unit for some in touched.values() for unit in some}
        facts = gather(session, edition, units, told[0].event - 1)
        held = journal.holds(page, units)
        registers = {f"{edition.id}.{group}" for group in facts.protected.groups}
        for each in told:
            if registers & set(each.whole):
                self._sweep(page, session, each.event, now, version=each.event)
                held = journal.holds(page, units)
            for unit in sorted(touched.get(each.event, ())):
                said = facts.standing(unit, each.event, _day(now))
                version, ended_by = held.get(unit, (None, None))
                if said.protected and (version is None or said.fresh or ended_by is not None):
                    journal.protect(page, unit, each.event, now)
                    held[unit] = (each.event, None)
                elif not said.protected and version is not None and ended_by is None:
                    journal.note_end(page, unit, each.event)
                    held[unit] = (version, each.event)

    def _touched(self, session: Session, edition: Edition, told: Sequence[Told]) -> dict[int, set[Unit]]:
        """For each event whose protection it may have changed."""
        assert edition.protection is not None
        found: dict[int, set[Unit]] = {}
        for group in sorted(edition.protection.groups):
            register, first = f"{edition.id}.{group}", edition.group(group).subject[0].romaji
            pairs = [
                (each.event, touch.subject[first])
                for each in told
                for touch in each.touched
                if touch.register == register
            ]
            if pairs:
                numbers = {number for _, number in pairs}
                units = affected(session, edition, register, numbers, told[0].event - 1)
                for event, number in pairs:
                    found.setdefault(event, set()).update(units[number])
        return found

    def _sweep(
        self, page: BookPage, session: Session, event: int, now: datetime, version: int | None = None
    ) -> None:
        """Hold everybody whom the register protects after an event and who is not held yet; note whom it no longer does.

        Quietly where no version is given.
        """
        edition, held = self._edition(), journal.holds(page)
        units = sorted(standing_now(session, edition, event) | set(held))
        for start in range(0, len(units), _AT_ONCE):
            some = units[start : start + _AT_ONCE]
            facts = gather(session, edition, some, event)
            for unit in some:
                said = facts.standing(unit, event, _day(now))
                if said.protected and (unit not in held or held[unit][1] is not None):
                    journal.protect(page, unit, version or said.newest, now, quiet=version is None)
                elif not said.protected and unit in held and held[unit][1] is None:
                    journal.note_end(page, unit, event)

    def _protected(self) -> Protected:
        protection = self._edition().protection
        assert protection is not None
        return protection

    def _edition(self) -> Edition:
        edition = self._store.edition(self._business)
        if edition.protection is None:
            raise Problem(
                "protection-unsaid",
                f"edition {edition.edition} of {edition.id} does not say who is protected",
                str(edition.folder / "business.yaml"),
                "add a section protection:, see docs/protection.md",
            )
        return edition


_AT_ONCE = 1_000


def _day(now: datetime) -> date:
    """The day in Japan."""
    return now.astimezone(JAPAN).date()
