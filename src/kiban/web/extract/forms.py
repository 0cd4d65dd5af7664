"""What a form of the wizard says, as parts of a query; the query's own check says what is wrong with it."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from kiban.access import extract
from kiban.web.extract.drafts import Body, Draft


def condition_of(posted: QueryDict, kept: Draft) -> tuple[Body, list[str]]:
    """A condition, and what keeps it from being one."""
    name, kind = str(posted.get("item", "")), str(posted.get("kind", ""))
    named = kept.named()
    if name not in named or kind not in extract.KINDS:
        return {}, ["項目と条件を選んでください。"]
    item = named[name][1]
    condition: Body = {"item": name}
    if posted.get("as") == "age":
        condition = {"age": name, "on": str(posted.get("on", "")).strip() or "today"}
    first, last = str(posted.get("value", "")).strip(), str(posted.get("to", "")).strip()
    if kind == "between":
        condition |= {key: value for key, value in (("from", first), ("to", last)) if value}
        if not (first or last):
            return {}, ["範囲の始めか終わりを入力してください。"]
    elif kind in ("empty", "filled"):
        condition[kind] = "yes"
    elif not first:
        return {}, ["値を入力してください。"]
    else:
        several = [each for each in first.replace("、", " ").replace(",", " ").split() if each]
        condition[kind] = several if kind in ("one-of", "named") else first
    if item.allows_unknown_date and kind not in ("empty", "filled"):
        condition["unknown"] = "with" if posted.get("unknown") == "with" else "without"
    return condition, []


def scope_of(posted: QueryDict, kept: Draft) -> Body:
    """The query with its day, wards, order, totals and form."""

    def sent(name: str) -> str:
        return str(posted.get(name, "")).strip()

    body, columns = kept.body, kept.columns
    history = sent("time") == "history"
    body |= {"history": "yes" if history else "", "valid": "" if history else sent("valid") or "today"}
    body |= {
        "known": sent("known"),
        "wards": sent("wards").replace("、", " ").split(),
        "limit": sent("limit"),
    }
    body |= {
        "split": sent("split") if sent("split") in extract.SPLITS else "",
        "codes": "both" if sent("codes") else "",
    }
    if sent("result") == "totals":
        subject = kept.group.subject[0].romaji
        totals: dict[str, Any] = {"by": columns, "count": "yes" if sent("count") else "no"}
        totals |= {"distinct": [subject]} if sent("distinct") else {}
        totals |= {"sum": [name for name in posted.getlist("sum") if name in kept.named()]}
        body |= {"totals": {name: value for name, value in totals.items() if value != []}, "items": []}
    else:
        body |= {"totals": None, "items": columns}
    order = [(sent(f"order{n}"), sent(f"down{n}")) for n in range(2)]
    body["order"] = [f"{'-' if down else ''}{name}" for name, down in order if name in columns]
    form, _, encoding = sent("form").partition("-")
    output = {"form": form if form in ("csv", "xlsx", "parquet") else "csv"}
    if output["form"] == "csv":
        output |= {"encoding": "cp932" if encoding == "cp932" else "utf-8"} | (
            {"bom": "no"} if encoding == "plain" else {}
        )
    output |= {"titles": "romaji" if sent("titles") == "romaji" else "japanese"} | (
        {} if sent("guard") else {"guard": "no"}
    )
    return {**body, "output": output}
