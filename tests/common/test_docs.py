"""The documentation says what is: reference pages, links, commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rarecase.common import registry
from rarecase.common.schema.markdown import markdown
from tests.conftest import ROOT

DOMAINS = ("finance", "healthcare", "automotive")
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])


@pytest.mark.parametrize("name", DOMAINS)
def test_the_reference_is_the_schema(name: str) -> None:
    page = (ROOT / "docs" / "reference" / f"{name}.md").read_text()
    assert page.strip() == markdown(registry.get(name).schema).strip(), "run `make reference`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    prose = re.sub(r"`[^`\n]*`", "", page.read_text())
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", prose)
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("name", DOMAINS)
def test_every_domain_has_a_story(name: str) -> None:
    stories = [path for path in (ROOT / "examples" / name).iterdir() if path.is_dir()]
    assert stories
    for story in stories:
        assert (story / "README.md").is_file()
        assert (story / "spec.yaml").is_file()
