"""The sections of the page, each from plain facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rarecase import __version__
from rarecase.common.evaluate.leaks import LIMIT, LeakScore, leak_scores, untestable
from rarecase.common.report.charts import Bar, Dot, dots, log_bars, range_bar, strips
from rarecase.common.report.html import Markup, details, number, section, table, text

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset
    from rarecase.common.domain import Domain, Measure
    from rarecase.common.errors import Findings
    from rarecase.common.spec import Spec

__all__ = ["Facts", "gather", "sections"]

_STORIES = 3
_DOTS = 12
_TICKS = 400
# A few cases of each name; keys are pseudo-random, so the first ones are a fair choice.
_FEW = """SELECT CAST(name AS VARCHAR), {what} FROM cases
    QUALIFY row_number() OVER (PARTITION BY name ORDER BY case_id) <= {most} ORDER BY 1, case_id"""


@dataclass(frozen=True)
class Facts:
    """What the page tells.

    Attributes
    ----------
    rows
        Table to number of rows.
    stories
        Kind to a few of its stories.
    moments
        Name of the case to starts of its cases as shares of the window.
    """

    domain: Domain
    spec: Spec
    manifest: Mapping[str, Any]
    rows: Mapping[str, int]
    stories: Mapping[str, Sequence[str]]
    moments: Mapping[str, Sequence[float]]
    measures: Sequence[Measure]
    scores: Sequence[LeakScore]
    findings: Findings

    @property
    def cases(self) -> dict[str, Mapping[str, Any]]:
        """What the manifest says of each case, in the order of the spec."""
        told = self.manifest.get("cases", {})
        return {case.label: told[case.label] for case in self.spec.cases if case.label in told}

    @property
    def title(self) -> str:
        """Title of the domain."""
        return self.domain.title


def gather(dataset: Dataset) -> Facts:
    """Read, validate and measure a data set."""
    from rarecase.common.validate import validate

    with closing(dataset.connect()) as connection:
        told = connection.execute(_FEW.format(what="story", most=_STORIES)).fetchall()
        starts = connection.execute(_FEW.format(what="epoch_us(started_at)", most=_TICKS)).fetchall()
    return Facts(
        domain=dataset.domain,
        spec=dataset.spec,
        manifest=dataset.manifest,
        rows={name: int(dataset.manifest["tables"][name]["rows"]) for name in dataset.domain.schema.names},
        stories=_grouped(told),
        moments=_shares(_grouped(starts), dataset.spec),
        measures=tuple(dataset.domain.measures(dataset)),
        scores=leak_scores(dataset),
        findings=validate(dataset),
    )


def _grouped(pairs: Sequence[tuple[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for name, value in pairs:
        found[name].append(value)
    return dict(found)


def _shares(starts: Mapping[str, Sequence[int]], spec: Spec) -> dict[str, list[float]]:
    from rarecase.common.tables import epoch_us

    begin, span = epoch_us(spec.start), spec.horizon_us
    return {
        name: [min(max((at - begin) / span, 0.0), 1.0) for at in moments] for name, moments in starts.items()
    }


def sections(facts: Facts) -> list[tuple[str, str, Markup]]:
    """Anchor, title and markup of every section, in order."""
    made = (
        ("what", "What this is", _what(facts)),
        ("tables", "Tables", _tables(facts)),
        ("cases", "Rare cases", _cases(facts)),
        ("stories", "Stories", _stories(facts)),
        ("measures", "Beside published figures", _measures(facts)),
        ("leaks", "Leaks", _leaks(facts)),
        ("findings", "Validation", _findings(facts)),
        ("spec", "Spec", _spec(facts)),
        ("provenance", "Provenance", _provenance(facts)),
    )
    return [(anchor, title, section(anchor, title, *body)) for anchor, title, body in made]


def _what(facts: Facts) -> Sequence[str]:
    spec, planted = facts.spec, facts.cases.values()
    tiles = (
        (number(spec.size), facts.domain.entities),
        (number(sum(facts.rows.values())), f"rows in {len(facts.rows)} tables"),
        (number(sum(case["planted"] for case in planted if case["is_case"])), "rare cases"),
        (number(sum(case["planted"] for case in planted if not case["is_case"])), "look-alikes"),
        (number(spec.days), f"days from {str(spec.start).replace('-', chr(0x2011))}"),
    )
    shown = "".join(
        f"<li><strong>{text(figure)}</strong><span>{text(name)}</span></li>" for figure, name in tiles
    )
    return [
        Markup(f'<ul class="tiles">{shown}</ul>'),
        Markup(
            '<div class="two"><div><h3>It is</h3><p>a simulated world whose rare cases were planted in '
            "exact numbers, "
            "with labels that name every row they touched, and weights that lead back to natural rates. "
            "The same spec "
            "makes the same data again.</p></div><div><h3>It is not</h3><p>a record of real people, "
            "accounts or journeys, "
            "nor a model fitted to any. What was not modelled is not in it: results on it must be "
            "confirmed on real data "
            "before they count.</p></div></div>"
        ),
    ]


def _tables(facts: Facts) -> Sequence[str]:
    rows = [
        (item.name, number(facts.rows[item.name]), len(item.columns), item.meaning)
        for item in facts.domain.schema.tables
    ]
    return [
        table("Rows and columns of each table", ("table", "rows", "columns", "meaning"), rows, numeric=(1, 2))
    ]


def _cases(facts: Facts) -> Sequence[str]:
    cases = facts.cases
    if not cases:
        return [Markup("<p>No cases: this is an ordinary world.</p>")]
    weights = {item["name"]: item["weight"] for item in facts.manifest.get("strata", ())}
    labels = {case.label: case for case in facts.spec.cases}
    rows, bars = [], []
    for name, case in cases.items():
        natural = case["natural"] or {}
        rate = f"{number(natural['value'])} per {natural['per']}" if natural else "–"
        weight = weights.get(labels[name].stratum()) if name in labels else None
        rows.append(
            (
                name,
                "case" if case["is_case"] else "look-alike",
                number(case["planted"]),
                number(case["in_nature"]),
                number(weight),
                rate,
                f"{case['difficulty']:g}",
                natural.get("evidence", "–"),
                natural.get("source", "–"),
            )
        )
        bars.append(Bar(name, case["planted"], case["in_nature"]))
    heads = (
        "name",
        "is",
        "planted",
        "in nature",
        "weight",
        "natural rate",
        "difficulty",
        "evidence",
        "source",
    )
    window = (str(facts.spec.start), str(facts.spec.end))
    return [
        Markup(
            '<p><span class="key" style="background:var(--accent)"></span>planted '
            '<span class="key" style="background:var(--natural);margin-left:1rem"></span>what nature would '
            "have made</p>"
        ),
        log_bars("Cases planted, and cases that nature would have made in the same world", bars),
        table("Cases planted and their natural rates", heads, rows, numeric=(2, 3, 4, 6)),
        Markup("<h3>When they happen</h3>"),
        strips(
            "Starts of cases over the window",
            [(name, facts.moments[name]) for name in cases if name in facts.moments],
            *window,
        ),
        Markup(
            f'<p class="soft">Weight of an ordinary entity: {text(number(weights.get("ordinary")))}. A '
            f"weight says how many "
            "entities of nature one row stands for; rates per entity are unbiased under it.</p>"
        ),
    ]


def _stories(facts: Facts) -> Sequence[str]:
    titles = {kind: model.title for kind, model in facts.domain.kinds().items()}
    parts = []
    for name, kind in ((case.label, case.kind) for case in facts.spec.cases if case.label in facts.stories):
        stories = facts.stories[name]
        quotes = "".join(f"<blockquote>{text(story)}</blockquote>" for story in stories)
        parts.append(Markup(f"<h3>{text(titles.get(kind, kind))} <code>{text(name)}</code></h3>{quotes}"))
    return parts or [Markup("<p>No cases, no stories.</p>")]


def _measures(facts: Facts) -> Sequence[str]:
    if not facts.measures:
        return [Markup("<p>The domain measures nothing.</p>")]
    verdicts = {
        True: Markup('<span class="ok">inside</span>'),
        False: Markup('<span class="error">outside</span>'),
        None: "not judged",
    }
    rows = [
        (
            measure.name,
            number(measure.value, measure.unit),
            range_bar(measure.value, measure.low, measure.high, measure.published),
            f"{number(measure.low)} to {number(measure.high)}",
            number(measure.published),
            verdicts[measure.inside],
            f"{measure.evidence}{', weighted' if measure.weighted else ''}",
            measure.source,
            measure.meaning,
        )
        for measure in facts.measures
    ]
    heads = (
        "measure",
        "value",
        "in its range",
        "range",
        "published",
        "verdict",
        "evidence",
        "source",
        "meaning",
    )
    return [
        Markup(
            '<p class="soft">Only observed and surveyed figures judge; simulated and expert ones are '
            "shown. The band is the range, "
            "the line the published figure, the dot this data set.</p>"
        ),
        table("Figures of the data beside published ones", heads, rows, numeric=(1, 3, 4)),
    ]


def _leaks(facts: Facts) -> Sequence[str]:
    groups: dict[tuple[str, bool], list[LeakScore]] = defaultdict(list)
    for score in facts.scores:
        groups[score.kind, score.hard].append(score)
    parts = [
        Markup(
            '<p class="soft">How well one column alone finds the rows of cases among ordinary rows: area '
            "under the ROC curve, "
            f"0.5 is nothing. The dashed line is what difficulty 0.5 and above allows ({LIMIT}); right of "
            f"a dot's tick the excess is "
            "proven, with at most 1 % false alarms over the whole data set.</p>"
        )
    ]
    for (kind, hard), scores in sorted(groups.items()):
        ease = "difficulty 0.5 and above" if hard else "below difficulty 0.5"
        shown = [
            Dot(_name(score), score.auc, score.proves_leak, score.level or "ok") for score in scores[:_DOTS]
        ]
        parts.append(
            Markup(f'<h3>{text(kind)} <span class="soft">{ease}, {scores[0].cases} cases</span></h3>')
        )
        parts.append(dots(f"Most telling single columns for {kind}, {ease}", shown, LIMIT))
        rows = [(_name(score), score.feature, f"{score.auc:.3f}", score.level or "–") for score in scores]
        every = table(f"All features for {kind}", ("column", "feature", "AUC", "finding"), rows, numeric=(2,))
        parts.append(details(f"All {len(scores)} features", every))
    if not groups:
        return [Markup("<p>There are too few cases to test.</p>")]
    if kinds := untestable(facts.findings):
        some = "1 kind of case" if len(kinds) == 1 else f"{len(kinds)} kinds of cases"
        said = (
            f"<strong>Not testable for leaks: {some}</strong> ({text(', '.join(kinds))}), too few in a table."
        )
        parts.insert(0, Markup(f'<p class="warning">{said}</p>'))
    return parts


def _name(score: LeakScore) -> str:
    return f"{score.table}.{score.column or '(row order)'} {score.feature}"


def _findings(facts: Facts) -> Sequence[str]:
    if not facts.findings:
        return [Markup('<p class="ok">Nothing was found wanting.</p>')]
    rows = [
        (
            Markup(f'<span class="{found.level}">{found.level}</span>'),
            found.rule,
            ".".join(part for part in (found.table, found.column) if part) or "–",
            number(found.count),
            found.message,
        )
        for found in facts.findings
    ]
    return [table("What the checks say", ("level", "rule", "where", "count", "message"), rows, numeric=(3,))]


def _spec(facts: Facts) -> Sequence[str]:
    from rarecase.common.spec import dump_spec

    return [details("The whole spec, as YAML", Markup(f"<pre>{text(dump_spec(facts.spec))}</pre>"))]


def _provenance(facts: Facts) -> Sequence[str]:
    manifest = facts.manifest
    schema = facts.domain.schema
    known = [
        ("rarecase", manifest.get("rarecase", __version__)),
        ("seed", facts.spec.seed),
        ("plan", _code(manifest.get("plan", "–"))),
        ("schema", Markup(f"edition {text(schema.version)}, {_code(schema.digest())}")),
        ("data, logical digest", _code(manifest.get("logical", "–"))),
        ("locked versions", ", ".join(f"{name} {version}" for name, version in manifest["lock"].items())),
        ("files", f"{len(manifest['files'])} listed with their SHA-256 in manifest.json"),
    ]
    digests = [(name, _code(item["logical"])) for name, item in manifest["tables"].items()]
    return [
        table("Where this comes from", ("what", "value"), known),
        details(
            "Logical digest of each table",
            table("Digests over quantised values", ("table", "digest"), digests),
        ),
    ]


def _code(value: object) -> Markup:
    return Markup(f"<code>{text(value)}</code>")
