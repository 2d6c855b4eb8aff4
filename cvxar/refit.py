"""Refit a model to a longer series, from the last solution where that is possible."""

import time
from dataclasses import replace

import numpy as np

from cvxar import architectures
from cvxar.criteria import fit_of
from cvxar.errors import InputError
from cvxar.incremental import IncrementalLasso
from cvxar.observations import Observations
from cvxar.problem import LassoProblem
from cvxar.results import Results, fit_results
from cvxar.selection import Selection
from cvxar.settings import Settings
from cvxar.sliding import can_slide
from cvxar.solution import Solution


def refit(old: Results, known: Observations, settings: Settings) -> Results:
    """Return the settings fitted to a series that continues the one of ``old``.

    With one lag, a two-layer network, squared loss, a penalty that is given and no missing observation the
    solver starts from the last solution and sorts nothing anew (:mod:`cvxar.incremental`); otherwise
    this is a fit like any other. The optimum is the same, and certified either way.
    """
    if not can_slide(settings) or not np.isfinite(known.values).all():
        return fit_results(known, settings)
    try:
        window = _window(old, known, settings)
        return replace(fit_results(known, settings, OnWindow(window, settings)), window=window)
    except InputError:  # a series without two distinct inputs, a penalty of 0
        return fit_results(known, settings)


def _window(old: Results, known: Observations, settings: Settings) -> IncrementalLasso:
    """Return the sorted sums of the longer series."""
    architecture, values = architectures.get(settings.architecture), known.values
    window = None if old.window is None else old.window.copy()
    if window is None or (window.architecture, window.skip) != (architecture, settings.skip):
        window = IncrementalLasso(values[:-1], values[1:], architecture=architecture, skip=settings.skip)
    for t in range(window.nobs + 1, len(values)):
        window.append(values[t - 1], values[t])
    return window


class OnWindow:
    """Solves the problem of a series on the sorted sums of its observations.

    Raises
    ------
    InputError
        When called, if that fails or falls short of the tolerance.
    """

    def __init__(self, window: IncrementalLasso, settings: Settings) -> None:
        self.window, self.settings = window, settings

    def __call__(self, problem: LassoProblem) -> Selection:
        """Return the solution on the window as one of the problem of the whole series."""
        how, started = self.settings, time.perf_counter()
        beta = None if how.beta_ratio is not None else float(how.beta)
        found = self.window.solve(beta, beta_ratio=how.beta_ratio, tol=how.tol)
        if not found.certificate.holds(how.tol):
            raise InputError(f"the window was solved to {found.certificate.relative_gap:.1e} alone")
        seconds = time.perf_counter() - started
        priced = problem.with_beta(found.beta)
        solution = Solution(priced, found.sketch, found.certificate, None, found.rounds, seconds, None)
        return Selection(solution, fit_of(solution), None)
