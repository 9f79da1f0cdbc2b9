"""The rare cases of the bank's world and their look-alikes, one file each."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field

from rarecase.finance.cases import fraud, laundering, lookalikes
from rarecase.finance.cases.base import BankCase

KINDS: tuple[type[BankCase], ...] = (*fraud.KINDS, *laundering.KINDS, *lookalikes.KINDS)
AnyCase: Any = Annotated[reduce(or_, KINDS), Field(discriminator="kind")] if len(KINDS) > 1 else BankCase
