"""Laundering: the eight patterns of the graph, and schemes that place, layer and integrate proceeds."""

from __future__ import annotations

from rarecase.finance.cases.base import BankCase
from rarecase.finance.cases.laundering.cash_front import CashFront
from rarecase.finance.cases.laundering.crypto_off_ramp import CryptoOffRamp
from rarecase.finance.cases.laundering.dormant_woken import DormantWoken
from rarecase.finance.cases.laundering.funnel_account import FunnelAccount
from rarecase.finance.cases.laundering.laundering_bipartite import LaunderingBipartite
from rarecase.finance.cases.laundering.laundering_cycle import LaunderingCycle
from rarecase.finance.cases.laundering.laundering_fan_in import LaunderingFanIn
from rarecase.finance.cases.laundering.laundering_fan_out import LaunderingFanOut
from rarecase.finance.cases.laundering.laundering_gather_scatter import LaunderingGatherScatter
from rarecase.finance.cases.laundering.laundering_random_walk import LaunderingRandomWalk
from rarecase.finance.cases.laundering.laundering_scatter_gather import LaunderingScatterGather
from rarecase.finance.cases.laundering.laundering_stack import LaunderingStack
from rarecase.finance.cases.laundering.loan_back import LoanBack
from rarecase.finance.cases.laundering.rapid_movement import RapidMovement
from rarecase.finance.cases.laundering.round_tripping import RoundTripping
from rarecase.finance.cases.laundering.sanctions_evasion import SanctionsEvasion
from rarecase.finance.cases.laundering.scam_to_exchange import ScamToExchange
from rarecase.finance.cases.laundering.smurfing import Smurfing
from rarecase.finance.cases.laundering.structuring import Structuring
from rarecase.finance.cases.laundering.trade_mispricing import TradeMispricing

KINDS: tuple[type[BankCase], ...] = (
    CashFront,
    CryptoOffRamp,
    DormantWoken,
    FunnelAccount,
    LaunderingBipartite,
    LaunderingCycle,
    LaunderingFanIn,
    LaunderingFanOut,
    LaunderingGatherScatter,
    LaunderingRandomWalk,
    LaunderingScatterGather,
    LaunderingStack,
    LoanBack,
    RapidMovement,
    RoundTripping,
    SanctionsEvasion,
    ScamToExchange,
    Smurfing,
    Structuring,
    TradeMispricing,
)
