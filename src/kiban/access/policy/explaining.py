"""Why something is allowed or not, in words for whoever answers for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kiban.access.people import OFFICE_KINDS, Acting, Assignment
from kiban.access.policy.deciding import Answer, Decider, Question


@dataclass(frozen=True)
class Reason:
    """A policy that decided.

    Attributes:
        policy: its ID.
        effect: `permit` or `forbid`.
        reason: why it is there, in Japanese.
        where: file and line.
    """

    policy: str
    effect: str
    reason: str
    where: str


@dataclass(frozen=True)
class Explanation:
    """Whether something is allowed, and why.

    Attributes:
        acting: who asks.
        asked: what was asked, in Japanese.
        allowed: the same answer as that of the grant.
        reasons: the policies that decided, each once.
        missing: what would have to be otherwise, in Japanese; empty where it is allowed.
    """

    acting: Acting
    asked: str
    allowed: bool
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]


def explain(
    decider: Decider, acting: Acting, action: str, business: str, item_class: str, ward: str
) -> Explanation:
    """See `Policies.explain`."""
    questions = list(_questions(decider, acting, action, business, item_class, ward))
    unknown = list(_unknown(decider, action, business, item_class))
    if ward and not business:
        unknown.append("区は業務とともに問う")
    asked = _asked(decider, action, business, item_class, ward)
    answers = [] if unknown else decider.ask(acting, questions)
    if not business and action in decider.contents.actions and len(questions) > 1:
        allowed = [each for each in answers if each.allowed]  # in any business is enough
        answers = allowed or answers
    missing = [*unknown, *_held_back(decider, acting)]
    for each in answers:
        missing += [] if each.allowed else _lacking(decider, acting, each)
    policies = decider.contents.policies
    decided = dict.fromkeys(name for each in answers for name in each.policies)
    reasons = tuple(
        Reason(name, policies[name].effect, policies[name].reason, policies[name].where) for name in decided
    )
    return Explanation(acting, asked, not missing, reasons, tuple(dict.fromkeys(missing)))


def _questions(
    decider: Decider, acting: Acting, action: str, business: str, item_class: str, ward: str
) -> Iterator[Question]:
    known = decider.contents.actions.get(action)
    if known is not None and known.over == "business" and not business:
        yield from ((action, each, "") for each in decider.contents.businesses)
        return
    yield (action, business, "")
    if item_class:
        yield (action, business, item_class)
    if ward and ward != acting.office.ward:
        yield ("other-wards", business, "")


def _unknown(decider: Decider, action: str, business: str, item_class: str) -> Iterator[str]:
    contents = decider.contents
    known = contents.actions.get(action)
    if known is None:
        yield f"操作「{action}」は方針にない"
    if business and business not in contents.businesses:
        yield f"業務「{business}」は方針にない"
    elif business and known is not None and known.over == "city":
        yield f"操作「{known.title}」は業務ごとに決めるものではない。業務を指定しないで問う"
    if item_class and item_class not in contents.items.get(business, {}):
        yield f"項目区分「{item_class}」は業務「{business or '（指定なし）'}」にない"


def _held_back(decider: Decider, acting: Acting) -> Iterator[str]:
    """Why the assignment does not hold."""
    given, staff, office = acting.assignment, acting.staff, acting.office
    duty = decider.contents.duties.get(given.duty)
    if duty is None:
        yield f"職務「{given.duty}」は方針にない"
    else:
        if acting.purpose not in duty.purposes:
            yield f"事務「{acting.purpose}」は職務「{duty.title}」の事務ではない（{'、'.join(duty.purposes)}）"
        if office.kind not in duty.offices:
            kinds = "、".join(name for kind, name in OFFICE_KINDS.items() if kind in duty.offices)
            yield f"職務「{duty.title}」は組織の種別「{OFFICE_KINDS[office.kind]}」に置けない（{kinds}に置ける）"
    if (given.staff, given.office) != (staff.number, office.id):
        yield "発令は、この職員のこの組織へのものではない"
    if not staff.serves(acting.on):
        yield f"{acting.on}は職員の在職期間（{_term(staff.start, staff.end)}）の外である"
    if not given.holds(acting.on):
        yield f"{acting.on}は発令の期間（{_term(given.start, given.end)}）の外である"
    if not office.open(acting.on):
        yield f"{acting.on}は組織のある期間（{_term(office.start, office.end)}）の外である"


def _term(start: object, end: object) -> str:
    return f"{start or ''}～{f'{end}の前日' if end else ''}"


def _lacking(decider: Decider, acting: Acting, answer: Answer) -> Iterator[str]:
    asked = _asked(decider, *answer.question, ward="")
    policies = decider.contents.policies
    forbids = [policies[name] for name in answer.policies if policies[name].effect == "forbid"]
    for each in forbids:
        yield f"{asked}：方針 {each.id} が禁じている（{each.reason}）"
    if not forbids:
        yield f"{asked}：許す方針がない"
    others = [decider.contents.duties[name].title for name in _elsewhere(decider, acting, answer.question)]
    if others:
        yield f"{asked}：この組織でこれができる職務は、{'、'.join(others)}"


def _elsewhere(decider: Decider, acting: Acting, question: Question) -> Iterator[str]:
    """Duties that would allow it, to the same person at the same office on the same day."""
    for duty in decider.contents.duties.values():
        for purpose in duty.purposes:
            given: Assignment = replace(acting.assignment, duty=duty.id, substitutes=None)
            other = replace(acting, assignment=given, purpose=purpose)
            asked: Sequence[Question] = [(question[0], question[1], ""), question]
            if decider.holds(other) and all(each.allowed for each in decider.ask(other, asked)):
                yield duty.id
                break


def _asked(decider: Decider, action: str, business: str, item_class: str, ward: str) -> str:
    contents = decider.contents
    known, kind = contents.actions.get(action), contents.classes.get(item_class)
    parts = [
        contents.businesses.get(business, business),
        kind.title if kind else item_class,
        f"区 {ward}" if ward else "",
        known.title if known else action,
    ]
    return "・".join(part for part in parts if part)
