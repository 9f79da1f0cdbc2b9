"""The report: one page, the same bytes for the same data, nothing from elsewhere, and nothing unescaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import rarecase
from rarecase.common.errors import TargetError
from rarecase.common.report.charts import Bar, Dot, dots, log_bars, range_bar
from rarecase.common.report.html import Markup, number, table
from rarecase.common.report.page import report_html, write_report

VOID = {"meta", "line", "rect", "circle", "path", "br"}


class _Reader(HTMLParser):
    """Checks that tags nest, and keeps what links and identifies."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def dataset() -> rarecase.Dataset:
    spec = {"domain": "toy", "size": 400, "block": 100, "start": "2025-01-01", "days": 60}
    cases = [{"kind": "visit", "count": 30}, {"kind": "ring", "count": 5}, {"kind": "decoy", "count": 4}]
    return rarecase.generate({**spec, "cases": cases})


@pytest.fixture(scope="module")
def page(dataset: rarecase.Dataset) -> str:
    return report_html(dataset)


def test_is_whole_and_well_nested(page: str) -> None:
    reader = _Reader()
    reader.feed(page)
    assert reader.open == []
    anchors = {attributes["id"] for _, attributes in reader.seen if "id" in attributes}
    links = [str(attributes["href"]) for tag, attributes in reader.seen if tag == "a"]
    assert all(link.startswith("#") and link[1:] in anchors for link in links)
    assert len(links) == 10


def test_needs_nothing_from_elsewhere(page: str) -> None:
    assert not re.search(r"(src|srcset|data|action)=|url\(|@import|<script|<link|https?:", page)


def test_can_be_heard(page: str) -> None:
    reader = _Reader()
    reader.feed(page)
    tags = [tag for tag, _ in reader.seen]
    assert tags.count("h1") == tags.count("main") == tags.count("nav") == 1
    assert tags.count("table") == tags.count("caption")
    charts = [attributes for tag, attributes in reader.seen if tag == "svg"]
    assert all(chart.get("aria-label") or chart.get("aria-hidden") for chart in charts)
    assert 'lang="en"' in page


def test_tells_the_whole_story(dataset: rarecase.Dataset, page: str) -> None:
    stories = set(dataset.table("cases")["story"].to_pylist())
    assert sum(f"<blockquote>{story}</blockquote>" in page for story in stories) >= 9  # three of each entry
    kinds = [case.kind for case in dataset.spec.cases]
    for words in (*kinds, *dataset.domain.schema.names, str(dataset.manifest["plan"]), "size: 400"):
        assert words in page


def test_has_the_same_bytes_again(dataset: rarecase.Dataset, page: str) -> None:
    again = rarecase.generate(dataset.spec)
    assert report_html(again) == page


def test_a_world_without_cases_has_a_page(dataset: rarecase.Dataset) -> None:
    assert "ordinary world" in report_html(rarecase.generate(dataset.spec.model_copy(update={"cases": ()})))


def test_tables_without_a_run_have_a_page(dataset: rarecase.Dataset) -> None:
    bare = rarecase.Dataset.in_memory(dataset.spec, dict(dataset.tables))
    assert "Provenance" in report_html(bare)


def test_replaces_only_when_told(dataset: rarecase.Dataset, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    first = write_report(dataset, path).read_bytes()
    with pytest.raises(TargetError, match="--overwrite"):
        write_report(dataset, path)
    assert write_report(dataset, path, overwrite=True).read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_an_error_of_the_user(
    dataset: rarecase.Dataset, tmp_path: Path
) -> None:
    with pytest.raises(TargetError, match="a writable file"):
        write_report(dataset, tmp_path / "nowhere" / "report.html")


def test_text_is_escaped_and_markup_is_not() -> None:
    drawn = table("<b>", ("a", "b"), [("<i>", Markup("<code>x</code>"))])
    assert "&lt;i&gt;" in drawn
    assert "<code>x</code>" in drawn
    assert "<b>" not in drawn


def test_numbers_for_people() -> None:
    assert number(1234567) == "1\u202f234\u202f567"
    assert number(0.123456, "share") == "0.1235 share"
    assert number(None) == number(float("nan")) == "–"


def test_charts_of_nothing_much() -> None:
    assert "svg" in log_bars("x", [Bar("a", 0, None), Bar("b", 1, 1)])
    assert "svg" in dots("x", [Dot("a", 0.5, float("inf"), "ok")], 0.75)
    assert range_bar(float("nan"), 0, 1, None) == ""
    assert 'class="error"' in range_bar(3, 0, 1, 0.5)
