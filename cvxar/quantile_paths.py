"""Simulation from fitted conditional quantiles: sorted, interpolated between levels, resampled beyond."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cvxar._typing import Array


@dataclass(frozen=True)
class QuantileCurves:
    """Conditional quantiles as functions of the lags, and what lies beyond the outermost ones.

    Parameters
    ----------
    levels : array (k,)
        Increasing, in (0, 1).
    curves : sequence of functions
        From lags (m, p) to quantiles (m,), one per level.
    below, above : array
        Exceedances of the training targets beyond the lowest and highest fit, at least 0, as shares
        of the distance between these two fits; never empty.
    """

    levels: Array
    curves: Sequence[Callable[[Array], Array]]
    below: Array
    above: Array

    def sorted_at(self, lagged: Array, offsets: Array) -> Array:
        """Return quantiles (m, k) at lags (m, p), each row increasing (monotone rearrangement)."""
        values = np.column_stack([curve(lagged) for curve in self.curves])
        return np.sort(values + offsets, axis=1)

    def means(self, quantiles: Array) -> Array:
        """Return the mean (m,) of the distribution that :meth:`draw` samples from."""
        widths = np.concatenate([self.levels[:1], np.diff(self.levels), 1 - self.levels[-1:]])
        spread = _spread(quantiles)
        low = quantiles[:, 0] - spread * self.below.mean()
        high = quantiles[:, -1] + spread * self.above.mean()
        inner = (quantiles[:, 1:] + quantiles[:, :-1]) / 2
        mean: Array = np.column_stack([low, inner, high]) @ widths
        return mean

    def draw(self, quantiles: Array, uniform: Array) -> Array:
        """Return the value (m,) of each row's distribution at the probabilities ``uniform`` (m,)."""
        k = np.searchsorted(self.levels, uniform)
        left, right = np.maximum(k - 1, 0), np.minimum(k, len(self.levels) - 1)
        rows = np.arange(len(uniform))
        gap = np.where(right > left, self.levels[right] - self.levels[left], 1.0)
        share = np.clip((uniform - self.levels[left]) / gap, 0.0, 1.0)
        value = (1 - share) * quantiles[rows, left] + share * quantiles[rows, right]
        beyond = _resampled(self.above, (uniform - self.levels[-1]) / (1 - self.levels[-1]))
        beyond = beyond - _resampled(self.below, 1 - uniform / self.levels[0])
        return value + _spread(quantiles) * beyond


def _spread(quantiles: Array) -> Array:
    """Distance of the outermost quantiles; 1 where there is only one level."""
    return quantiles[:, -1] - quantiles[:, 0] if quantiles.shape[1] > 1 else np.ones(len(quantiles))


def _resampled(ordered: Array, probability: Array) -> Array:
    """Return the order statistic at a probability, 0 where that is negative."""
    place = np.clip((probability * len(ordered)).astype(np.intp), 0, len(ordered) - 1)
    return np.where(probability > 0, ordered[place], 0.0)


def exceedances(targets: Array, quantiles: Array) -> tuple[Array, Array]:
    """Return sorted shares by which targets lie beyond the lowest and highest fit (m, k); 0 if none does.

    Examples
    --------
    >>> exceedances(np.array([-1.0, 1.0, 5.0]), np.array([[0.0, 2.0]] * 3))
    (array([0.5]), array([1.5]))
    """
    spread = _spread(quantiles)
    wide = spread > 1e-6 * np.max(spread, initial=0.0)
    parts = []
    for beyond in (quantiles[:, 0] - targets, targets - quantiles[:, -1]):
        outside = (beyond > 0) & wide
        parts.append(np.sort(beyond[outside] / spread[outside]) if outside.any() else np.zeros(1))
    return parts[0], parts[1]


def stratified(steps: int, n_paths: int, rng: np.random.Generator) -> Array:
    """Draw probabilities (steps, n_paths): each row one in every n_paths-th of (0, 1), in random order."""
    rows: Array = (np.arange(n_paths) + rng.random((steps, n_paths))) / n_paths
    return rng.permuted(rows, axis=1)


def simulate_quantiles(
    curves: QuantileCurves, lags: tuple[int, ...], history: Array, offsets: Array, uniform: Array
) -> tuple[Array, Array, Array]:
    """Simulate paths from conditional quantiles.

    Parameters
    ----------
    curves : QuantileCurves
    lags : tuple of int
        Ascending.
    history : array (at least max(lags),)
    offsets : array (steps, k)
        Known additive terms of each level (exogenous part).
    uniform : array (steps, n_paths)

    Returns
    -------
    first : array (k,)
        Conditional quantiles of the first step, exact.
    means : array (steps,)
        Average over the paths of the conditional mean; exact at the first step.
    paths : array (steps, n_paths)
        Cost O(steps n_paths p k).
    """
    steps, n_paths = uniform.shape
    past, longest = np.asarray(lags, dtype=np.intp), max(lags, default=0)
    paths = np.empty((longest + steps, n_paths))
    paths[:longest] = history[len(history) - longest :, None]
    means, first = np.empty(steps), np.empty(len(curves.levels))
    for step in range(steps):
        now = longest + step
        quantiles = curves.sorted_at(paths[now - past].T, offsets[step])
        first = quantiles[0] if step == 0 else first
        means[step] = curves.means(quantiles).mean()
        paths[now] = curves.draw(quantiles, uniform[step])
    return first, means, paths[longest:]
