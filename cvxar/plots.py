"""Figures of data objects. Functions take the axes to draw on, or make them; matplotlib is optional.

The network: :func:`plot_map`. Competing forecasts: :func:`plot_forecasts`, :func:`plot_error_difference`,
:func:`plot_comparison`. Files: :func:`save_figure`, :func:`check_figure_file`.
"""

from cvxar.comparison_plots import plot_comparison, plot_error_difference, plot_forecasts
from cvxar.figures import check_figure_file, check_matplotlib, save_figure
from cvxar.network_plots import plot_map

__all__ = [
    "check_figure_file",
    "check_matplotlib",
    "plot_comparison",
    "plot_error_difference",
    "plot_forecasts",
    "plot_map",
    "save_figure",
]
