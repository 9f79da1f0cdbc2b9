"""What the files of others call fraud and laundering, out of our labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rarecase.finance.cases import laundering

if TYPE_CHECKING:
    import duckdb

_LAUNDERING = ", ".join(f"'{kind.model_fields['kind'].default}'" for kind in laundering.KINDS)
#: The kind that begins with a fraud and ends as laundering.
_JOINED = "'scam_to_exchange'"
#: What those do who hold the money of a fraud, and the frauds in which drawing cash is the fraud itself.
_SENT_ON, _OWN_CASH = "'forward', 'cash_out'", "'cheque_kiting', 'synthetic_identity'"
_GIVEN_BACK = "'recall', 'reimbursement'"


def with_truth(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table `truth`: one row per payment that a case or look-alike made or changed.

    Columns: transaction_id, case_id, kind, role, is_case, is_fraud, is_laundering. What counts are proceeds
    of crime (`tainted_minor` above zero) that are not on their way back. Laundering is a payment of a kind
    that launders, and what those send on or draw as cash who got the money of a fraud; fraud is a payment of
    any other kind, and of the one that begins with a scam. So the money of a fraud on its way is both.
    Reimbursements, and what innocents do of their own, are neither. A payment that two cases touched belongs
    to the one in which it is a crime.
    """
    tainted = f"c.is_case AND coalesce(l.tainted_minor, 0) > 0 AND l.role::VARCHAR NOT IN ({_GIVEN_BACK})"
    kind, role = "l.kind::VARCHAR", "l.role::VARCHAR"
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE truth AS
        SELECT l.row_id AS transaction_id, l.case_id, {kind} AS kind, {role} AS role, c.is_case,
            {tainted} AND ({kind} NOT IN ({_LAUNDERING}) OR {kind} = {_JOINED}) AS is_fraud,
            {tainted} AND ({kind} IN ({_LAUNDERING})
                OR ({role} IN ({_SENT_ON}) AND {kind} NOT IN ({_OWN_CASH}))) AS is_laundering
        FROM labels l JOIN cases c ON c.case_id = l.case_id
        WHERE l.table_name::VARCHAR = 'transactions' AND l.effect::VARCHAR <> 'removed'
            AND l.row_id IS NOT NULL
        QUALIFY row_number() OVER (
            PARTITION BY l.row_id ORDER BY {tainted} DESC, c.is_case DESC, l.case_id) = 1
        """
    )
