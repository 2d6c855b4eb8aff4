"""Pictures show what the numbers say: lines, marks and arcs are read back and compared."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.path import Path
from problems import ARCHITECTURES

from cvxar import ConvexAR, LassoProblem, backtest, datasets, plots, solve, solve_path
from cvxar.architectures import DeepNarrow
from cvxar.errors import InputError
from cvxar.network_plots import mirror_arcs
from cvxar.reflections import origins


@pytest.fixture(autouse=True)
def _figures_are_closed():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def sunspots():
    return datasets.load_sunspots()


@pytest.fixture(scope="module")
def fitted(sunspots):
    return ConvexAR(1, architecture="deep_abs").fit(sunspots)


def lines(ax):
    """The lines of an axes by label, as they were drawn."""
    return {line.get_label(): line.get_xydata() for line in ax.get_lines()}


def solved(architecture):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 2))
    problem = LassoProblem(x, np.sin(3 * x[:, 0]) + x[:, 1], beta=1.0, architecture=architecture)
    return solve(problem.with_beta(0.02 * problem.beta_max))


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
def test_the_map_is_drawn_as_it_is(architecture):
    """The line is the network, points are its residuals above it, and marks are its breakpoints."""
    solution = solved(architecture)
    problem, network = solution.problem, solution.network
    ax = plots.plot_network(network, problem.x, problem.y)
    drawn, part = lines(ax), network.pieces(0)
    own = problem.x[:, 0]
    places, values = drawn["network"].T
    inner = np.isin(places, own) | np.isin(places, part.breaks)
    right = np.append(places[1:] != places[:-1], True)  # the later of two sides of a break
    np.testing.assert_allclose(values[inner & right], network.constant + part(places[inner & right]))
    data = next(line.get_xydata() for line in ax.get_lines() if len(line.get_xdata()) == len(own))
    above = data[:, 1] - network.constant - part(own)
    np.testing.assert_allclose(above, problem.y - network(problem.x), atol=1e-9)
    marks = [xy for label, xy in drawn.items() if label.partition(" (")[2]]
    low, high = ax.get_xlim()
    shown = [b.location for b in network.breakpoints if b.column == 0 and low <= b.location <= high]
    assert shown
    assert sorted(np.concatenate(marks)[:, 0]) == shown
    assert min(own) > low
    assert max(own) < high


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
def test_the_units_drawn_add_up_to_the_map(architecture):
    solution = solved(architecture)
    network = solution.network
    ax = plots.plot_network(network, solution.problem.x, solution.problem.y)
    units = next(child for child in ax.child_axes if child.get_ylabel() == "units").get_lines()
    assert len(units) == sum(unit.column == 0 for unit in network.point.features)
    at = np.sort(np.random.default_rng(1).uniform(*ax.get_xlim(), 50))
    total = sum(np.interp(at, *unit.get_xydata().T) for unit in units)
    rest = network.pieces(0)(at) - network.linear[0] * at - total
    np.testing.assert_allclose(rest, rest[0], atol=1e-8 * np.abs(network.pieces(0)(at)).max())


@pytest.mark.parametrize("depth", [3, 4])
def test_the_mirror_stands_in_the_middle_of_its_arc(depth):
    """For every rule: the first arc ends where it should, over its mirror; nested rules have arcs too."""
    seen = set()
    for unit in DeepNarrow("abs", depth).dictionary(np.array([0.0, 1.0, 3.7, 9.1])).enumerate():
        for where, origin in origins(unit).items():
            arcs, at = mirror_arcs(origin), [parent.location for parent in origin.parents]
            seen.add(origin.depth)
            assert bool(arcs) == (origin.label != "data point")
            for parent in origin.parents:
                assert set(mirror_arcs(parent)) <= set(arcs)
            if origin.rule == "R":
                assert arcs[0] == (at[0], where)
                assert sum(arcs[0]) / 2 == pytest.approx(at[1], abs=1e-7)
            if origin.rule == "M":
                assert sum(arcs[0]) / 2 == pytest.approx(where, abs=1e-7)
            if origin.rule == "G":
                assert sum(arcs[0]) == pytest.approx(sum(arcs[1]), abs=1e-7)
    assert max(seen) >= depth - 2


def test_the_map_goes_on_as_forecasts_do(fitted, sunspots):
    ax = fitted.plot_network()
    dotted = [line.get_xydata() for line in ax.get_lines() if line.get_linestyle() == ":"]
    assert len(dotted) == 2
    for line in dotted:
        follow = fitted.append([line[-1, 0]]).forecast(1, rng=0)["mean"].iloc[0]
        assert line[-1, 1] == pytest.approx(follow)


METHODS = {
    "plot_fit": 1,
    "plot_network": 1,
    "plot_path": 2,
    "plot_diagnostics": 4,
    "plot_forecast": 1,
}


def draw(model, method, **options):
    return getattr(model, method)(*([3] if method == "plot_forecast" else []), **options)


@pytest.mark.parametrize("method", METHODS)
def test_axes_given_are_drawn_on_and_returned(fitted, method):
    given = pyplot.figure().subplots(1, METHODS[method], squeeze=False)[0]
    before = pyplot.get_fignums()
    returned = draw(fitted, method, ax=given[0] if len(given) == 1 else given)
    assert list(np.ravel(returned)) == list(given)
    assert pyplot.get_fignums() == before
    own = np.ravel(draw(fitted, method))
    for ax in own:
        assert ax.get_ylabel()
        assert ax.get_xlabel() or any(other.get_shared_x_axes().joined(ax, other) for other in own)
        assert ax.has_data()


@pytest.mark.parametrize("method", METHODS)
def test_dollar_signs_in_names_are_no_formulas(sunspots, method):
    model = ConvexAR(1, beta_ratio=0.1) if method != "plot_path" else ConvexAR(1)
    drawn = draw(model.fit(sunspots.rename("US$ $x_{")), method)
    np.ravel(drawn)[0].figure.canvas.draw()


def test_dollar_signs_in_names_of_models_are_no_formulas(sunspots):
    models = {"in $ {": ConvexAR(beta_ratio=0.1), "US$ $x_{": ConvexAR(beta_ratio=1.0)}
    backtest(sunspots, models, initial=300).plot().canvas.draw()


@pytest.mark.parametrize("method", ["plot_path", "plot_diagnostics"])
def test_too_few_axes_are_refused(fitted, method):
    with pytest.raises(InputError, match=r"needs [24] axes, got 1; leave ax out"):
        draw(fitted, method, ax=pyplot.figure().subplots())


def test_several_lags_have_a_panel_each(sunspots):
    axes = ConvexAR((1, 9), beta_ratio=0.1).fit(sunspots).plot_network()
    assert [ax.get_xlabel() for ax in axes] == ["sunspots, lag 1", "sunspots, lag 9"]


@pytest.mark.parametrize(("count", "rows"), [(2, 1), (3, 1), (4, 2), (7, 3)])
def test_panels_stand_at_most_three_abreast(sunspots, count, rows):
    model = ConvexAR(count, beta_ratio=1.0).fit(sunspots)
    axes = model.plot_network()
    assert axes.shape == (count,)
    assert axes[0].figure.axes == list(axes)
    axes[0].figure.canvas.draw()
    corners = [ax.get_position() for ax in axes]
    assert len({round(c.y0, 6) for c in corners}) == rows
    assert len({round(c.x0, 6) for c in corners}) == min(count, 3)
    assert [ax.get_xlabel() for ax in axes] == [f"sunspots, lag {lag}" for lag in range(1, count + 1)]
    given = pyplot.figure().subplots(1, count)
    assert list(model.plot_network(ax=given)) == list(given)


def covered(ax):
    """Labels of the lines that pass under the legend of an axes, once it is laid out."""
    box = ax.get_legend().get_window_extent()
    for line in ax.get_lines():
        points = line.get_transform().transform(line.get_xydata())
        joined = line.get_linestyle() != "None"
        if any(box.contains(*p) for p in points) or (
            joined and Path(points).intersects_bbox(box, filled=False)
        ):
            yield line.get_label()


@pytest.mark.parametrize("size", [(8.0, 6.0), (4.0, 4.5), (12.0, 3.5)])
@pytest.mark.parametrize("architecture", ["relu", "deep_abs", "parallel_sign"])
@pytest.mark.parametrize("shape", [np.negative, np.sin])
def test_legends_cover_nothing_of_the_map_and_its_units(shape, architecture, size):
    rng = np.random.default_rng(0)
    x = 2 * rng.normal(size=80)
    problem = LassoProblem(x, shape(x) + 0.3 * rng.normal(size=80), beta=1.0, architecture=architecture)
    network = solve(problem.with_beta(0.02 * problem.beta_max)).network
    figure, ax = pyplot.subplots(figsize=size, layout="constrained")
    plots.plot_network(network, problem.x, problem.y, ax=ax)
    figure.canvas.draw()
    drawn = [ax, *(child for child in ax.child_axes if child.get_ylabel() == "units")]
    assert len(drawn) == 2
    for part in drawn:
        assert list(covered(part)) == []
        assert part.get_legend().get_window_extent().y1 <= part.get_window_extent().y1 + 1


@pytest.mark.parametrize("shape", [lambda t: 1 / t, np.sqrt, np.ones_like, lambda t: 2 + np.sin(t)])
@pytest.mark.parametrize("optimum", [0.9, 3.0])
def test_the_legend_of_training_curves_covers_none_of_them(shape, optimum):
    epochs = np.arange(1, 30.0)
    parts = {"Adam": shape(epochs), "SGD": shape(epochs[::-1])}
    rows = [pd.DataFrame({"method": m, "epoch": epochs, "objective": v}) for m, v in parts.items()]
    level = pd.DataFrame({"method": ["convex optimum"], "epoch": np.nan, "objective": optimum})
    ax = plots.plot_training_curves(pd.concat([level, *rows]), ax=pyplot.subplots(layout="constrained")[1])
    ax.figure.canvas.draw()
    assert ax.get_yscale() == "log"
    assert list(covered(ax)) == []


def test_what_is_not_the_map_is_taken_away(sunspots):
    """Only the nonlinear lag is drawn, on the scale of the transform, less all other terms."""
    model = ConvexAR(3, nonlinear_lags=[2], transform="sqrt", trend="ct", beta_ratio=0.1).fit(sunspots)
    ax = model.plot_network()
    assert ax.get_xlabel() == "sqrt of sunspots, lag 2"
    assert ax.get_ylabel() == "sqrt of sunspots, other terms taken away"
    x = np.sqrt(sunspots.to_numpy())[1:-2]
    above = next(line.get_xydata() for line in ax.get_lines() if len(line.get_xdata()) == len(x))
    np.testing.assert_allclose(above[:, 0], x)
    np.testing.assert_allclose(above[:, 1] - model.network_(x), model.resid_, atol=1e-9)
    fits = lines(model.plot_fit())["one-step fit"]
    np.testing.assert_array_equal(fits[:, 1], model.predict())


@pytest.mark.parametrize(
    "values", [np.ones(20), np.arange(9.0), [1.0, 2.0, 4.0]], ids=["flat", "line", "three"]
)
@pytest.mark.parametrize("method", METHODS)
def test_a_linear_fit_is_drawn_without_units(values, method):
    model = ConvexAR(1).fit(values)
    axes = np.ravel(draw(model, method))
    axes[0].figure.canvas.draw()
    assert axes[0].child_axes == []


@pytest.mark.parametrize("method", METHODS)
def test_missing_observations_are_gaps(sunspots, method):
    model = ConvexAR(1).fit(sunspots.where(np.arange(len(sunspots)) % 17 != 3))
    for ax in np.ravel(draw(model, method)):
        assert ax.has_data()
        assert np.isfinite([*ax.get_xlim(), *ax.get_ylim()]).all()


@pytest.mark.parametrize("method", METHODS)
def test_without_matplotlib_the_extra_is_named(monkeypatch, fitted, method):
    monkeypatch.setattr("cvxar.figures.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"cvxar\[plots\]"):
        draw(fitted, method)


@pytest.mark.parametrize("frequency", [True, False])
def test_the_fan_is_the_forecast(sunspots, frequency):
    """On the calendar, or on positions where the index has no frequency to go on with."""
    series = datasets.load_bitcoin() if frequency else datasets.load_bitcoin().drop("2017-03-03")
    model = ConvexAR(1, beta_ratio=1.0).fit(series)
    options = {"level": (50, 90), "intervals": "conformal" if frequency else "bootstrap"}
    ax = model.plot_forecast(5, history=20, **options)
    table = model.forecast(5, rng=0, **options)
    observed, mean = lines(ax)["observed"], lines(ax)["mean"]
    np.testing.assert_array_equal(observed[:, 1], series.iloc[-20:])
    np.testing.assert_array_equal(mean[:, 1], np.append(series.iloc[-1:], table["mean"]))
    np.testing.assert_allclose(np.diff(np.append(observed[:, 0], mean[1:, 0])), 1.0)
    for band, level in zip(ax.collections, (90, 50), strict=True):
        edges = table[[f"lower_{level}", f"upper_{level}"]].to_numpy().ravel()
        assert set(band.get_paths()[0].vertices[:, 1]) == {*edges, series.iloc[-1]}


@pytest.mark.parametrize("criterion", ["bic", "cv"])
def test_the_path_marks_what_was_chosen(sunspots, criterion):
    model = ConvexAR(1, beta=criterion).fit(sunspots)
    upper, lower = model.plot_path()
    column = model.path_["cv_loss" if criterion == "cv" else criterion]
    mark = lines(lower)[f"chosen: {model.beta_:.4g}"]
    assert mark.tolist() == [[pytest.approx(model.beta_ / model.beta_max_), column.min()]]
    np.testing.assert_array_equal(upper.get_lines()[0].get_ydata(), model.path_["n_breakpoints"])


def test_a_given_penalty_has_no_path(sunspots):
    with pytest.raises(InputError, match="the penalty was given"):
        ConvexAR(1, beta_ratio=0.5).fit(sunspots).plot_path()


@pytest.mark.parametrize("architecture", ["relu", "sign"])
def test_a_solution_path_is_drawn_by_its_breakpoints(architecture):
    rng = np.random.default_rng(0)
    x = rng.normal(size=30)
    problem = LassoProblem(x, np.abs(x), beta=0.0, architecture=architecture)
    path = solve_path(problem, n_betas=6, min_ratio=0.05)
    upper, lower = plots.plot_solution_path(path)
    found = {(i, b.location) for i, s in enumerate(path) for b in s.network.breakpoints}
    ratios = (path.betas / problem.beta_max).tolist()
    drawn = {(ratios.index(r), y) for line in lower.get_lines() for r, y in line.get_xydata().tolist()}
    assert found == drawn
    last = {b.jump or b.slope_change for b in path[-1].network.breakpoints}
    assert {line.get_ydata()[-1] for line in upper.get_lines()} - {0.0} == last


def test_many_points_stay_one_image():
    """A vector file of a hundred thousand points would be as large as the data."""
    series = pd.Series(np.random.default_rng(0).normal(size=3000))
    model = ConvexAR(1, beta_ratio=1.0).fit(series)
    crowded = [
        line
        for ax in [model.plot_fit(), model.plot_network(), *model.plot_diagnostics().flat]
        for line in ax.get_lines()
        if len(line.get_xdata()) > 2000
    ]
    assert len(crowded) >= 4
    assert all(line.get_rasterized() for line in crowded)


def test_bands_of_a_backtest_are_drawn():
    series = pd.Series(np.random.default_rng(0).normal(size=60).cumsum())
    models = {"last": lambda y, h: [y.iloc[-1]] * h, "ConvexAR": ConvexAR(beta_ratio=1.0)}
    result = backtest(series, models, initial=50, level=(80, 95))
    upper = result.plot(baseline="last").axes[0]
    rows = result.forecasts.query("model == 'ConvexAR'")
    drawn = {band.get_label(): band.get_paths()[0].vertices for band in upper.collections}
    assert list(drawn) == ["ConvexAR, 95 %", "ConvexAR, 80 %"]
    for level in (80, 95):
        corners = drawn[f"ConvexAR, {level} %"]
        assert set(rows[f"lower_{level}"]) | set(rows[f"upper_{level}"]) <= set(corners[:, 1])
    plain = backtest(series, {"last": models["last"]}, initial=50, level=80)
    assert not plain.plot().axes[0].collections


def test_crowded_breakpoints_are_faint_and_named_in_few_digits():
    x = np.random.default_rng(0).normal(size=150)
    problem = LassoProblem(x, np.sin(3 * x) + x[::-1], beta=0.0, skip=True)
    path = solve_path(problem, method="homotopy", min_ratio=1e-3)
    upper, lower = plots.plot_solution_path(path)
    legend = upper.get_legend()
    named = [text.get_text() for text in legend.get_texts()]
    assert legend.get_title().get_text() == "breakpoints"
    assert len(named) == len(set(named)) == 6
    assert all(len(name.lstrip("-0.").replace(".", "")) <= 4 for name in named)
    assert all(np.abs(x - float(name)).min() <= 5e-4 for name in named)
    sizes = [line.get_markersize() for line in lower.get_lines()]
    assert max(sizes[:-6]) < min(sizes[-6:])  # the strongest are drawn last, on top
