"""One declaration per table, as plain data.

Everything else in this package (Arrow schema, DDL, row models, JSON Schema, strategies, reference pages)
and the validator are compiled from these records, so a fact about a column is written down once. The records
check themselves when they are made: a wrong name fails at import, not in a database at night.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from rarecase.common.schema.knowing import HORIZONS, Horizon, Knowing
from rarecase.common.schema.words import RESERVED

Type = Literal[
    "key",
    "int8",
    "int16",
    "int32",
    "int64",
    "float32",
    "float64",
    "bool",
    "string",
    "category",
    "date",
    "timestamp",
]
Role = Literal["identifier", "attribute", "measure", "time", "derived", "label"]
Privacy = Literal["none", "quasi", "direct"]
Level = Literal["error", "warning", "note"]

INTEGERS = frozenset({"int8", "int16", "int32", "int64"})
FLOATS = frozenset({"float32", "float64"})
NUMBERS = INTEGERS | FLOATS
TEXTS = frozenset({"string", "category"})
TYPES = NUMBERS | TEXTS | {"key", "bool", "date", "timestamp"}
ROLES = frozenset({"identifier", "attribute", "measure", "time", "derived", "label"})
LONGEST_NAME = 63  # PostgreSQL cuts longer identifiers off

_NOTHING_ELSE = Knowing()
_NAME = re.compile(r"[a-z][a-z0-9_]*")
# What RE2, POSIX (PostgreSQL) and ECMAScript read alike: no shorthand classes, anchors, groups with options,
# lazy quantifiers, named character classes or bounds above 255.
_FOREIGN_PATTERN = re.compile(r"\\[^.*+?()\[\]{}|\\^$]|\(\?|\[:|[*+?}][?+]|(?<![\[\\])\^|(?<!\\)\$")


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def check_name(name: str, what: str) -> None:
    """Refuse what is no lower-case identifier, longer than PostgreSQL keeps, or reserved (ValueError)."""
    _check(
        _NAME.fullmatch(name) is not None,
        f"{what} {name!r}: expected lower-case letters, digits, underscores",
    )
    _check(len(name) <= LONGEST_NAME, f"{what} {name!r}: longer than {LONGEST_NAME} characters")
    _check(name not in RESERVED, f"{what} {name!r}: a reserved word of SQL")


def _single(value: float) -> float:
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded


def _check_distinct(names: tuple[str, ...], what: str) -> None:
    doubled = sorted({name for name in names if names.count(name) > 1})
    _check(not doubled, f"{what}: declared twice: {', '.join(doubled)}")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        Lower-case identifier; physical quantities carry their unit (``speed_mps``).
    type : str
        ``key`` is a positive 62-bit integer stored as int64; ``category`` the only dictionary-encoded type;
        ``timestamp`` has microseconds and no zone, UTC by convention; ``date`` is a day.
    meaning : str
        One line for people.
    unit : str, optional
        Unit of measure (UCUM where there is one).
    nullable : bool
        Whether a value may be missing. Not-a-number is never a missing value and never allowed.
    role : str
        ``derived`` columns may differ between twins beyond what the labels say.
    values : tuple of str or int, optional
        All allowed values.
    minimum, maximum : float, optional
        Inclusive limits of a number.
    pattern : str, optional
        Regular expression for the whole text, in the subset common to RE2, POSIX and ECMAScript.
    privacy : str
        ``direct`` or ``quasi`` identifier of a person, or ``none``.
    quantum : float, optional
        Resolution to which floats are rounded when drawn.
    mark_quantum : float, optional
        Resolution at which the statistical mark is applied; None for columns that carry no mark.
    known_at : str, optional
        Timestamp column of the same table at which this value becomes known (default: the table's time).
    horizon : str, optional
        What is said of the time after the row became known. ``before``: nothing, the date lies no later;
        ``ahead``: the date may lie later, but is known with the row (an expiry); ``at_end``: the value is the
        one at the end of the data, and missing as of any earlier moment. Every date and timestamp that is no
        time of its table and waits for no `known_at` must say one.

    Raises
    ------
    ValueError
        If the declaration contradicts itself.
    """

    name: str
    type: Type
    meaning: str
    unit: str | None = None
    nullable: bool = False
    role: Role = "attribute"
    values: tuple[str | int, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    privacy: Privacy = "none"
    quantum: float | None = None
    mark_quantum: float | None = None
    known_at: str | None = None
    horizon: Horizon | None = None

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """Minimum and maximum as the storage type holds them: those of a float32 are rounded to float32."""
        if self.type != "float32":
            return self.minimum, self.maximum
        low, high = ((None if limit is None else _single(limit)) for limit in (self.minimum, self.maximum))
        return low, high

    def known(self, clock: str) -> Column:
        """The same column, whose values become known at `clock`."""
        return replace(self, known_at=clock)

    def __post_init__(self) -> None:
        check_name(self.name, "column")
        where = f"column {self.name!r}"
        _check(self.type in TYPES, f"{where}: unknown type {self.type!r}")
        _check(self.role in ROLES, f"{where}: unknown role {self.role!r}")
        _check(
            self.privacy in ("none", "quasi", "direct"), f"{where}: unknown privacy class {self.privacy!r}"
        )
        _check(bool(self.meaning.strip()), f"{where}: has no meaning")
        _check(self.horizon is None or self.horizon in HORIZONS, f"{where}: unknown horizon {self.horizon!r}")
        self._check_values(where)
        self._check_range(where)
        self._check_pattern(where)
        for step in (self.quantum, self.mark_quantum):
            _check(
                step is None or (step > 0 and self.type in NUMBERS),
                f"{where}: a quantum is a positive number's",
            )

    def _check_values(self, where: str) -> None:
        if self.values is None:
            return
        _check(len(self.values) > 0, f"{where}: no value is allowed")
        _check(len(set(self.values)) == len(self.values), f"{where}: a value is listed twice")
        kind = str if self.type in TEXTS else int
        _check(self.type in TEXTS | INTEGERS, f"{where}: a {self.type} cannot list its values")
        fits = all(isinstance(value, kind) and not isinstance(value, bool) for value in self.values)
        _check(fits, f"{where}: the values of a {self.type} are {kind.__name__}")

    def _check_range(self, where: str) -> None:
        limits = [limit for limit in (self.minimum, self.maximum) if limit is not None]
        _check(not limits or self.type in NUMBERS, f"{where}: a {self.type} has no range")
        _check(limits == sorted(limits), f"{where}: minimum above maximum")
        whole = all(float(limit).is_integer() for limit in limits)
        _check(whole or self.type in FLOATS, f"{where}: the limits of a {self.type} are whole numbers")

    def _check_pattern(self, where: str) -> None:
        if self.pattern is None:
            return
        _check(self.type in TEXTS, f"{where}: a {self.type} has no pattern")
        odd = _FOREIGN_PATTERN.search(self.pattern)
        _check(odd is None, f"{where}: {odd and odd[0]!r} in a pattern is not read alike everywhere")
        re.compile(self.pattern)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A foreign key: ``columns`` of this table hold the primary key ``to`` of ``table``, or null."""

    columns: tuple[str, ...]
    table: str
    to: tuple[str, ...]

    def __post_init__(self) -> None:
        _check(len(self.columns) == len(self.to) > 0, f"reference to {self.table!r}: columns do not pair up")


@dataclass(frozen=True, kw_only=True)
class RowRule:
    """A law that every row keeps: a boolean SQL expression over its columns; NULL counts as kept.

    The expression is portable SQL (DuckDB, SQLite, PostgreSQL), as it also becomes a CHECK constraint.
    """

    name: str
    sql: str
    meaning: str

    def __post_init__(self) -> None:
        check_name(self.name, "row rule")
        _check(bool(self.sql.strip()), f"row rule {self.name!r}: empty")


@dataclass(frozen=True, kw_only=True)
class TableRule:
    """A law across rows: a DuckDB query over views named as the tables; the rows it returns break it."""

    name: str
    sql: str
    meaning: str
    level: Level = "error"

    def __post_init__(self) -> None:
        check_name(self.name, "table rule")
        _check(bool(self.sql.strip()), f"table rule {self.name!r}: empty")
        _check(self.level in ("error", "warning", "note"), f"table rule {self.name!r}: level {self.level!r}")


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table: its columns in order, its key, and its laws.

    Parameters
    ----------
    name, meaning : str
        Identifier and one line for people.
    columns : tuple of Column
    key : tuple of str
        Columns of the primary key; empty for a table without one.
    references : tuple of Reference
    row_rules : tuple of RowRule
    table_rules : tuple of TableRule
    time : str, optional
        Timestamp or date column at which a row becomes known.
    entity : str, optional
        Key column that labels with a range refer to.
    derived : bool
        Computed from other tables by rules that change nothing: may differ between twins without a label.
    knowing : Knowing
        What else a row waits for before it is known.

    Raises
    ------
    ValueError
        If a name is doubled, reserved or unknown.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    references: tuple[Reference, ...] = ()
    row_rules: tuple[RowRule, ...] = ()
    table_rules: tuple[TableRule, ...] = ()
    time: str | None = None
    entity: str | None = None
    derived: bool = False
    knowing: Knowing = _NOTHING_ELSE

    def __post_init__(self) -> None:
        check_name(self.name, "table")
        _check(len(self.columns) > 0, f"table {self.name!r}: has no columns")
        _check_distinct(self.names, f"table {self.name!r}")
        rules = [rule.name for rule in self.row_rules] + [rule.name for rule in self.table_rules]
        _check_distinct(tuple(rules), f"rules of {self.name!r}")
        _check_distinct(self.key, f"key of {self.name!r}")
        for name in self.key:
            _check(
                not self._known(name, "key").nullable, f"table {self.name!r}: key column {name!r} is nullable"
            )
        for reference in self.references:
            for name in reference.columns:
                self._known(name, "reference")
        self._check_time()
        for name in (*self.knowing.with_rows, *self.knowing.after_rows):
            self.reference(name)

    def _check_time(self) -> None:
        clocks = [(self.time, "time", {"timestamp", "date"}), (self.entity, "entity", {"key"})]
        clocks += [(column.known_at, "known_at", {"timestamp"}) for column in self.columns]
        clocks += [(self.knowing.lasts, "lasts", set(INTEGERS))]
        for name, what, types in clocks:
            if name is not None:
                found = self._known(name, what).type
                _check(found in types, f"table {self.name!r}: {what} column {name!r} is a {found}")

    def _known(self, name: str, what: str) -> Column:
        _check(name in self.names, f"table {self.name!r}: {what} column {name!r} is not declared")
        return self[name]

    def reference(self, name: str) -> Reference:
        """The reference of one column; ValueError where it refers to nothing."""
        found = [reference for reference in self.references if reference.columns == (name,)]
        _check(len(found) == 1, f"table {self.name!r}: column {name!r} refers to no table")
        return found[0]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name}.{name}")


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The tables of one domain.

    Parameters
    ----------
    domain, version : str
        Whose schema this is, and which edition.
    tables : tuple of Table

    Raises
    ------
    ValueError
        If a reference leads nowhere, joins unlike types, or references run in a circle.
    """

    domain: str
    version: str
    tables: tuple[Table, ...]

    def __post_init__(self) -> None:
        check_name(self.domain, "domain")
        _check_distinct(self.names, f"schema {self.domain!r}")
        for table in self.tables:
            for reference in table.references:
                self._check_reference(table, reference)
            for place in table.knowing.used_by:
                self._check_use(table, *place.split(".", 1))
        try:
            self.ordered()
        except CycleError as error:
            raise ValueError(f"schema {self.domain!r}: references run in a circle: {error.args[1]}") from None

    def _check_reference(self, table: Table, reference: Reference) -> None:
        where = f"table {table.name!r}: reference to {reference.table!r}"
        _check(reference.table in self.names, f"{where}: no such table")
        target = self[reference.table]
        _check(reference.to == target.key, f"{where}: its key is {target.key}, not {reference.to}")
        for ours, theirs in zip(reference.columns, reference.to, strict=True):
            _check(
                table[ours].type == target[theirs].type, f"{where}: {ours!r} and {theirs!r} differ in type"
            )

    def _check_use(self, table: Table, user: str, column: str = "") -> None:
        where = f"table {table.name!r}: used_by {user}.{column}"
        _check(user in self.names, f"{where}: no such table")
        _check(self[user].reference(column).table == table.name, f"{where}: refers to another table")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the tables, as declared."""
        return tuple(table.name for table in self.tables)

    def __getitem__(self, name: str) -> Table:
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)

    def ordered(self) -> tuple[Table, ...]:
        """The tables with every referenced table before those that refer to it, otherwise as declared."""
        sorter: TopologicalSorter[str] = TopologicalSorter()
        for table in self.tables:
            sorter.add(table.name, *(r.table for r in table.references if r.table != table.name))
        sorter.prepare()
        ordered: list[Table] = []
        while sorter.is_active():
            ready = sorted(sorter.get_ready(), key=self.names.index)
            ordered += [self[name] for name in ready]
            sorter.done(*ready)
        return tuple(ordered)

    def digest(self) -> str:
        """SHA-256 (hexadecimal) over everything declared; equal declarations have equal digests."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()
