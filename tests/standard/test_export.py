"""An edition in the formats of others says the same as the edition."""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard
from openapi_spec_validator import validate as validate_openapi

from kiban import standard
from kiban.kernel import Problem

Row = dict[str, Any]
TINY = Path(__file__).parent / "tiny"


def _facts(edition: standard.Edition) -> list[tuple[str, str, str, str, str | None]]:
    """Group, romaji, name, type and digits of every item."""
    return [
        (
            g.id,
            i.romaji,
            i.name,
            i.type,
            f"{i.digits},{i.scale}" if i.scale else str(i.digits) if i.digits else None,
        )
        for g in edition.groups
        for i in g.items
    ]


def _good_row(group: standard.Group) -> Row:
    """The samples of a group as one row of JSON."""
    row: Row = {}
    for item in group.items:
        if item.repeats:
            row[item.romaji] = [item.sample]
        elif item.type in ("9", "S9"):
            row[item.romaji] = int(item.sample)
        else:
            row[item.romaji] = float(item.sample) if item.type == "9V" else item.sample
    return row


def test_a_table_schema_has_every_item_with_its_type_and_length(tiny: standard.Edition) -> None:
    package = json.loads(standard.export(tiny, "table-schema"))
    found = [
        (r["name"], f["name"], f["title"], f["x-kiban"]["dataType"], f["x-kiban"].get("digits"))
        for r in package["resources"]
        for f in r["schema"]["fields"]
    ]
    assert found == _facts(tiny)
    hito = package["resources"][0]["schema"]
    assert hito["primaryKey"] == ["atenabango", "rirekibango"]
    assert hito["foreignKeys"] == [
        {"fields": ["setaibango"], "reference": {"resource": "setai", "fields": ["setaibango"]}}
    ]
    fields = {f["name"]: f for f in hito["fields"]}
    assert (fields["atenabango"]["type"], fields["atenabango"]["constraints"]["maxLength"]) == ("string", 15)
    assert fields["seibetsu"]["constraints"]["enum"] == ["0", "1", "2"]
    assert fields["rirekibango"]["constraints"] == {"required": True, "minimum": 0, "maximum": 99999}
    assert fields["gyomuid"]["type"] == "array"


def test_a_json_schema_is_valid_and_has_every_item_with_its_type_and_length(tiny: standard.Edition) -> None:
    schema = json.loads(standard.export(tiny, "json-schema"))
    jsonschema.Draft202012Validator.check_schema(schema)
    found = [
        (group, name, p["title"], p["x-kiban"]["dataType"], p["x-kiban"].get("digits"))
        for group, definition in schema["$defs"].items()
        for name, p in definition["properties"].items()
    ]
    assert found == _facts(tiny)
    assert schema["$defs"]["setai"]["required"] == ["setaibango", "kukodo"]


def test_a_json_schema_takes_the_samples_and_refuses_what_breaks_the_rules(tiny: standard.Edition) -> None:
    check = jsonschema.Draft202012Validator(json.loads(standard.export(tiny, "json-schema")))
    good = _good_row(tiny.group("hito"))
    assert check.is_valid({"hito": [good]})
    with_selectors = "葛\U000e0100" * 100
    assert check.is_valid({"hito": [good | {"shimei": with_selectors}]})
    for wrong in (
        {"shimei": "長" * 101},
        {"shimei": "ABC"},
        {"seibetsu": "3"},
        {"rirekibango": 100_000},
        {"rirekibango": -1},
        {"atenabango": "1" * 16},
        {"gyomuid": ["1"] * 1000},
        {"shiranai": "1"},
        {"seinengappi": "昭和"},
        {"atenabango": None},
    ):
        assert not check.is_valid({"hito": [good | wrong]}), wrong
    assert not check.is_valid({"hito": [{k: v for k, v in good.items() if k != "atenabango"}]})


