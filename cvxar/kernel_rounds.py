"""Compiled rounds of the one-column solver: price, add kinks, settle (see ``kernels`` for the letters)."""

import numpy as np

from cvxar.kernel_cache import compiled
from cvxar.kernel_settle import fresh_sums, refine, segment_sums, settle_aggressively, settle_monotonically
from cvxar.kernels import WEIGHT, hinge_correlations, price_cells, residual_sums

CREDIT = 3  # rounds in a row that may leave the objective above the least one
# new nodes with which a monotone settlement, which drops nodes one by one, is cheaper than more rounds
FEW = 8


@compiled
def evaluate(anchor, moments, nodes, value, slope, tilted, beta, cost, skip, sums, hinge):
    """Objective, gap, kink limit and midpoint of a state; fills ``sums`` and ``hinge``."""
    energy, least, most = price_cells(anchor, moments, nodes, value, slope, sums, hinge)
    middle = hinge[0] / 2
    peak = max(most - middle, middle - least)
    return price(nodes, slope, tilted, beta, cost, skip, hinge, energy, peak)


@compiled
def price(nodes, slope, tilted, beta, cost, skip, hinge, energy, peak):
    """As :func:`evaluate`, given the energy, F, and a bound on the correlations of kinks.

    The gap is a sum of terms that are not negative up to rounding (see ``nodal_search.price``).
    """
    whole = 0.0 if skip else hinge[0]
    bound = (peak + (cost - 0.5) * abs(whole)) / cost
    scale = min(1.0, beta / bound) if bound > 0 else 1.0
    norm = norm_of(slope, tilted, cost, skip)
    gap = (1 - scale) ** 2 / 2 * energy + beta * norm - scale * reward_of(nodes, slope, tilted, hinge, whole)
    limit = beta * cost - (cost - 0.5) * abs(whole)
    return energy / 2 + beta * norm, max(gap, 0.0), limit, hinge[0] / 2


@compiled
def peak_of(hinge):
    """Largest correlation of a kink."""
    peak, middle = 0.0, hinge[0] / 2
    for i in range(len(hinge)):
        peak = max(peak, abs(hinge[i] - middle))
    return peak


@compiled
def norm_of(slope, tilted, cost, skip):
    """Least l1 norm of a function with these slopes (``tilted`` was taken off them)."""
    variation = 0.0
    for k in range(1, len(slope)):
        variation += abs(slope[k] - slope[k - 1])
    ends = abs(slope[0] + slope[-1] + 2 * tilted)
    return cost * variation if skip else max(cost * variation, (variation + ends) / 2)


@compiled
def reward_of(nodes, slope, tilted, hinge, whole):
    """Correlation of a function, less a constant, with the dual vector behind ``hinge``."""
    reward = whole * (slope[0] + slope[-1] + 2 * tilted) / 2
    for k in range(1, len(nodes) - 1):
        reward += (slope[k] - slope[k - 1]) * (hinge[nodes[k]] - hinge[0] / 2)
    return reward


@compiled
def proven(anchor, moments, nodes, value, slope, dual, tilted, beta, cost, skip):
    """Objective and gap of a state of single points, proven by any dual vector near its residuals.

    ``dual`` (one number a point) is first made orthogonal to the unpenalised functions, exactly up to the
    rounding of its own sums, by changes at its two ends; then scaled until no unit correlates by more
    than beta. With residuals r and weights w the gap of the scaled vector c dual is

        sum (w r - c dual)^2 / (2 w) + beta norm - c <dual, f>.
    """
    sums, hinge = np.zeros((len(anchor), 2)), np.empty(len(anchor))
    sums[:, 0] = dual
    if skip:
        hinge_correlations(anchor, sums, hinge)
        sums[-1, 0] -= hinge[0] / (anchor[-1] - anchor[0])
    sums[0, 0] -= np.sum(sums[:, 0])
    hinge_correlations(anchor, sums, hinge)
    bound = (peak_of(hinge) + (cost - 0.5) * abs(hinge[0])) / cost
    scale = min(1.0, beta / bound) if bound > 0 else 1.0
    found = sums[:, 0].copy()
    residual_sums(anchor, moments, nodes, value, slope, sums)
    energy, left = 0.0, 0.0
    for i in range(len(anchor)):
        energy += sums[i, 0] * sums[i, 0] / moments[i, WEIGHT]
        rest = sums[i, 0] - scale * found[i]
        left += rest * rest / moments[i, WEIGHT]
    penalty = beta * norm_of(slope, tilted, cost, skip)
    gap = left / 2 + penalty - scale * reward_of(nodes, slope, tilted, hinge, hinge[0])
    return energy / 2 + penalty, max(gap, 0.0)


