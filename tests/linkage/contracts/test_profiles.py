"""A profile says every detail of the files, or that nobody knows it; what is not known is never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiban import linkage, standard
from kiban.kernel import Problem, Problems
from kiban.linkage import SAMPLES, Contracts

CSV = (SAMPLES / "profiles" / "example-csv.yaml").read_text(encoding="utf-8")


def loaded(folder: Path, library: standard.Library, text: str) -> Contracts:
    (folder / "profiles").mkdir()
    (folder / "profiles" / "own.yaml").write_text(text, encoding="utf-8")
    return linkage.load_contracts([folder], library)


def test_every_example_says_that_it_is_not_official(samples: Contracts) -> None:
    examples = [each for each in samples.profiles.values() if each.status == "example"]
    assert {each.id for each in examples} == {"example-csv", "example-csv-bom", "example-fixed"}
    for each in examples:
        assert "例。公式ではない" in each.title
        assert "例（公式ではない）" in each.path.read_text("utf-8").splitlines()[0]
        assert not each.known().official


def test_a_profile_says_what_stands_in_its_file(samples: Contracts) -> None:
    profile = samples.profile("example-csv-bom")
    assert (profile.encoding, profile.bom, profile.header, profile.marker) == ("utf-8", True, "name", None)
    assert (profile.delimiter, profile.line_end, profile.full) == (",", "\r\n", "全件")
    assert samples.profile("example-fixed").form == "records"


def test_what_the_official_text_says_is_unset_until_somebody_has_read_it(samples: Contracts) -> None:
    with pytest.raises(Problem, match="profile-unset") as caught:
        samples.profile("official-unset")
    assert "encoding" in caught.value.what
    assert "never guessed" in str(caught.value.fix)


def test_a_profile_that_is_not_there_is_named_with_what_is_near(
    samples: Contracts, library: standard.Library, tmp_path: Path
) -> None:
    with pytest.raises(Problem, match="did you mean example-csv"):
        samples.profile("example-cvs")
    text = (SAMPLES / "resident-tax.yaml").read_text("utf-8").replace("example-csv", "example-cvs")
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(Problems, match="profile-unknown"):
        linkage.load_contracts([tmp_path], library)


def test_a_city_has_profiles_of_its_own(tmp_path: Path, library: standard.Library) -> None:
    contracts = loaded(tmp_path, library, CSV.replace("id: example-csv", "id: own").replace("crlf", "lf"))
    assert contracts.profile("own").line_end == "\n"


FAULTS: dict[str, tuple[str, str, str]] = {
    "an encoding that is none": ("encoding: utf-8", "encoding: utf-9", "profile-encoding"),
    "an encoding without kanji": ("encoding: utf-8", "encoding: latin-1", "profile-encoding"),
    "a byte order mark elsewhere": (
        "encoding: utf-8\nbom: false",
        "encoding: cp932\nbom: true",
        "profile-encoding",
    ),
    "a header that is none": ("header: romaji", "header: romanji", "field-choice"),
    "a detail left out": ("quoting: all\n", "", "field-missing"),
    "a detail that is none": ("quoting: all", "quoting: all\ncompression: zip", "field-unknown"),
    "separators that are one": ('list_separator: ";"', 'list_separator: ","', "profile-separators"),
    "a name that meets itself": ("_{number:03}of{of:03}", "", "profile-name"),
    "a place that is none": ("{flow}_{group}", "{flow}_{date}_{group}", "profile-name"),
    "braces that do not fit": ("{flow}_{group}", "{flow_{group}", "profile-name"),
    "a width of a word": ("{flow}_{group}", "{flow}_{group:03}", "profile-name"),
    "a name that leads out": ('folder: ""', 'folder: "../{consumer}"', "profile-name"),
    "a full set called as a delta": ("delta: delta", "delta: full", "profile-name"),
    "the name of another": ("id: own", "id: example-fixed", "profile-twice"),
}


@pytest.mark.parametrize(("old", "new", "code"), FAULTS.values(), ids=FAULTS)
def test_a_profile_is_refused_for(
    old: str, new: str, code: str, tmp_path: Path, library: standard.Library
) -> None:
    text = CSV.replace("id: example-csv", "id: own")
    assert old in text
    with pytest.raises(Problems) as caught:
        loaded(tmp_path, library, text.replace(old, new, 1))
    assert code in [each.code for each in caught.value.problems]


def test_all_faults_of_a_profile_are_told_at_once(tmp_path: Path, library: standard.Library) -> None:
    text = CSV.replace("utf-8", "utf-9").replace("header: romaji", "header: x").replace("crlf", "cr")
    with pytest.raises(Problems) as caught:
        loaded(tmp_path, library, text)
    assert len(caught.value.problems) == 3