def test_an_openapi_document_is_valid_and_queries_every_group(tiny: standard.Edition) -> None:
    document = json.loads(standard.export(tiny, "openapi"))
    validate_openapi(document)
    assert list(document["paths"]) == ["/tiny/hito/query", "/tiny/setai/query", "/tiny/shori/query"]
    answer = document["paths"]["/tiny/hito/query"]["post"]["responses"]["200"]
    assert answer["content"]["application/json"]["schema"]["properties"]["rows"]["items"] == {
        "$ref": "#/components/schemas/hito"
    }
    assert list(document["components"]["schemas"]["hito"]["properties"]) == [
        i.romaji for i in tiny.group("hito").items
    ]


def test_no_address_of_the_api_can_hold_personal_data(tiny: standard.Edition) -> None:
    document = json.loads(standard.export(tiny, "openapi"))
    for path, operations in document["paths"].items():
        assert "{" not in path
        assert list(operations) == ["post"]
        assert "parameters" not in operations["post"]
        headers = operations["post"]["responses"]["200"]["headers"]
        assert headers == {"Cache-Control": {"$ref": "#/components/headers/no-store"}}
    assert '"in": "query"' not in standard.export(tiny, "openapi")


def test_a_query_names_its_subject_its_dates_and_the_fields_it_asks_for(tiny: standard.Edition) -> None:
    schemas = json.loads(standard.export(tiny, "openapi"))["components"]["schemas"]
    query = jsonschema.Draft202012Validator(schemas["hito_query"])
    good = {
        "subject": {"atenabango": "000000000000018"},
        "as_of": {"valid": "2026-04-01", "known": "2026-05-01T09:00:00+09:00"},
        "fields": ["shimei", "seinengappi"],
    }
    assert query.is_valid(good)
    for wrong in (
        {"fields": []},
        {"fields": ["shimei", "shimei"]},
        {"fields": ["shiranai"]},
        {"as_of": {}},
        {"as_of": {"valid": "2026-04-01", "atenabango": "1"}},
        {"subject": {}},
        {"subject": {"shimei": "佐藤"}},
        {"limit": 10},
    ):
        assert not query.is_valid(good | wrong), wrong
    log = jsonschema.Draft202012Validator(schemas["shori_query"])
    assert log.is_valid({"subject": {"shoribango": 1}, "fields": ["shorinengappi"]})


def test_every_refusal_of_the_api_has_one_shape(tiny: standard.Edition) -> None:
    document = json.loads(standard.export(tiny, "openapi"))
    for operations in document["paths"].values():
        refusals = {k: v for k, v in operations["post"]["responses"].items() if k != "200"}
        assert set(refusals) == {"400", "401", "403", "default"}
        assert list(refusals.values()) == [{"$ref": "#/components/responses/problems"}] * 4
    problem = Problem("item-unknown", "there is no such item", "fields/0", "name an item of the group")
    shape = jsonschema.Draft202012Validator(document["components"]["schemas"]["problems"])
    assert shape.is_valid({"title": "refused", "status": 400, "problems": [vars(problem)]})
    assert not shape.is_valid({"title": "refused", "status": 400, "problems": []})


def test_a_data_contract_is_valid_by_its_own_standard(tiny: standard.Edition) -> None:
    text = standard.export(tiny, "odcs")
    contract = OpenDataContractStandard.from_string(text)
    schema = (
        importlib.resources.files("open_data_contract_standard")
        .joinpath("schema.json")
        .read_text(encoding="utf-8")
    )
    jsonschema.validate(yaml.safe_load(text), json.loads(schema))
    assert contract.apiVersion == "v3.1.0"
    assert contract.schema_ is not None
    found = []
    for part in contract.schema_:
        for p in part.properties or []:
            marks = {c.property: c.value for c in p.customProperties or []}
            found.append((part.name, p.name, p.businessName, marks["dataType"], marks.get("digits")))
    assert found == _facts(tiny)
    hito = {p.name: p for p in contract.schema_[0].properties or []}
    assert hito["rirekibango"].primaryKeyPosition == 2
    assert (hito["setaibango"].relationships or [])[0].to == "setai.setaibango"


