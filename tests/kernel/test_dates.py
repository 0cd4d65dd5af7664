"""Uncertain dates keep what was written, order totally, and never guess an age."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiban.kernel import AgeRule, DateKind, Problem, UncertainDate

Triple = tuple[str | None, str | None, str | None]

days = st.dates(date(1873, 1, 1), date(2100, 12, 31))
date_texts = st.builds(
    "{:04}-{:02}-{:02}".format, st.integers(1, 9999), st.integers(1, 12), st.integers(1, 31)
)
notations = st.one_of(
    st.text(min_size=1, max_size=72),
    st.builds(
        "{}{}年{}".format,
        st.sampled_from(["明治", "大正", "昭和", "平成", "令和"]),
        st.integers(1, 99),
        st.sampled_from(["頃", "3月頃", "月日不詳", "2月日不詳", "2月30日"]),
    ),
)
triples = st.one_of(
    st.tuples(date_texts, st.sampled_from([None, "0", "1"]), st.none() | notations),
    st.tuples(st.none(), st.just("1"), st.none() | notations),
    st.tuples(st.none(), st.none(), notations),
)


@given(triples)
def test_every_triple_comes_back_as_it_came(triple: Triple) -> None:
    assert UncertainDate.parse(*triple).triple() == triple


@given(triples)
def test_the_bounds_are_in_order(triple: Triple) -> None:
    read = UncertainDate.parse(*triple)
    assert read.sort_lo <= read.sort_hi
    if read.earliest and read.latest:
        assert read.earliest <= read.latest


@given(triples)
def test_no_day_is_invented(triple: Triple) -> None:
    read = UncertainDate.parse(*triple)
    if read.kind is not DateKind.EXACT:
        assert read.calendar_day is None
    if triple[1] == "1":
        assert read.kind is not DateKind.EXACT


@given(triples, triples, triples)
def test_the_order_is_total(
    first: Triple,
    second: Triple,
    third: Triple,
) -> None:
    one, two, three = (UncertainDate.parse(*triple) for triple in (first, second, third))
    assert sum((one < two, one == two, one > two)) == 1
    if one <= two <= three:
        assert one <= three


@given(days, days)
def test_exact_days_sort_as_days(one: date, two: date) -> None:
    assert (UncertainDate.exact(one) < UncertainDate.exact(two)) == (one < two)


@given(days)
def test_an_exact_day_is_itself(day: date) -> None:
    read = UncertainDate.exact(day)
    assert read.calendar_day == read.earliest == read.latest == day
    assert read.triple() == (day.isoformat(), "0", None)
    assert str(read) == day.isoformat()
    assert (read.year, read.month, read.day) == (day.year, day.month, day.day)


def test_the_flag_alone_makes_no_other_date() -> None:
    assert UncertainDate.parse("2000-01-01") == UncertainDate.exact(date(2000, 1, 1))
    assert hash(UncertainDate.parse("2000-01-01")) == hash(UncertainDate.exact(date(2000, 1, 1)))


def test_a_flag_that_doubts_the_date_makes_another_date() -> None:
    words = "昭和25年3月5日"
    assert UncertainDate.parse("1950-03-05", "1", words) != UncertainDate.parse("1950-03-05", "0", words)


def test_a_substitute_day_beside_the_flag_is_kept_but_not_used() -> None:
    read = UncertainDate.parse("1950-01-01", "1", "昭和25年3月頃")
    assert read.kind is DateKind.YEAR_MONTH
    assert (read.sort_lo, read.sort_hi) == ("1950-03-01", "1950-03-31")
    nothing_but_a_substitute = UncertainDate.parse("1950-01-01", "1")
    assert nothing_but_a_substitute.kind is DateKind.UNKNOWN
    assert str(nothing_but_a_substitute) == "不詳"


def test_a_day_in_words_that_the_flag_doubts_is_text() -> None:
    read = UncertainDate.written("昭和25年3月5日")
    assert (read.kind, read.sort_lo, read.approximate) == (DateKind.TEXT, "1950-03-05", True)


def test_29_february_of_a_common_year_keeps_its_place_between_two_days() -> None:
    read = UncertainDate.parse("1951-02-29", "0")
    assert read.kind is DateKind.NONCALENDAR
    before, after = UncertainDate.parse("1951-02-28"), UncertainDate.parse("1951-03-01")
    assert before < read < after
    assert (read.earliest, read.latest) == (date(1951, 2, 28), date(1951, 3, 1))


@pytest.mark.parametrize("text", ["0000-01-01", "9999-12-31"])
def test_the_open_ends_of_ranges_are_no_days(text: str) -> None:
    read = UncertainDate.parse(text)
    assert (read.kind, read.calendar_day, read.triple()) == (DateKind.OPEN, None, (text, None, None))


def test_open_ends_have_no_bound_on_their_side() -> None:
    assert UncertainDate.parse("0000-01-01").earliest is None
    assert UncertainDate.parse("9999-12-31").latest is None


@pytest.mark.parametrize(
    "text",
    [
        "1950-3-5",
        "19500305",
        "1950-00-00",
        "1950-13-01",
        "1950-01-32",
        "0000-02-01",
        "１９５０-01-01",
        "yesterday",
    ],
)
def test_dates_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(Problem) as caught:
        UncertainDate.parse(text)
    assert caught.value.code == "date-form"
    assert text not in str(caught.value)


def test_an_empty_triple_is_no_date() -> None:
    with pytest.raises(Problem) as caught:
        UncertainDate.parse("", "0", "")
    assert caught.value.code == "date-empty"


def test_only_0_and_1_are_flags() -> None:
    with pytest.raises(Problem) as caught:
        UncertainDate.parse("2000-01-01", "2")
    assert caught.value.code == "date-flag"


@given(days, st.integers(0, 40_000))
def test_the_age_of_an_exact_birth_grows_on_the_birthday(birth: date, later: int) -> None:
    day = min(birth + timedelta(days=later), date(2200, 1, 1))
    age = UncertainDate.exact(birth).age_on(day)
    assert age == sum(
        (birth.month, birth.day) <= (day.month, day.day) or year < day.year
        for year in range(birth.year + 1, day.year + 1)
    )


def test_an_uncertain_birth_has_an_age_only_where_every_birthday_agrees() -> None:
    born_in_1950 = UncertainDate.written("昭和25年")
    assert born_in_1950.age_on(date(2025, 12, 31)) == 75
    with pytest.raises(Problem) as caught:
        born_in_1950.age_on(date(2025, 6, 1))
    assert caught.value.code == "age-uncertain"


@pytest.mark.parametrize("words", ["昭和25年頃", "終戦の頃", "年月日不詳"])
def test_words_without_firm_bounds_have_no_age_without_a_rule(words: str) -> None:
    with pytest.raises(Problem) as caught:
        UncertainDate.written(words).age_on(date(2025, 12, 31))
    assert caught.value.code == "age-uncertain"


def test_a_named_rule_decides_an_uncertain_birth() -> None:
    about_1950 = UncertainDate.written("昭和25年頃")
    assert about_1950.age_on(date(2025, 6, 1), AgeRule.EARLIEST_BIRTH) == 75
    assert about_1950.age_on(date(2025, 6, 1), AgeRule.LATEST_BIRTH) == 74


@pytest.mark.parametrize("rule", list(AgeRule))
def test_no_rule_makes_an_age_of_nothing(rule: AgeRule) -> None:
    with pytest.raises(Problem) as caught:
        UncertainDate.written("年月日不詳").age_on(date(2025, 6, 1), rule)
    assert caught.value.code == "age-unknown"


def test_nobody_has_an_age_before_birth() -> None:
    with pytest.raises(Problem) as caught:
        UncertainDate.exact(date(2000, 1, 2)).age_on(date(2000, 1, 1))
    assert caught.value.code == "age-before-birth"
    with pytest.raises(Problem):
        UncertainDate.written("令和2年").age_on(date(2018, 12, 31))
