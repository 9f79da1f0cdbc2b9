"""Does a single column give the cases away?

For every kind of case and every table that it touches, the labelled rows are set against ordinary rows,
feature by feature (see `features`), and scored by the AUC over cases (see `separation`). From difficulty 0.5
upwards no feature may separate them with a true AUC above 0.75.

What is fair is settled so. A kind may name in ``compared_within`` the column of a table within whose values
its rows are compared (transfers with transfers), each value by itself; a row whose value no ordinary row has
counts as found. It
names in ``reveals`` the columns ("table.column"), or whole tables ("table"), that tell it apart by
definition; those are not tested. Columns of role derived (they follow from others) and label are left out,
keys are judged by order and leading digits only, and the row of the entity that a case happens to by what the
making could betray (order, prefix, length, roundness), for whom it befalls is no secret. Look-alikes stand on
neither side.

False alarms: over all tests of a data set together, an error appears with probability of at most 1 % when no
feature's true AUC exceeds 0.75, and a warning with at most 1 % when no feature tells anything at all
(Bonferroni over an exact bound).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rarecase.common.errors import Finding, Level
from rarecase.common.evaluate.features import Feature, features_of, order_features
from rarecase.common.evaluate.samples import Gathered, gather
from rarecase.common.evaluate.separation import bound, effective_size

if TYPE_CHECKING:
    from rarecase.common.dataset import Dataset

__all__ = [
    "FALSE_ALARMS",
    "FEWEST_ROWS",
    "HARD",
    "LIMIT",
    "LeakScore",
    "leak_findings",
    "leak_scores",
    "untestable",
]

LIMIT = 0.75
HARD = 0.5
FALSE_ALARMS = 0.01
FEWEST_ROWS = 20


@dataclass(frozen=True)
class LeakScore:
    """How well one feature of one table finds the rows of one kind of case.

    Attributes
    ----------
    kind, hard
        The kind of case, and whether these cases have a difficulty of 0.5 or more.
    table, column, feature
        Where; the column is None for the order of rows.
    auc
        Area under the ROC curve over cases, 0.5 to 1 (a feature that finds cases backwards finds them).
    cases, rows, ordinary
        Cases, labelled rows and ordinary entities behind it.
    proves_leak, proves_more_than_chance
        AUC above which the true one exceeds 0.75, or 0.5; infinite where the cases are too few to tell.
    """

    kind: str
    hard: bool
    table: str
    column: str | None
    feature: str
    auc: float
    cases: int
    rows: int
    ordinary: int
    proves_leak: float = math.inf
    proves_more_than_chance: float = math.inf

    @property
    def level(self) -> Level | None:
        """Level of finding that this score deserves: error, warning, note or none."""
        if self.auc > self.proves_leak:
            return "error" if self.hard else "note"
        if self.hard and self.auc > max(LIMIT, self.proves_more_than_chance):
            return "warning"
        return None


def leak_scores(dataset: Dataset) -> tuple[LeakScore, ...]:
    """Score every feature of every column of every table that cases touch, best first.

    Parameters
    ----------
    dataset : Dataset
        A written or in-memory data set; samples of bounded size are read from it.

    Returns
    -------
    tuple of LeakScore
        With bounds that hold for all of them together at the stated rate of false alarms.
    """
    return _judged([score for contrast in gather(dataset) for score in _scores(contrast)])


def leak_findings(dataset: Dataset) -> list[Finding]:
    """Findings of the leak test: errors and warnings from difficulty 0.5 upwards, notes below it."""
    gathered = list(gather(dataset))
    scores = _judged([score for contrast in gathered for score in _scores(contrast)])
    return [*_accusations(scores), *_untold(gathered, scores), *_only_cases(gathered)]


def untestable(findings: Iterable[Finding]) -> tuple[str, ...]:
    """The kinds of cases that were too few to prove a leak in some table, from findings of the leak test."""
    told = (finding for finding in findings if finding.rule == "leak.untestable")
    return tuple(sorted({finding.message.removeprefix("twin: ").partition(":")[0] for finding in told}))


def _scores(gathered: Gathered) -> Iterator[LeakScore]:
    if not gathered.testable:
        return
    for part in gathered.apart():
        if part.testable:
            yield from _of_features(part)
    if gathered.within is not None:
        yield _score(gathered, gathered.within, "unseen value", *gathered.unseen())


def _of_features(gathered: Gathered) -> Iterator[LeakScore]:
    contrast, split = gathered.contrast, len(gathered.contrast.ordinary_group)
    where = "" if gathered.value is None else f" within {gathered.value}"
    for column, feature in _all_features(gathered):
        ordinary, labelled = feature.values[:split], feature.values[split:]
        auc, cases = contrast.auc(labelled, ordinary)
        if cases:
            # A learned score that is wrong in the other fold shows nothing; a plain one may point either way.
            folded = auc if feature.encoded else max(auc, 1 - auc)
            yield _score(gathered, column, feature.name + where, max(folded, 0.5), cases)


def _score(gathered: Gathered, column: str | None, feature: str, auc: float, cases: int) -> LeakScore:
    return LeakScore(
        gathered.kind,
        gathered.hard,
        gathered.table.name,
        column,
        feature,
        auc,
        cases,
        gathered.labelled_rows,
        gathered.entities,
    )


def _all_features(gathered: Gathered) -> Iterator[tuple[str | None, Feature]]:
    ordinary = len(gathered.contrast.ordinary_group)
    for feature in order_features(gathered.row, ordinary):
        yield None, feature
    for column in gathered.table.columns:
        if column.name != gathered.within and f"{gathered.table.name}.{column.name}" not in gathered.reveals:
            for feature in features_of(
                column, gathered.columns[column.name], ordinary, artefacts=gathered.artefacts
            ):
                yield column.name, feature


def _judged(scores: list[LeakScore]) -> tuple[LeakScore, ...]:
    # Two directions per score.
    alpha = FALSE_ALARMS / max(2 * len(scores), 1)
    judged = []
    for score in scores:
        size = effective_size(score.cases, score.ordinary)
        values = {
            **vars(score),
            "proves_leak": bound(LIMIT, size, alpha),
            "proves_more_than_chance": bound(0.5, size, alpha),
        }
        judged.append(LeakScore(**values))
    return tuple(
        sorted(
            judged, key=lambda score: (-score.auc, score.kind, score.table, score.column or "", score.feature)
        )
    )


def _accusations(scores: Iterable[LeakScore]) -> Iterator[Finding]:
    worst: dict[tuple[str, bool, str, str | None], list[LeakScore]] = defaultdict(list)
    for score in scores:
        if score.level:
            worst[score.kind, score.hard, score.table, score.column].append(score)
    for (kind, hard, table, column), group in worst.items():
        best = group[0]
        where = f"{table}.{column}" if column else f"the row order of {table}"
        ease = "at difficulty 0.5 and above" if hard else "below difficulty 0.5, as may be expected"
        message = (
            f"{kind}: {where} alone ({', '.join(score.feature for score in group)}) "
            f"tells its rows from ordinary ones {ease}: "
            f"AUC {best.auc:.3f} over {best.cases} cases, allowed {LIMIT}"
        )
        yield Finding(best.level or "note", "leak.column", table, column, best.rows, message)


def _untold(gathered: Iterable[Gathered], scores: Iterable[LeakScore]) -> Iterator[Finding]:
    deaf = {(score.kind, score.hard, score.table) for score in scores if math.isinf(score.proves_leak)}
    silent: dict[str, list[Gathered]] = defaultdict(list)
    for item in gathered:
        if (
            item.hard
            and not _alone(item)
            and (not item.testable or (item.kind, item.hard, item.table.name) in deaf)
        ):
            silent[item.kind].append(item)
    for kind, items in silent.items():
        tables = sorted({item.table.name for item in items})
        rows = max(item.labelled_rows for item in items)
        message = f"{kind}: too few cases or ordinary rows to prove a leak in {', '.join(tables)}"
        yield Finding("note", "leak.untestable", None, None, rows, message)


def _alone(item: Gathered) -> bool:
    return not item.artefacts and not item.any_ordinary and item.labelled_rows >= FEWEST_ROWS


def _only_cases(gathered: Iterable[Gathered]) -> Iterator[Finding]:
    for item in gathered:
        if item.hard and _alone(item):
            message = (
                f"{item.kind}: {item.table.name} has rows of cases only, so that a row gives the case away"
            )
            yield Finding("error", "leak.table", item.table.name, None, item.labelled_rows, message)
