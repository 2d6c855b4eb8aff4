"""Exceptions and warnings. Every message says what is wrong, what was got, and what to do."""

from collections.abc import Iterable


class CvxarError(Exception):
    """Base class of every exception raised on purpose by cvxar."""


class InputError(CvxarError, ValueError):
    """An argument or a data set that cannot be used as given."""


class InputTypeError(CvxarError, TypeError):
    """An argument of a type that cannot be used (for example text where numbers are meant)."""


class TooLargeError(InputError, MemoryError):
    """Data that do not fit into memory; raised before the memory is asked for."""


class ModelFileError(InputError):
    """A file that cannot be read as a saved model: missing, foreign, damaged, or of a later version."""


class NotFittedError(CvxarError, ValueError, AttributeError):
    """A result was asked of a model before ``fit``."""


class DownloadError(CvxarError, OSError):
    """Prices could not be downloaded.

    Attributes
    ----------
    reason : str
        One of ``"offline"``, ``"rate limit"``, ``"unknown symbol"``, ``"empty"``, ``"other"``.
    """

    def __init__(self, message: str, reason: str = "other") -> None:
        super().__init__(message)
        self.reason = reason


class SolverError(CvxarError, RuntimeError):
    """An exact answer could not be computed (never raised for a merely large gap)."""


class CalendarWarning(UserWarning):
    """Stamps could not be continued or followed, so that observations are counted by their positions."""


class FailureWarning(UserWarning):
    """A model of a backtest made no forecast at any origin."""


class CertificateWarning(UserWarning):
    """The solver stopped above the tolerance asked for; the certificate says what was reached."""


class PrecisionWarning(CertificateWarning):
    """The penalty is too small for the digits of the data: rounding alone exceeds the tolerance asked for."""


def unknown_name(what: str, got: object, known: Iterable[str]) -> InputError:
    """Build the error for a name that is not in a catalogue.

    Examples
    --------
    >>> str(unknown_name("loss", "squard", ["squared"]))
    "unknown loss 'squard'; known: 'squared'"
    """
    names = ", ".join(repr(name) for name in known)
    return InputError(f"unknown {what} {got!r}; known: {names}")
