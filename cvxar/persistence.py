"""Fitted autoregressions on file: what they were given and what was solved; the rest is computed again.

A file holds the arguments, the series (with exogenous columns), and the solution: penalty, coefficients, dual
vector. Reading checks arguments and series as a fit does, puts the solution in the place of the solver's,
and recomputes its certificate, so that a file is not believed when it says that something is optimal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from os import PathLike
from typing import Any

import numpy as np

from cvxar import architectures, losses, transforms
from cvxar._typing import Array
from cvxar.architectures import Architecture, Unit
from cvxar.certificate import Certificate
from cvxar.coefficients import Coefficients
from cvxar.container import DAMAGE, damaged, read_container, write_container
from cvxar.criteria import fit_of
from cvxar.errors import CvxarError, InputError, ModelFileError
from cvxar.memory import check_memory
from cvxar.network import Network
from cvxar.observations import Observations
from cvxar.piecewise import PiecewiseLinear
from cvxar.problem import LassoProblem
from cvxar.results import Results, fit_results
from cvxar.selection import Selection
from cvxar.settings import Settings
from cvxar.solution import Solution
from cvxar.stamps import check_index
from cvxar.transforms import Difference, Scale
from cvxar.trees import (
    index_from_tree,
    index_to_tree,
    name_from_tree,
    name_to_tree,
    table_from_tree,
    table_to_tree,
)

# the objects an argument may be; anything else would have to be executed to be read
CATALOGUES = (architectures.BY_NAME, losses.BY_NAME, transforms.CATALOGUE)
PARTS: dict[str, type] = {type(part).__name__: type(part) for parts in CATALOGUES for part in parts.values()}
PARTS["Identity"] = transforms.Identity


def write_models(path: str | PathLike[str], what: str, models: Sequence[Results]) -> None:
    """Write fitted autoregressions as one file (see :mod:`cvxar.container`).

    Parameters
    ----------
    path : path-like
    what : str
        The class they make up.
    models : sequence of Results

    Raises
    ------
    InputError
        If an argument or the index of the series is of a kind that a file cannot hold, or the file cannot
        be written.
    """
    write_container(path, {"what": what, "models": [_to_tree(results) for results in models]})


def _to_tree(results: Results) -> dict[str, Any]:
    arguments = results.settings.get_params()
    return {
        "arguments": {name: _argument_to_tree(name, value) for name, value in arguments.items()},
        "series": _observations_to_tree(results.predictor.known),
        "count": results.count,
        "transform": _argument_to_tree("transform", _fitted_transform(results.predictor.scale)),
        "solution": _solution_to_tree(results.solution),
        "path": None if results.path is None else table_to_tree(results.path),
    }


def _fitted_transform(scale: Scale) -> Any:
    return Difference(scale.level) if scale.differenced else scale.level


def read_models(path: str | PathLike[str], what: str) -> list[Results]:
    """Read the fitted autoregressions that make up an object of the class named ``what``, at least one.

    Raises
    ------
    ModelFileError
        If the file is missing, foreign, damaged, of another class, or of a later version.
    """
    tree = read_container(path)
    for other in {"ConvexAR", "QuantileAR"} - {what}:
        if isinstance(tree, dict) and tree.get("what") == other:
            raise ModelFileError(f"{path} holds a {other}; read it with {other}.load")
    try:
        if tree["what"] != what:
            raise ValueError(f"it holds {tree['what']!r}, not {what!r}")
        models = [_from_tree(model) for model in tree["models"]]
        if not models:
            raise ValueError("it holds no model")
    except (*DAMAGE, CvxarError) as error:
        raise damaged(path, error) from error
    return models


def _from_tree(tree: Mapping[str, Any]) -> Results:
    arguments = {name: _argument_from_tree(value) for name, value in tree["arguments"].items()}
    known, count = _observations_from_tree(tree["series"]), tree["count"]
    if type(count) is not int or not 0 < count <= len(known):
        raise ValueError(f"a fit to {count!r} of {len(known)} observations")
    _check_columns(arguments, count)

    def choose(problem: LassoProblem) -> Selection:
        """Return the solution of the file in place of a new one."""
        solution = _solution_from_tree(tree["solution"], problem)
        path = None if tree["path"] is None else table_from_tree(tree["path"])
        return Selection(solution, fit_of(solution), path)

    # with the transform as it was fitted: an estimate could differ in its last digits
    fitted = Settings(**{**arguments, "transform": _argument_from_tree(tree["transform"])})
    results = fit_results(_first(known, count), fitted, choose)
    predictor = results.predictor.informed(known)
    return replace(results, predictor=predictor, settings=Settings(**arguments))


def _check_columns(arguments: Mapping[str, Any], count: int) -> None:
    """Refuse columns for lags and seasons that would fill the memory."""
    wide = sum(arguments[name] for name in ("lags", "period") if type(arguments[name]) is int)
    check_memory(32.0 * wide * count, "its lags and seasons", "load it where there is more memory")


def _first(known: Observations, count: int) -> Observations:
    return replace(known, values=known.values[:count], index=known.index[:count], exog=known.exog[:count])


def _argument_to_tree(name: str, value: Any) -> Any:
    """Return an argument as plain values, objects of the catalogues by class and fields."""
    plain = value.item() if isinstance(value, np.generic) else value
    if plain is None or type(plain) in (bool, int, float, str):
        return plain
    if isinstance(plain, list | tuple | range | np.ndarray):
        parts = [_argument_to_tree(name, part) for part in plain]
        return {"class": "tuple", "of": parts} if isinstance(plain, tuple) else parts
    if PARTS.get(type(plain).__name__) is not type(plain) or not is_dataclass(plain):
        raise InputError(
            f"{name}={plain!r} cannot be saved: a file holds no code; use one that cvxar brings along, or "
            "pickle the model where that code is at hand"
        )
    own = {f.name: _argument_to_tree(name, getattr(plain, f.name)) for f in fields(plain)}
    return {"class": type(plain).__name__, **own}


def _argument_from_tree(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if tree["class"] == "tuple":
        return tuple(tree["of"])
    return PARTS[tree["class"]](**{k: _argument_from_tree(v) for k, v in tree.items() if k != "class"})


def _observations_to_tree(known: Observations) -> dict[str, Any]:
    return {
        "values": known.values,
        "name": name_to_tree(known.name),
        "index": index_to_tree(known.index),
        "exog": known.exog,
        "exog_names": list(known.exog_names),
    }


def _observations_from_tree(tree: Mapping[str, Any]) -> Observations:
    index, names = index_from_tree(tree["index"]), tuple(str(name) for name in tree["exog_names"])
    check_index(index)
    for values, *shape in ((tree["values"], len(index)), (tree["exog"], len(index), len(names))):
        _expect(values, *shape)
        if np.isinf(values).any():
            raise ValueError("infinite observations")
    return Observations(tree["values"], index, name_from_tree(tree["name"]), tree["exog"], names)


def _solution_to_tree(solution: Solution) -> dict[str, Any]:
    point, architecture = solution.point, solution.problem.architecture
    return {
        "beta": solution.problem.beta,
        # the point as it is: without its exogenous part the constant would be rounded
        "network": Network(architecture.sigma, architecture.depth, point).to_dict(),
        "exog_coef": point.exog_coef,
        "exog_anchors": point.exog_anchors,
        "parts": [_pieces(part) for part in point.known_parts or ()],
        "dual": None if solution.found_dual is None else solution.dual,
        "rounds": solution.rounds,
        "seconds": solution.seconds,
    }


def _pieces(part: PiecewiseLinear) -> dict[str, Any]:
    return {"points": part.points, "levels": part.levels, "inclines": part.inclines}


def _known_parts(
    trees: Sequence[Mapping[str, Any]], point: Coefficients, problem: LassoProblem
) -> tuple[PiecewiseLinear, ...]:
    """Functions of the columns, which must be those of the units up to rounding."""
    design, parts, eps = problem.design, [], np.finfo(float).eps
    steep = point.l1_norm + float(np.sum(np.abs(point.linear)))
    for tree, units, width in zip(trees, point.parts, design.widths, strict=True):
        points, levels, inclines = tree["points"], tree["levels"], tree["inclines"]
        for values, size in ((points, len(points)), (levels, len(points)), (inclines, len(points) + 1)):
            _expect(values, size)
        if not len(points) or not np.all(np.diff(points) > 0):
            raise ValueError("its pieces are not in order")
        parts.append(PiecewiseLinear(points, levels, inclines))
        if not _same(parts[-1], units, float(width), design.y_scale, 1e3 * eps * float(width) * steep):
            raise ValueError("its pieces are not those of its units")
    return tuple(parts)


def _same(
    part: PiecewiseLinear, units: PiecewiseLinear, width: float, y_scale: float, rounding: float
) -> bool:
    """Whether a function has no jumps and is that of the units, also beyond its points.

    Units lose digits where large ones cancel: that is what a function is kept for.
    """
    at = np.union1d(part.points, units.points)
    jumps = part.levels[:-1] + part.inclines[1:-1] * np.diff(part.points) - part.levels[1:]
    off = np.concatenate((part(at) - units(at), width * (part.inclines[[0, -1]] - units.inclines[[0, -1]])))
    whole = np.all(np.abs(jumps) <= 1e-9 * y_scale + rounding)
    return bool(whole and np.all(np.abs(off) <= 1e-4 * y_scale + rounding))  # NaN is refused


def _solution_from_tree(tree: Mapping[str, Any], problem: LassoProblem) -> Solution:
    network, architecture = Network.from_dict(tree["network"]), problem.architecture
    if (network.sigma, network.depth) != (architecture.sigma, architecture.depth):
        raise ValueError("its network is not of the architecture")
    p, q = problem.x.shape[1], problem.exog.shape[1]
    for values, size in ((network.linear, p), (tree["exog_coef"], q), (tree["exog_anchors"], q)):
        _expect(values, size)
    if tree["dual"] is not None:
        _expect(tree["dual"], len(problem.design.y))
    if not {_shape(unit) for unit in network.point.features} <= _shapes(architecture):
        raise ValueError("its units are not of the architecture")
    point = replace(network.point, exog_coef=tree["exog_coef"], exog_anchors=tree["exog_anchors"])
    if tree.get("parts"):
        point = replace(point, known_parts=_known_parts(tree["parts"], point, problem))
    unproven = Certificate(np.inf, -np.inf)
    penalised = problem.with_beta(tree["beta"])
    rounds, seconds = int(tree["rounds"]), float(tree["seconds"])
    solution = Solution(penalised, point, unproven, tree["dual"], rounds, seconds, None)
    with np.errstate(all="ignore"):
        proof = solution.verify()
    if not np.isfinite(proof.primal):
        raise ValueError("its coefficients overflow")
    return replace(solution, certificate=proof)


def _shapes(architecture: Architecture) -> set[tuple[Any, ...]]:
    """Return the shapes of the units of an architecture."""
    return {_shape(unit) for unit in architecture.dictionary(np.arange(3.0)).spanning()}


def _shape(unit: Unit) -> tuple[Any, ...]:
    return type(unit), getattr(unit, "widths", None), getattr(unit, "tree", None)


def _expect(values: Array, *shape: int) -> None:
    if not isinstance(values, np.ndarray) or values.shape != shape or values.dtype.kind != "f":
        raise ValueError(f"numbers of shape {shape} are expected, got {np.shape(values)}")
