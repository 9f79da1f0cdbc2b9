"""Loan-back: dirty cash secures a loan that the borrower's own shell grants, and the loan is clean money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rarecase.common.seeds import Int64
from rarecase.finance.cases import ground
from rarecase.finance.cases.base import money, said
from rarecase.finance.cases.canvas import DAY_S, HOUR_S, Canvas
from rarecase.finance.cases.footprint import Footprint
from rarecase.finance.cases.laundering import schemes

if TYPE_CHECKING:
    from rarecase.common.spec import Spec

_DEPOSITS, _OUT, _MONTHS = 6, 6, 24
_RATES = np.array([3.0, 4.0, 5.0, 6.0, 8.0])
_TERMS = np.array([6, 10, 12, 18, 24])


class LoanBack(schemes.Scheme):
    """Somebody lends himself his own cash through a company that he owns, and pays interest on it."""

    is_case: ClassVar[bool] = True
    title: ClassVar[str] = "Loan-back"
    hint: ClassVar[str] = "Only owners of shell companies qualify, one customer in sixty: raise `size`."
    definition: ClassVar[str] = (
        "The customer owns a shell company (ownerships, organisations.kind shell). 2 to 6 cash deposits, "
        "each below the limit on cash of structuring, reach the customer's current account within 4 days "
        "(difficulty 0) to 14 days (1); 94 to 99 % of them go to the own shell by 1 to 3 transfers (the "
        "security; 4 to 6 from 0.5 on); 1 to 6 days after the last one (by day), the shell pays the "
        "customer one loan (payment_type loan) of 90 to 99 % of the security, in whole hundreds; from the "
        "next month on, every 30 days after the loan, the customer pays the shell by direct debit (purpose "
        "LOAN; by transfer from 0.5 on) an instalment of the loan divided by a term of 6, 10, 12, 18 or 24 "
        "months, and interest of 3, 4, 5, 6 or 8 % a year on the whole loan, until the term or the data "
        "ends: all instalments are equal. The sum averages 8,000 EUR at German prices at 0 and 5,000 from "
        "0.5 on; from 0.5 on few deposits and transfers carry most."
    )
    source: ClassVar[str] = (
        "FATF 2007, Money laundering through real estate; Unger and others 2006 (loan-back)"
    )
    share: ClassVar[float] = 0.04
    payments: ClassVar[float] = 9.0

    kind: Literal["loan_back"] = "loan_back"
    amount: float = Field(
        default=8_000.0,
        gt=100,
        le=1e7,
        description="mean sum of a case in euros at the prices of Germany; expert",
    )

    def eligible(self, spec: Spec, entities: Int64) -> NDArray[np.bool_]:
        """Owners of shells."""
        return schemes.owners(spec, entities, "shells")

    def span_s(self, spec: Spec) -> int:
        """Deposits, security and loan, and a first instalment; the later ones as far as the data reach."""
        return schemes.room_s(spec, self.difficulty, self._window_s(spec), 12.0, 2.0)

    def draw(self, on: Canvas) -> Footprint:
        """Deposits, security, loan and instalments."""
        part, account = on.part(on.homes), on.account(on.homes)
        shell = on.at(part, "shells", np.maximum(ground.owned(on.spec, on.homes, "shells"), 0))
        number = on.whole("number", 2 + round(2 * on.ordinary), _DEPOSITS)
        limit = schemes.limit_minor(on.spec, part) * 9 // 10
        total = on.stolen("total", self.amount * 0.62**on.ordinary, log_sd=0.4)[:, 0]
        total = np.minimum(np.maximum(total, 150_000), number * limit * 8 // 10)
        amount = schemes.notes(schemes.parts(on, "deposit", total, number, _DEPOSITS, most=limit))
        second = schemes.moments(
            on, "deposit", on.onset, on.onset + self._window_s(on.spec), number, _DEPOSITS
        )
        paid = schemes.paid_in(on, "deposit", second, amount, account[:, None], part[:, None])
        secured = np.asarray(paid.total * (0.943 + 0.045 * on.one("secured")), np.int64)
        out = schemes.sent_on(
            on,
            "security",
            paid.last(on.onset),
            secured,
            account,
            shell,
            width=_OUT,
            number=schemes.several(on, "security-number", (1, 3), (4, _OUT)),
            easy_s=10 * HOUR_S,
            hard_s=DAY_S,
            role="funding",
        )
        lent, at = self._loan(on, out, paid.last(on.onset), shell, account)
        rate, term = self._terms(on)
        paid_back = self._instalments(on, lent, at, rate, term, account, shell)
        return on.footprint(
            detected=schemes.suspected(on),
            total=paid.total,
            loan=lent,
            rate_bp=np.asarray(rate * 100, np.int64),
            months=term,
            instalments=on.number("repayment"),
            paid_back=paid_back,
        )

    def story(self, spec: Spec, facts: dict[str, Any]) -> str:
        """What happened, in one sentence."""
        currency = facts["currency"]
        number = facts["instalments"]
        due = "one instalment falls" if number == 1 else f"{number} instalments fall"
        return (
            f"From {said(spec, facts['started'])} on, {money(facts['total'], currency)} of cash was paid in "
            "and lent back to its owner by the own shell company as a loan of "
            f"{money(facts['loan'], currency)} at {facts['rate_bp'] / 100:g} %, of which {due} within the "
            "data."
        )

    def _loan(
        self, on: Canvas, out: schemes.Moved, since: Int64, shell: Int64, account: Int64
    ) -> tuple[Int64, Int64]:
        """What the shell lends, and when."""
        last = out.last(since)
        # A bank pays a loan out by day, in whole hundreds.
        day = (last // DAY_S + 2 + (4 * on.one("loan-wait")).astype(np.int64)) * DAY_S
        at = day + 9 * HOUR_S + (7 * HOUR_S * on.one("loan-hour")).astype(np.int64)
        whole = np.asarray(out.total * (0.95 + 0.04 * on.one("lent")), np.int64)
        lent = np.maximum(whole // 10_000 * 10_000, np.minimum(whole, 10_000))
        told = on.pay(on.every, at, lent, shell, account, "loan_payout", "credit", stage="integration")
        return np.where(told >= 0, lent, 0), at

    def _terms(self, on: Canvas) -> tuple[np.ndarray[Any, np.dtype[np.float64]], Int64]:
        """Interest per cent a year, and months, of each loan."""
        return _RATES[on.whole("rate", 0, _RATES.size - 1)], _TERMS[on.whole("term", 0, _TERMS.size - 1)]

    def _instalments(
        self,
        on: Canvas,
        lent: Int64,
        at: Int64,
        rate: np.ndarray[Any, np.dtype[np.float64]],
        term: Int64,
        account: Int64,
        shell: Int64,
    ) -> Int64:
        """Equal instalments as far as term and data reach; what they are in all."""
        month = np.arange(1, _MONTHS + 1)
        each = np.rint(lent / term + lent * rate / 1_200).astype(np.int64)
        # Direct debits are booked in the night, transfers ordered by day.
        first, last = (0, 6) if on.ordinary < 1 else (7, 21)
        batch = (HOUR_S * (first + (last - first) * on.u("batch", _MONTHS))).astype(np.int64)
        when = (at // DAY_S * DAY_S)[:, None] + month * 30 * DAY_S + batch
        amount = np.where((month <= term[:, None]) & (lent > 0)[:, None], each[:, None], 0)
        # Clean or dirty, what is paid back is the same money; interest is not proceeds.
        tainted = np.minimum(np.rint(lent / term).astype(np.int64)[:, None], amount)
        told = on.pay(
            on.every[:, None],
            when,
            amount,
            account[:, None],
            shell[:, None],
            "loan" if on.ordinary < 1 else schemes.mobile_or_web(on, "instalment")[:, None],
            "repayment",
            stage="integration",
            tainted=tainted,
        )
        return np.asarray(np.where(told >= 0, amount, 0).sum(axis=1), np.int64)

    def _window_s(self, spec: Spec) -> int:
        return schemes.window_s(spec, self.difficulty, 4, 14)
