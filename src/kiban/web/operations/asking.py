"""The pages of the questions of auditors."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from django.http import Http404, HttpResponse

from kiban.access import audit
from kiban.kernel import Problem, Problems
from kiban.web.city import today
from kiban.web.operations import questions
from kiban.web.operations.asked import Asked, Wrong
from kiban.web.operations.questions import Question
from kiban.web.operations.sheet import Field, Link, Sheet, show
from kiban.web.pages.desk import Desk
from kiban.web.pages.trail import leave
from kiban.web.pages.working import needs

_ACTOR = Field("actor", "職員番号", hint="システムはそのID")
_SUBJECT = Field("subject", "宛名番号")
_OUTCOME = Field("outcome", "結果", options=(("", "すべて"), *audit.OUTCOMES.items()))
_KIND = Field(
    "kind",
    "種別",
    options=(("", "すべて"), *((each.id, f"{each.log}：{each.title}") for each in audit.kinds().values())),
)
_REQUEST = Field("request", "問い合わせ番号")
_LINE = (
    "日時",
    "種別",
    "結果",
    "職員等",
    "所属",
    "事務",
    "端末",
    "業務",
    "対象",
    "内容",
    "問い合わせ番号",
    "番号",
)
_LOOK = ("日時", "職員等", "所属・区", "事務", "操作・台帳", "結果", "対象", "番号")
_SAID = {
    "audit-hours": "時刻は15分単位で、始業が終業より前になるように入力してください。",
    "holidays-unknown": "この期間の祝日が登録されていません。ホームの audit/holidays.csv に、内閣府「国民の祝日」の内容を加えてください。",
    "kin-unsaid": "住民記録の版に、世帯と検索の項目が定められていません。",
}

QUESTIONS = {
    "lines": Question("記録の検索", _LINE, (_KIND, _OUTCOME, _ACTOR, _SUBJECT, _REQUEST), questions.lines),
    "who": Question(
        "誰が見たか・誰を見たか",
        _LOOK,
        (_SUBJECT, _ACTOR),
        questions.who,
        "操作の記録と、台帳の全ての参照を合わせて表示します。",
    ),
    "night": Question(
        "時間外・休日",
        ("日", "区分", "職員等", "記録", "参照", "最初（15分単位）", "最後（15分単位）"),
        (Field("opens", "始業", "time", value="08:30"), Field("closes", "終業", "time", value="17:15")),
        questions.night,
    ),
    "failed": Question(
        "認証の失敗", ("職員等", "端末", "失敗", "ロックアウト", "最初", "最後"), (), questions.failed
    ),
    "lock-outs": Question("ロックアウト", _LINE, (_ACTOR,), questions.lock_outs),
    "mass": Question(
        "大量の参照",
        ("日", "職員等", "異なる対象", "参照", "うち検索"),
        (Field("threshold", "一日の人数", "number", hint="この人数以上を参照した職員", value="200"),),
        questions.mass,
    ),
    "kin": Question(
        "本人・家族・同姓同住所",
        ("日時", "職員等", "関係", "対象", "台帳", "事務", "番号"),
        (),
        questions.kin,
        "宛名番号が登録された職員（kiban audit own）の、今日の世帯と住所によります。",
        30,
    ),
    "exports": Question(
        "抽出・出力",
        ("件数", *_LINE),
        (),
        questions.exports,
        "件数の分からないもの、多いものの順に、200件まで表示します。",
    ),
    "lifts": Question("一時解除", _LINE, (_ACTOR, _SUBJECT), questions.lifts),
}
TABS = (
    Link("封印と署名", "/operations/audit"),
    *(Link(each.title, f"/operations/audit/{name}") for name, each in QUESTIONS.items()),
)


@needs("audit")
def ask(request: Desk, question: str) -> HttpResponse:
    """The form of a question, and its answer where the form was sent. The question leaves a line before it is answered."""
    found = QUESTIONS.get(question)
    if found is None:
        raise Http404
    asked = Asked({name: str(value) for name, value in request.POST.items()}, today(request.city), found.days)
    sheet = Sheet(
        f"監査　{found.title}",
        found.heads,
        tabs=TABS,
        fields=_fields(found, asked),
        asked=request.method == "POST",
    )
    sheet = replace(sheet, intro=(found.intro,) if found.intro else ())
    if request.method != "POST":
        return show(request, sheet)
    try:
        _leave(request, question, asked)
        rows, after = found.rows(request.city, asked)
    except Wrong as wrong:
        return show(request, replace(sheet, wrong=str(wrong)))
    except Problem as problem:
        if problem.code not in _SAID:
            raise
        return show(request, replace(sheet, wrong=_SAID[problem.code]))
    return show(request, replace(sheet, rows=rows, next=after))


def _leave(request: Desk, question: str, asked: Asked) -> None:
    subject, actor = asked.text("subject"), asked.text("actor")
    if max(len(subject), len(actor)) > 64:
        raise Wrong("番号は64文字までです。")
    detail = {"what": question, **({"of": actor} if actor else {})}
    try:
        leave(request, "read", business="audit", subjects=(subject,) if subject else (), **detail)
    except Problems as problems:
        raise Wrong("入力した番号を記録できないため、表示しません。欄を確かめてください。") from problems


def _fields(found: Question, asked: Asked) -> list[Field]:
    """The days, then the fields of the question, with what was sent."""
    first = asked.today - timedelta(days=found.days - 1)
    fields = [
        Field("since", "初めの日", "date", value=first.isoformat()),
        Field("until", "終わりの日", "date", value=asked.today.isoformat()),
        *found.fields,
    ]
    return [replace(each, value=asked.values.get(each.name, each.value)[:200]) for each in fields]
