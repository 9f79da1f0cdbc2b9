"""Whole columns of chance: every function draws a column at once, none draws a row.

Two kinds of functions, told apart by their first argument:

* laws that invert a distribution function take **uniforms** ``u`` in [0, 1): ``rng.random(n)`` of a
  :func:`rarecase.common.seeds.stream`, or the stateless ``keyed_uniform(seed, name, ids)`` where a row of
  another part must be recomputed;
* laws that reject, or that are much faster otherwise, take the **generator** ``rng`` and a length.

Floating results depend in their last bit on the processor's ``exp`` and ``log``. Pass them through
:func:`quantise` with the column's quantum before they are stored, compared or accumulated.
"""

from __future__ import annotations

from rarecase.common.draws.alias import AliasRows, AliasTable, zipf_weights
from rarecase.common.draws.counts import gamma_poisson, proportional_to_size, stochastic_round
from rarecase.common.draws.laws import (
    bounded_pareto,
    correlated_normals,
    lognormal,
    mixture,
    pareto,
    truncated_exponential,
    truncated_lognormal,
    truncated_normal,
    weibull,
)
from rarecase.common.draws.quantum import quantise
from rarecase.common.draws.ragged import offsets, ragged_index

__all__ = [
    "AliasRows",
    "AliasTable",
    "bounded_pareto",
    "correlated_normals",
    "gamma_poisson",
    "lognormal",
    "mixture",
    "offsets",
    "pareto",
    "proportional_to_size",
    "quantise",
    "ragged_index",
    "stochastic_round",
    "truncated_exponential",
    "truncated_lognormal",
    "truncated_normal",
    "weibull",
    "zipf_weights",
]
