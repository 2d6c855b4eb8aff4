r"""The rows of one sorted column, compressed where all features in play are linear.

Between neighbouring kinks every feature is linear, so that the inner products of features with each
other and with the target are those of two numbers a stretch of inputs: the coordinates along
:math:`\sqrt{w}` and :math:`\sqrt{w}\,(t - \bar t)`, normalised. A problem of m rows becomes one of twice
as many rows as there are stretches, without loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cvxar._typing import Array, IntArray
from cvxar.architectures import Unit


@dataclass(frozen=True)
class Segments:
    """Stretches of the sorted inputs ``knots`` (t in scaled units, ``root`` of the weights).

    ``starts``: first input of every stretch; the first stretch starts at 0. Coordinates (2 s,) are those
    along the constants of all stretches, then those along their slopes.
    """

    knots: Array
    t: Array
    root: Array
    starts: IntArray

    @property
    def stops(self) -> IntArray:
        """Last input of every stretch."""
        return np.append(self.starts[1:], len(self.t)) - 1

    @cached_property
    def _owner(self) -> IntArray:
        return np.repeat(np.arange(len(self.starts)), self.stops + 1 - self.starts)

    @cached_property
    def _frame(self) -> tuple[Array, Array, Array]:
        """Root of the weight, mean less the first input, root of the second moment of every stretch."""
        weight, offset = self.root * self.root, self._offset
        whole = np.add.reduceat(weight, self.starts)
        mean = np.add.reduceat(weight * offset, self.starts) / whole
        spread = np.add.reduceat(weight * (offset - mean[self._owner]) ** 2, self.starts)
        return np.sqrt(whole), mean, np.where(self.stops > self.starts, np.sqrt(spread), 0.0)

    @property
    def _offset(self) -> Array:
        """Inputs less the first of their stretch: exact, however far from the origin."""
        offset: Array = self.t - self.t[self.starts][self._owner]
        return offset

    @cached_property
    def _directions(self) -> tuple[Array, Array]:
        """Unit vectors of the stretches: entries along the constants and along the slopes."""
        whole, mean, spread = self._frame
        steep = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
        tilt = self.root * (self._offset - mean[self._owner]) * steep[self._owner]
        return self.root / whole[self._owner], tilt

    def compress(self, values: Array) -> Array:
        """Coordinates (2 s,) of the part of root-weighted values (m,) that is linear on stretches."""
        return np.concatenate([np.add.reduceat(values * d, self.starts) for d in self._directions])

    def spread(self, coords: Array) -> Array:
        """Root-weighted values (m,) of coordinates (2 s,)."""
        level, tilt = np.split(coords, 2)
        flat, steep = self._directions
        values: Array = level[self._owner] * flat + tilt[self._owner] * steep
        return values

    def columns(self, features: Sequence[Unit], scale: Array) -> Array:
        """Coordinates of features (2 s, p) that are linear on every stretch, multiplied by ``scale``."""
        whole, mean, spread = self._frame
        first, last = self.knots[self.starts], self.knots[self.stops]
        low = np.array([f(first) for f in features]).T * scale
        rise = np.array([f(last) for f in features]).T * scale - low
        length = self.t[self.stops] - self.t[self.starts]
        slope = np.divide(rise, length[:, None], out=np.zeros_like(rise), where=length[:, None] > 0)
        middle = low + slope * mean[:, None]
        return np.vstack([whole[:, None] * middle, spread[:, None] * slope])

    def split(self, features: Sequence[Unit]) -> "Segments":
        """Return finer stretches on which these features are linear as well."""
        kinks = [f.kinks().points for f in features]
        cuts = np.searchsorted(self.knots, np.concatenate([*kinks, np.empty(0)]), side="left")
        cuts = np.union1d(self.starts, cuts[cuts < len(self.knots)])
        return Segments(self.knots, self.t, self.root, cuts)

    def carried(self, older: "Segments", coords: Array) -> Array:
        """Coordinates here of columns (2 s', r) given on coarser stretches."""
        whole, mean, spread = self._frame
        whole_0, mean_0, spread_0 = older._frame
        own = np.searchsorted(older.starts, self.starts, side="right") - 1
        level, tilt = np.split(coords, 2)
        steep = np.divide(1.0, spread_0, out=np.zeros_like(spread_0), where=spread_0 > 0)[own]
        apart = (self.t[self.starts] - self.t[older.starts[own]]) + (mean - mean_0[own])
        value = level[own] / whole_0[own, None] + tilt[own] * (apart * steep)[:, None]
        return np.vstack([whole[:, None] * value, tilt[own] * (spread * steep)[:, None]])


def one_segment(knots: Array, t: Array, root: Array) -> Segments:
    """Return a single stretch: no kinks."""
    return Segments(knots, t, root, np.zeros(1, dtype=np.intp))
