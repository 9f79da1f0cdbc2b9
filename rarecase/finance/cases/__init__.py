"""The rare cases of the bank's world, one file each."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rarecase.finance.cases.account_takeover import AccountTakeover
from rarecase.finance.cases.laundering_cycle import LaunderingCycle
from rarecase.finance.cases.payroll_run import PayrollRun

KINDS = (AccountTakeover, LaunderingCycle, PayrollRun)
AnyCase = Annotated[AccountTakeover | LaunderingCycle | PayrollRun, Field(discriminator="kind")]