def test_the_sql_runs_and_its_database_keeps_the_rules(tiny: standard.Edition, database: Any) -> None:
    columns = [i.romaji for i in tiny.group("hito").items]
    row = {**_good_row(tiny.group("hito")), "shimei": "葛\U000e0100" * 100}
    names, marks = ", ".join(columns), ", ".join("%s" for _ in columns)
    insert = f"INSERT INTO tiny.hito ({names}) VALUES ({marks})"
    with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
        connection.execute(standard.export(tiny, "ddl").encode())
        connection.execute("INSERT INTO tiny.setai VALUES ('000000000000026', '281018', NULL)")
        connection.execute(insert.encode(), [row[c] for c in columns])
        for wrong in (
            {"rirekibango": 2, "seibetsu": "3"},
            {"rirekibango": -1},
            {"rirekibango": 3, "setaibango": "x"},
            {},
        ):
            with pytest.raises(psycopg.errors.IntegrityError):
                connection.execute(insert.encode(), [(row | wrong)[c] for c in columns])
        comment = connection.execute(
            "SELECT col_description('tiny.hito'::regclass, 1), obj_description('tiny.hito'::regclass)"
        ).fetchone()
    assert comment == ("90100001 宛名番号（X 15、必須）\n人を識別する番号", "人")