@compiled
def appraise(anchor, moments, state, common, sums, hinge, closely):
    """State and what :func:`evaluate` says of it; ``closely``: after a refinement of its residuals."""
    nodes, value, slope, sign, tilt = state
    if not closely:
        return state, evaluate(anchor, moments, nodes, value, slope, *common, sums, hinge)
    energy = residual_sums(anchor, moments, nodes, value, slope, sums)
    step, change, tilt = refine(anchor, moments, nodes, slope, sign, tilt, *common, sums)
    value, slope = value + step, slope + change
    hinge_correlations(anchor, sums, hinge)
    priced = price(nodes, slope, *common, hinge, energy, peak_of(hinge))
    return (nodes, value, slope, sign, tilt), priced


@compiled
def violations(anchor, nodes, hinge, middle, limit, quota):
    """Cells to become nodes: the best of every run beyond the limit, at most ``quota`` in all."""
    bar = limit * (1 + 1e-10)
    found, excess = np.empty(len(anchor), np.int64), np.empty(len(anchor))
    count = 0
    for k in range(len(nodes) - 1):
        i, stop = nodes[k] + 1, nodes[k + 1]
        while i < stop:
            size = abs(hinge[i] - middle)
            if size <= bar:
                i += 1
                continue
            best, above = i, hinge[i] > middle
            i += 1
            while i < stop and abs(hinge[i] - middle) > bar and (hinge[i] > middle) == above:
                if abs(hinge[i] - middle) > size:
                    best, size = i, abs(hinge[i] - middle)
                i += 1
            if _apart(anchor, nodes, k, best, found, count):
                found[count], excess[count] = best, size
                count += 1
    total = count
    if count > quota:
        edge, count = edge_of(excess, total, quota), 0
        for j in range(total):
            if excess[j] >= edge and count < quota:
                found[count] = found[j]
                count += 1
    return found[:count].copy(), total


@compiled
def edge_of(excess, total, quota):
    """Largest bar, to a billionth, that at least ``quota`` of the first ``total`` numbers reach."""
    low, high = 0.0, 0.0  # no library sort: it takes seconds to compile
    for j in range(total):
        high = max(high, excess[j])
    while high - low > 1e-9 * high:
        middle, above = (low + high) / 2, 0
        for j in range(total):
            above += excess[j] >= middle
        if above >= quota:
            low = middle
        else:
            high = middle
    return low


@compiled
def _apart(anchor, nodes, k, i, found, count):
    """Whether a candidate keeps its distance from the nodes beside it and the candidate before it.

    The distance is some roundings of the anchor itself: beside an outlier all others are close together.
    """
    here = anchor[i]
    close = max(2.3e-13 * abs(here), 1e-17)
    if here - anchor[nodes[k]] <= close or anchor[nodes[k + 1]] - here <= close:
        return False
    return count == 0 or here - anchor[found[count - 1]] > close


