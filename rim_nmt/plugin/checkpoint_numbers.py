"""Stand-ins for the numpy functions that a checkpoint names: they build numbers, nothing else.

numpy's own may be called in other ways than numpy calls them itself. `np.ndarray((1,), "O", bytes)`
is an array of pointers that the file chose, `np.ndarray((1000,))` is what was left in memory, and
the state of an `np.dtype` can declare numbers to be pointers afterwards.
"""

import math
import pickle
from typing import Any

import numpy as np

_KINDS = "b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".split()


class NumberType:
    """Stand-in for `np.dtype`: the type of a plain number.

    Args:
        name: numpy's short name of the type, such as "f8".
        _align, _copy: what numpy writes beside it, which says nothing about numbers.

    Attributes:
        dtype: the type itself.

    Raises:
        pickle.UnpicklingError: it is another type, such as an object.
    """

    def __init__(self, name: str, _align=False, _copy=True):
        if name not in _KINDS:
            raise pickle.UnpicklingError("a numpy type that is no type of numbers")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: tuple) -> None:
        _version, order, subtype, names, fields, *_ = state
        if order not in ("<", ">", "|", "=") or (subtype, names, fields) != (None, None, None):
            raise pickle.UnpicklingError("a numpy type that is no type of numbers")
        self.dtype = self.dtype.newbyteorder(order)


class NumberArray(np.ndarray):
    """Stand-in for `np.ndarray`: an empty array, whose state has to be that of an array of numbers.
    It is stored again as an `np.ndarray`."""

    def __new__(cls) -> "NumberArray":
        return super().__new__(cls, (0,), np.int8)

    def __setstate__(self, state: tuple) -> None:
        version, shape, kind, fortran_order, data = state
        kind = _number_type(kind)
        if not all(type(size) is int and size >= 0 for size in shape):
            raise pickle.UnpicklingError("a numpy array of sizes that are none")
        _check_length(data, math.prod(shape) * kind.itemsize)
        # numpy's stub asks for numpy's own bool, which numpy refuses here
        whole: Any = (version, tuple(shape), kind, bool(fortran_order), data)
        super().__setstate__(whole)

    def __reduce_ex__(self, protocol):
        return self.view(np.ndarray).__reduce_ex__(protocol)


def empty_array(*_) -> NumberArray:
    """Stand-in for numpy's `_reconstruct`, which makes an array whose state follows."""
    return NumberArray()


def number(kind: NumberType, data: bytes) -> np.generic:
    """Stand-in for numpy's `scalar`.

    Raises:
        pickle.UnpicklingError: `kind` is no type of numbers, or `data` has another length.
    """
    dtype = _number_type(kind)
    _check_length(data, dtype.itemsize)
    return np.frombuffer(data, dtype)[0]


def _number_type(kind) -> np.dtype:
    if not isinstance(kind, NumberType):
        raise pickle.UnpicklingError("numpy numbers that have no type")
    return kind.dtype


def _check_length(data, length: int) -> None:
    if type(data) is not bytes or len(data) != length:
        raise pickle.UnpicklingError(f"numpy numbers of another length than {length} bytes")


# by the names that numpy 2 and numpy 1 write
STAND_INS = {
    "numpy.dtype": NumberType,
    "numpy.ndarray": NumberArray,
    **{
        f"numpy.{core}.multiarray.{name}": function
        for core in ("_core", "core")
        for name, function in (("_reconstruct", empty_array), ("scalar", number))
    },
}
