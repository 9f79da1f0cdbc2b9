"""Each law against its distribution function.

Every statistical test here has a fixed seed and fails a correct law with probability 1e-4 (`ALPHA`), once and
for all: a seed that passes passes for ever.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from rarecase.common import draws
from rarecase.common.seeds import stream

ALPHA = 1e-4
N = 20_000
Floats = NDArray[np.float64]


def follows(values: Floats, cdf: Callable[[Floats], Floats]) -> None:
    assert stats.kstest(values, cdf).pvalue > ALPHA


def counted(observed: NDArray[np.int64], expected: Floats) -> None:
    assert stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > ALPHA


def uniforms(name: str, n: int = N) -> Floats:
    return stream(7, "test", name).random(n)


@pytest.mark.parametrize("weights", [[1.0], [0.0, 3.0, 1.0, 0.0], [1e-9, 1.0, 5.0], list(range(1, 200))])
def test_alias_table_draws_by_weight(weights: list[float]) -> None:
    positions = draws.AliasTable(weights).draw(stream(7, "alias", len(weights)), N)
    seen = np.bincount(positions, minlength=len(weights))
    expected = np.array(weights)
    assert seen[expected == 0].sum() == 0
    common = expected * N / expected.sum() >= 1
    assert seen[~common].sum() < 10
    if common.sum() > 1:
        counted(seen[common], expected[common])


def test_alias_table_never_draws_weightless_category_beside_rounding() -> None:
    weights = np.full(1000, 0.1)
    weights[::7] = 0.0
    positions = draws.AliasTable(weights).at(np.linspace(0, 1, 500_000, endpoint=False))
    assert not np.isin(positions, np.arange(0, 1000, 7)).any()


@pytest.mark.parametrize("weights", [[], [0.0, 0.0], [1.0, -1.0], [np.nan], [[1.0], [2.0]]])
def test_alias_table_refuses_impossible_weights(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        draws.AliasTable(weights)


def test_alias_rows_draw_by_the_weights_of_their_group() -> None:
    weights = np.array([[1.0, 2.0, 3.0], [5.0, 0.0, 1.0]])
    which = np.repeat([0, 1], N)
    positions = draws.AliasRows(weights).draw(stream(7, "rows"), which)
    counted(np.bincount(positions[:N], minlength=3), weights[0])
    counted(np.bincount(positions[N:], minlength=3)[[0, 2]], weights[1, [0, 2]])
    assert not (positions[N:] == 1).any()


def test_alias_rows_refuse_unknown_groups() -> None:
    rows = draws.AliasRows([[1.0, 1.0]])
    with pytest.raises(ValueError, match="0 to 0"):
        rows.at(np.zeros(1), np.array([1]))
    with pytest.raises(ValueError, match="expected 2"):
        rows.at(np.zeros(2), np.array([0]))


def test_zipf_weights() -> None:
    weights = draws.zipf_weights(50, 1.3, shift=2.0)
    assert weights.sum() == pytest.approx(1.0)
    assert weights[0] / weights[9] == pytest.approx((12 / 3) ** 1.3)
    counted(np.bincount(draws.AliasTable(weights).at(uniforms("zipf")), minlength=50), weights)
    with pytest.raises(ValueError, match="n=0"):
        draws.zipf_weights(0)


@pytest.mark.parametrize(
    ("low", "high"), [(-1.0, 2.0), (-np.inf, 0.5), (6.0, np.inf), (30.0, 31.0), (-9.0, -8.0)]
)
def test_truncated_normal(low: float, high: float) -> None:
    values = draws.truncated_normal(uniforms("tn"), 10.0, 2.0, 10 + 2 * low, 10 + 2 * high)
    assert values.min() >= 10 + 2 * low
    assert values.max() <= 10 + 2 * high
    follows(values, stats.truncnorm(low, high, loc=10, scale=2).cdf)


def test_truncated_normal_with_parameters_of_each_row() -> None:
    mean = np.linspace(-5, 5, N)
    values = draws.truncated_normal(uniforms("tn rows"), mean, 1.5, mean - 1.5, mean + 3.0)
    follows((values - mean) / 1.5, stats.truncnorm(-1, 2).cdf)


def test_truncated_lognormal() -> None:
    values = draws.truncated_lognormal(uniforms("tl"), 40.0, 0.8, 0.0, 90.0)
    law = stats.lognorm(0.8, scale=40.0)
    assert values.max() <= 90.0
    follows(values, lambda x: law.cdf(x) / law.cdf(90.0))


def test_truncated_exponential() -> None:
    follows(draws.truncated_exponential(uniforms("te"), 3.0, 2.0, 7.0), stats.truncexpon(5 / 3, 2.0, 3.0).cdf)
    follows(draws.truncated_exponential(uniforms("te2"), 3.0), stats.expon(scale=3.0).cdf)


def test_pareto_and_bounded_pareto() -> None:
    follows(draws.pareto(uniforms("pa"), 10.0, 1.4), stats.pareto(1.4, scale=10.0).cdf)
    law = stats.pareto(1.4, scale=10.0)
    values = draws.bounded_pareto(uniforms("bp"), 10.0, 500.0, 1.4)
    assert values.min() >= 10.0
    assert values.max() <= 500.0
    follows(values, lambda x: law.cdf(x) / law.cdf(500.0))


def test_weibull() -> None:
    follows(draws.weibull(uniforms("we"), 12.0, 0.7), stats.weibull_min(0.7, scale=12.0).cdf)


def test_lognormal() -> None:
    follows(draws.lognormal(stream(7, "ln"), N, 25.0, 1.1), stats.lognorm(1.1, scale=25.0).cdf)


def test_gamma_poisson() -> None:
    values = draws.gamma_poisson(stream(7, "gp"), np.full(N, 3.0), 1.7)
    law = stats.nbinom(1.7, 1.7 / (1.7 + 3.0))
    seen = np.bincount(np.minimum(values, 15), minlength=16)
    counted(seen, np.append(law.pmf(np.arange(15)), law.sf(14)))
    assert draws.gamma_poisson(stream(7, "p"), np.full(N, 3.0), np.inf).var() == pytest.approx(3.0, rel=0.06)
    with pytest.raises(ValueError, match="shape above 0"):
        draws.gamma_poisson(stream(7, "p"), np.ones(1), 0.0)


def test_correlated_normals() -> None:
    wanted = np.array([[1.0, 0.6, -0.3], [0.6, 1.0, 0.1], [-0.3, 0.1, 1.0]])
    values = draws.correlated_normals(stream(7, "cn"), N, wanted)
    # 5 standard errors of a correlation on each of three pairs: false alarm 2e-6
    assert np.abs(np.corrcoef(values.T) - wanted).max() < 5 / np.sqrt(N)
    # whitened squares are chi-square with 3 degrees of freedom
    follows((values @ np.linalg.inv(wanted) * values).sum(axis=1), stats.chi2(3).cdf)


@pytest.mark.parametrize("matrix", [[[1.0, 2.0], [2.0, 1.0]], [[1.0, 0.1], [0.2, 1.0]], [[1.0, 0.0]]])
def test_correlated_normals_refuse_bad_matrices(matrix: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="correlation"):
        draws.correlated_normals(stream(7, "cn"), 3, matrix)


def test_mixture() -> None:
    table = draws.AliasTable([0.7, 0.3])
    values, component = draws.mixture(
        table,
        [lambda v: draws.weibull(v, 2.0, 1.5), lambda v: draws.pareto(v, 1.0, 3.0)],
        uniforms("mix u"),
        uniforms("mix v"),
    )
    counted(np.bincount(component), np.array([0.7, 0.3]))
    weib, par = stats.weibull_min(1.5, scale=2.0), stats.pareto(3.0)
    follows(values, lambda x: 0.7 * weib.cdf(x) + 0.3 * par.cdf(x))
    with pytest.raises(ValueError, match="expected 2 laws"):
        draws.mixture(table, [lambda v: v], uniforms("mix u"), uniforms("mix v"))


@pytest.mark.parametrize(
    "call",
    [
        lambda u: draws.truncated_normal(u, 0.0, 0.0, 0.0, 1.0),
        lambda u: draws.truncated_normal(u, 0.0, 1.0, 1.0, 1.0),
        lambda u: draws.truncated_exponential(u, -1.0),
        lambda u: draws.pareto(u, 0.0, 1.0),
        lambda u: draws.bounded_pareto(u, 3.0, 2.0, 1.0),
        lambda u: draws.weibull(u, 1.0, 0.0),
        lambda u: draws.quantise(u, 0.0),
    ],
)
def test_laws_refuse_impossible_parameters(call: Callable[[Floats], Floats]) -> None:
    with pytest.raises(ValueError, match="expected"):
        call(np.array([0.5]))


def test_quantise_gives_the_double_nearest_to_the_decimal() -> None:
    wanted = np.array([0.29, 1.1, -2.35, 1_000_000.07, 0.57])
    assert draws.quantise(wanted + 1e-4, 0.01).tolist() == wanted.tolist()
    assert draws.quantise(np.array([7.4, 12.6]), 5.0).tolist() == [5.0, 15.0]
    assert not np.signbit(draws.quantise(np.array([-0.001]), 0.01))[0]
    assert np.isnan(draws.quantise(np.array([np.nan]), 0.01))[0]


def test_stochastic_round_keeps_the_mean() -> None:
    rounded = draws.stochastic_round(np.full(N, 2.3), stream(7, "sr"))
    counted(np.bincount(rounded)[2:], np.array([0.7, 0.3]))
    assert draws.stochastic_round([4.0, -1.0], stream(7, "sr")).tolist() == [4, -1]


def test_proportional_to_size_has_exact_chances() -> None:
    sizes = np.array([1.0, 2.0, 3.0, 4.0, 0.0, 50.0])
    rng, rounds = stream(7, "pps"), 4000
    hits = np.zeros(len(sizes))
    for _ in range(rounds):
        taken = draws.proportional_to_size(rng, sizes, 3)
        assert len(set(taken.tolist())) == 3
        hits[taken] += 1
    assert hits[5] == rounds
    assert hits[4] == 0
    # chances 0.2 … 0.8; each within 5 binomial standard errors: false alarm 3e-6
    chance = sizes[:4] / 5
    assert (np.abs(hits[:4] - rounds * chance) < 5 * np.sqrt(rounds * chance * (1 - chance))).all()
    assert draws.proportional_to_size(rng, sizes, 5).tolist() == [0, 1, 2, 3, 5]
    with pytest.raises(ValueError, match="0 to 5"):
        draws.proportional_to_size(rng, sizes, 6)


def test_ragged_index() -> None:
    owner, within = draws.ragged_index(np.array([2, 0, 3]))
    assert owner.tolist() == [0, 0, 2, 2, 2]
    assert within.tolist() == [0, 1, 0, 1, 2]
    assert draws.offsets(np.array([2, 0, 3])).tolist() == [0, 2, 2, 5]
    assert draws.ragged_index(np.array([], np.int64))[0].tolist() == []
    with pytest.raises(ValueError, match="at least 0"):
        draws.ragged_index(np.array([1, -1]))