@compiled
def add_nodes(anchor, nodes, value, slope, sign, found, hinge, middle):
    """Add the cells ``found`` (increasing) as nodes of the same function, signed by their correlation."""
    count = len(nodes) + len(found)
    new_nodes, new_value = np.empty(count, nodes.dtype), np.empty(count)
    new_slope, new_sign = np.empty(count - 1), np.empty(count)
    j = 0
    for k in range(len(nodes)):
        new_nodes[k + j], new_value[k + j], new_sign[k + j] = nodes[k], value[k], sign[k]
        if k == len(slope):
            break
        new_slope[k + j] = slope[k]
        while j < len(found) and found[j] < nodes[k + 1]:
            i = found[j]
            j += 1
            new_nodes[k + j] = i
            new_value[k + j] = value[k] + slope[k] * (anchor[i] - anchor[nodes[k]])
            new_sign[k + j] = 1.0 if hinge[i] > middle else -1.0
            new_slope[k + j] = slope[k]
    return new_nodes, new_value, new_slope, new_sign


@compiled
def worse(priced, bar):
    """Whether the objective and an offset exceed a bar, and the gap another.

    Beside an outlier the objective rises by rounding where the gap closes: the gap is the better judge.
    """
    return priced[0] + bar[1] > bar[0] and priced[1] >= bar[2]


@compiled
def widen(anchor, moments, state, common, sums, hinge, limit, middle, quota, bar, closely):
    """Add nodes and settle; the state, what :func:`evaluate` says of it, and the number of violations."""
    found, total = violations(anchor, state[0], hinge, middle, limit, quota)
    wider = add_nodes(anchor, *state[:4], found, hinge, middle)
    segments = segment_sums(anchor, moments, sums, wider[0])  # adding nodes has left the sums as they were
    trial = settle_aggressively(anchor, segments.copy(), *wider, state[4], *common)
    trial, priced = appraise(anchor, moments, trial, common, sums, hinge, closely)
    if len(found) <= FEW and worse(priced, bar):
        trial = settle_monotonically(anchor, segments, *wider, state[4], *common)
        trial, priced = appraise(anchor, moments, trial, common, sums, hinge, closely)
    return trial, priced, total


@compiled
def search(
    anchor,
    moments,
    nodes,
    value,
    slope,
    sign,
    tilt,
    tilted,
    beta,
    cost,
    skip,
    offset,
    tol,
    exact,
    floor,
    rounds,
):
    """Run the rounds of ``nodal_search.Search`` on cells; returns the best state and what it reached."""
    sums, hinge = np.empty((len(anchor), 2)), np.empty(len(anchor))
    common = (tilted, beta, cost, skip)
    segments = fresh_sums(anchor, moments, nodes, value, slope)
    state = settle_aggressively(anchor, segments, nodes, value, slope, sign, tilt, *common)
    primal, gap, limit, middle = evaluate(anchor, moments, *state[:3], *common, sums, hinge)
    best, least = state, (state, primal)
    best_gap, quota, stalled, credit, done = gap, len(anchor), 0, CREDIT, 0
    while done < rounds:
        done += 1
        goal = least[1] + offset
        if gap <= exact * goal + floor or stalled > (0 if gap <= tol * goal + floor else 10):
            break
        bar = (goal * (1 + 1e-14) + floor, offset, 0.5 * best_gap)
        trial, priced, total = widen(
            anchor, moments, state, common, sums, hinge, limit, middle, quota, bar, stalled > 0
        )
        p2, g2 = priced[0], priced[1]
        falls = p2 + offset < goal * (1 - 1e-13) or g2 < 0.5 * best_gap
        stalled = 0 if falls else stalled + 1
        if credit == 0 and worse(priced, bar):
            state, quota = least[0], max(1, min(quota, total) // 4)
            primal, gap, limit, middle = evaluate(anchor, moments, *state[:3], *common, sums, hinge)
            continue
        state, (primal, gap, limit, middle) = trial, priced
        if worse(priced, bar):  # most rises are made good for by the next rounds
            credit -= 1
        else:
            quota = min(2 * quota, len(anchor)) if falls else max(1, quota // 4)
            credit = CREDIT if falls else 0
            least = (state, primal)
        if gap <= best_gap:
            best, best_gap = state, gap
    return best, best_gap, done
