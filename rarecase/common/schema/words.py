"""Names that a table or a column may not have, because some database reserves them.

Sources: PostgreSQL 15 documentation, appendix C ("reserved" and "reserved (can be function or type)");
``duckdb_keywords()`` of DuckDB 2.0; SQLite's keywords that fail as a bare column name.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


POSTGRESQL = _words(
    """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate
    collation column concurrently constraint create cross current_catalog current_date current_role
    current_schema current_time current_timestamp current_user default deferrable desc distinct do else end
    except false fetch for foreign freeze from full grant group having ilike in initially inner intersect into
    is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null offset on
    only or order outer overlaps placing primary references returning right select session_user similar some
    symmetric system_user table tablesample then to trailing true union unique user using variadic verbose
    when where window with
    """
)

DUCKDB = _words(
    """
    all analyse analyze and anti any array as asc asof asymmetric at authorization binary both by case cast
    check collate collation column columns concurrently constraint create cross default deferrable desc
    describe distinct do else end except false fetch for foreign freeze from full generated glob group having
    ilike in initially inner intersect into is isnull join lambda lateral leading left like limit map natural
    not notnull null offset on only or order outer overlaps pivot pivot_longer pivot_wider placing positional
    primary qualify references returning right select semi show similar some struct summarize symmetric table
    tablesample then to trailing true try_cast tuple union unique unpack unpivot using variadic verbose when
    where window with
    """
)

SQLITE = _words(
    """
    add all alter and as autoincrement between case cast check collate commit constraint create default
    deferrable delete distinct drop else escape except exists foreign from group having if in index insert
    intersect into is isnull join limit not nothing notnull null on or order primary raise references
    returning select set table then to transaction union unique update using values when where
    """
)

RESERVED = POSTGRESQL | DUCKDB | SQLITE
