"""The page: gathers what a data set says of itself and sets it in HTML. Equal data sets give equal bytes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rarecase import __version__
from rarecase.common.errors import TargetError
from rarecase.common.report.html import Markup, text
from rarecase.common.report.sections import Facts, gather, sections
from rarecase.common.report.style import CSS

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

__all__ = ["report_html", "write_report"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def report_html(dataset: Dataset) -> str:
    """The page about a data set: one HTML document without scripts, links or anything from elsewhere.

    Parameters
    ----------
    dataset : Dataset
        It is validated, measured and tested for leaks on the way.
    """
    facts = gather(dataset)
    parts = sections(facts)
    links = "".join(f'<li><a href="#{anchor}">{text(title)}</a></li>' for anchor, title, _ in parts)
    body = "".join(markup for _, _, markup in parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="generator" content="rarecase {__version__}"><meta name="synthetic" content="true">'
        f"<title>{text(facts.title)} – synthetic data</title><style>{CSS}</style></head>"
        f'<body><a class="skip" href="#content">Skip to content</a>{_head(facts)}'
        f'<nav aria-label="Sections"><ul>{links}</ul></nav></header><main id="content">{body}</main>'
        f"<footer><p>Made by rarecase {__version__}. Every row is synthetic; no person, account or vehicle "
        f"in it"
        " exists.</p></footer></body></html>\n"
    )


def _head(facts: Facts) -> Markup:
    errors = len(facts.findings.errors)
    verdict = ("ok", "0 errors") if not errors else ("error", f"{errors} error{'' if errors == 1 else 's'}")
    return Markup(
        f'<header><span class="badge">synthetic</span><span class="badge {verdict[0]}">{verdict[1]}</span>'
        f"<h1>{text(facts.title)}</h1>"
        '<p class="lead">Synthetic data of rare cases: planted exactly, labelled, weighted back to '
        "nature.</p>"
    )


def write_report(dataset: Dataset, output: str | Path, *, overwrite: bool = False) -> Path:
    """Write the page to a file, whole or not at all.

    Raises
    ------
    TargetError
        If the file exists and may not be replaced, or cannot be written.
    """
    path = Path(output)
    if path.exists() and not overwrite:
        raise TargetError(
            "--output", str(path), "a file that does not exist yet", hint="Pass --overwrite to replace it."
        )
    page = report_html(dataset).encode()
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        draft.write_bytes(page)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise TargetError("--output", str(path), f"a writable file ({error.strerror})") from None
    return path