class _Page(HTMLParser):
    """Collects texts, ids and links of a page, and that its tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        assert not {"src", "srcset", "style"} & set(found), "the page is not self-contained"
        assert not any(name.startswith("on") for name in found), "the page's policy forbids it"
        self.tags.append(tag)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [found["href"] or ""] if "href" in found else []
        if tag not in ("meta", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def _page(html: str) -> _Page:
    page = _Page()
    page.feed(html)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert [link for link in page.links if link.removeprefix("#") not in page.ids] == []
    return page


def test_the_page_names_every_item_and_code_and_its_links_lead_somewhere(tiny: standard.Edition) -> None:
    page = _page(standard.export(tiny, "html"))
    text = "".join(page.texts)
    for item in tiny.items:
        assert item.romaji in text
        assert f"i{item.id}" in page.ids
        assert item.name in page.texts
    assert {"不明", "男", "女", "値は各自治体が定める。", "主キー", "必須", "条件付き必須"} <= set(page.texts)
    assert {"#hito", "#codes", "#code-1", "#setai"} <= set(page.links)


@pytest.mark.parametrize("html", ["html", "difference"])
def test_a_page_runs_only_its_own_style_and_script(html: str, tiny: standard.Edition) -> None:
    text = standard.export(tiny, "html") if html == "html" else standard.diff_page(tiny, tiny)
    policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)[0]
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode("ascii")
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_a_page_has_its_landmarks_and_a_way_past_them(tiny: standard.Edition) -> None:
    page = _page(standard.export(tiny, "html"))
    assert [tag for tag in page.tags if tag in ("header", "nav", "main", "footer", "h1")] == [
        *("header", "h1", "nav", "main", "footer")
    ]
    assert page.links[0] == "#main"
    assert '<html lang="ja">' in standard.export(tiny, "html")


def test_the_page_of_a_difference_says_what_changes_and_who_has_to_act(
    tiny: standard.Edition, edited: Callable[..., Path]
) -> None:
    new = standard.load(
        edited(
            [
                ("business.yaml", "test-1", "test-2"),
                ("items.csv", "氏名,,Ｎ,100", "氏名,,Ｎ,50"),
                ("items.csv", "人を識別する番号", "人を一意に<識別>する番号"),
            ]
        )
    )
    html = standard.diff_page(tiny, new)
    page = _page(html)
    assert "test-1 → test-2" in "".join(page.texts)
    assert {"提供側", "受取側", "蓄積データ", "縮小", "桁数：100 → 50。入らなくなる値がある"} <= set(
        page.texts
    )
    row = html[html.index("縮小") :].split("</tr>")[0]
    assert re.findall("要対応|－", row) == ["要対応", "－", "要対応"]
    assert "人を<ins>一意に&lt;</ins>識別<ins>&gt;</ins>する番号" in html


def test_the_page_of_no_difference_says_so(tiny: standard.Edition) -> None:
    assert "二つの版に違いはない。" in standard.diff_page(tiny, tiny)


def test_only_a_reference_edition_is_marked_as_not_official(
    tiny: standard.Edition, edited: Callable[..., Path]
) -> None:
    official = standard.load(edited([("business.yaml", "status: reference", "status: official")]))
    assert "基準版（公式ではない）" in standard.export(tiny, "html")
    assert "基準版" not in standard.export(official, "html")


def test_what_a_list_says_cannot_become_markup_or_sql(edited: Callable[..., Path], database: Any) -> None:
    evil = "<script>alert(1)</script>'); DROP TABLE x; --"
    edition = standard.load(
        edited(
            [
                ("items.csv", "人を識別する番号", evil),
                ("business.yaml", "title: 試験台帳", f'title: "{evil}"'),
            ]
        )
    )
    for html in (standard.export(edition, "html"), standard.diff_page(standard.load(TINY), edition)):
        assert re.findall(r"<script>alert|<script>", html) == ["<script>"]
        _page(html)
    with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
        connection.execute(standard.export(edition, "ddl").encode())


@pytest.mark.parametrize("form", standard.EXPORT_FORMATS)
def test_the_same_edition_gives_the_same_text(form: str, tiny: standard.Edition) -> None:
    again = standard.load(tiny.folder)
    assert standard.export(tiny, form) == standard.export(again, form)


def test_an_unknown_format_suggests_the_closest(tiny: standard.Edition) -> None:
    with pytest.raises(Problem, match="did you mean json-schema"):
        standard.export(tiny, "jsonschema")


def test_the_checks_of_single_columns_are_sql(tiny: standard.Edition, database: Any) -> None:
    hito = tiny.group("hito")
    with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA kiban")
        connection.execute(
            "CREATE FUNCTION kiban.character_count(value text) RETURNS integer IMMUTABLE LANGUAGE sql RETURN "
            "char_length(regexp_replace(value, '[\ufe00-\ufe0f\U000e0100-\U000e01ef]', '', 'g'))".encode()
        )
        for item in tiny.items:
            check = standard.sql_check(item, tiny.code_list(item))
            clause = f" CHECK ({check})" if check else ""
            table = f'CREATE TABLE t{item.id} ("{item.romaji}" {standard.sql_type(item)}{clause})'
            connection.execute(table.encode())

        def takes(romaji: str, value: object) -> bool:
            try:
                connection.execute(f"INSERT INTO t{hito.item(romaji).id} VALUES (%s)".encode(), [value])
            except psycopg.errors.CheckViolation:
                return False
            return True

        good: list[tuple[str, object]] = [
            ("shimei", "葛\U000e0100" * 100),
            ("shimei", None),
            ("seibetsu", "1"),
            ("gyomuid", ["001", "002"]),
            ("gyomuid", []),
            ("seinengappi", "1945-00-00"),
            ("zogen", -999_999_999),
            ("rirekibango", 0),
        ]
        bad: list[tuple[str, object]] = [
            ("shimei", "長" * 101),
            ("seibetsu", "3"),
            ("gyomuid", ["0001"]),
            ("gyomuid", [None]),
            ("gyomuid", ["1"] * 1000),
            ("ritsu", -1),
            ("seinengappi", "昭和"),
            ("zogen", 10**9),
            ("rirekibango", -1),
        ]
        assert [case for case in good if not takes(*case)] == []
        assert [case for case in bad if takes(*case)] == []
