"""Figures of data objects. Functions take the axes to draw on, or make them; matplotlib is optional.

The trained map: :func:`plot_network`. A fitted autoregression: :func:`plot_fit`, :func:`plot_forecast`,
:func:`plot_diagnostics`. Penalties: :func:`plot_path`, :func:`plot_solution_path`,
:func:`plot_solution_paths`. Competing forecasts: :func:`plot_forecasts`, :func:`plot_error_difference`,
:func:`plot_comparison`. Files: :func:`save_figure`, :func:`check_figure_file`.
"""

from cvxar.comparison_plots import plot_comparison, plot_error_difference, plot_forecasts
from cvxar.figures import check_figure_file, check_matplotlib, save_figure
from cvxar.model_plots import plot_diagnostics, plot_fit, plot_forecast
from cvxar.network_plots import plot_network
from cvxar.path_plots import plot_path, plot_solution_path, plot_solution_paths
from cvxar.training_plots import plot_training_curves

__all__ = [
    "check_figure_file",
    "check_matplotlib",
    "plot_comparison",
    "plot_diagnostics",
    "plot_error_difference",
    "plot_fit",
    "plot_forecast",
    "plot_forecasts",
    "plot_network",
    "plot_path",
    "plot_solution_path",
    "plot_solution_paths",
    "plot_training_curves",
    "save_figure",
]
