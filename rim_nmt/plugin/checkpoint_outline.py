"""Read what a checkpoint says that it holds, before anything of it is built.

A small file can ask for any amount of memory: by packed content, by tensors that are larger than
their numbers, by calls. And torch gives a tensor that is larger than its numbers whatever is left
in memory. Here tensors are read as their shapes, and the file is refused where these do not fit.
"""

import _codecs
import argparse
import io
import math
import mmap
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import torch

from rim_nmt.errors import InputError
from rim_nmt.plugin.checkpoint_numbers import STAND_INS, NumberArray, NumberType

# A weight may have several names and views, so tensors may hold more than the file. Not much more.
MOST_TIMES_THE_FILE = 10


# What torch's own reader of pickles knows; the others build and call in more ways.
_OPERATIONS = [
    getattr(pickle, name)[0]
    for name in """
    APPEND APPENDS BINFLOAT BINGET BININT BININT1 BININT2 BINPERSID BINPUT BINUNICODE EMPTY_DICT
    EMPTY_LIST EMPTY_TUPLE GLOBAL LONG1 LONG_BINGET LONG_BINPUT MARK NEWFALSE NEWOBJ NEWTRUE NONE
    PROTO SHORT_BINSTRING STOP TUPLE TUPLE1 TUPLE2 TUPLE3
    """.split()
]


class CheckpointError(InputError, pickle.UnpicklingError):
    """A checkpoint that is damaged, is none, or holds what no checkpoint holds."""


@dataclass(frozen=True)
class Storage:
    """Numbers in the file: `numel` of `itemsize` bytes."""

    key: str
    itemsize: int
    numel: int


@dataclass(frozen=True)
class Tensor:
    """A tensor as the file describes it."""

    storage: Storage
    shape: tuple[int, ...]
    view: tuple  # where its numbers are in the storage

    @property
    def numel(self) -> int:
        return math.prod(self.shape)


def read_outline(path: Path):
    """The content of a checkpoint, with `Tensor` in place of every tensor.

    Args:
        path: a file in either format of `torch.save`.

    Raises:
        CheckpointError: the file is damaged or no checkpoint, names what no checkpoint of fairseq
            holds, or would take far more memory than its size.
    """
    try:
        size = path.stat().st_size
        if not size:
            raise CheckpointError("the file is empty")
        with path.open("rb") as file:
            read = _read_zip if is_zip(path) else _read_legacy
            return read(file, size)
    except CheckpointError as error:
        raise CheckpointError(f"{path} cannot be loaded: {one_line(error)}") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from None
    except Exception as error:  # a damaged file can fail anywhere
        raise CheckpointError(
            f"{path} cannot be loaded: it is damaged or no checkpoint ({one_line(error)})"
        ) from None


def is_zip(path: Path) -> bool:
    """Whether a file has the newer format of `torch.save`."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def one_line(error: Exception) -> str:
    """What an error says, on one line that is not too long."""
    text = " ".join(str(error).split())
    if not isinstance(error, InputError):
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text if len(text) <= 400 else f"{text[:400]}..."


def _read_zip(file, size: int):
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        sizes = {entry.filename: entry.file_size for entry in entries}
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise CheckpointError("its content is packed, which torch.save never does")
        if len(sizes) < len(entries) or sum(sizes.values()) > size:
            raise CheckpointError(f"it claims to hold more than its {size} bytes")
        folder = entries[0].filename.partition("/")[0]
        if f"{folder}/data.pkl" not in sizes:
            raise CheckpointError("it is a zip file, but not one that torch.save wrote")
        unpickler = _Unpickler(io.BytesIO(archive.read(f"{folder}/data.pkl")), size)
    content = unpickler.load()
    for storage in unpickler.storages.values():
        _check_size(storage, sizes.get(f"{folder}/data/{storage.key}"))
    return content


def _check_size(storage: Storage, found: int | None) -> None:
    if found != storage.numel * storage.itemsize:
        raise CheckpointError(
            f"its part {storage.key} should have {storage.numel * storage.itemsize} bytes "
            f"and has {found}"
        )


def _read_legacy(file, size: int):
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        magic = pickle.dumps(torch.serialization.MAGIC_NUMBER, protocol=2)
        if data.read(len(magic)) != magic:
            raise CheckpointError("it is no checkpoint: torch.save did not write it")
        for _ in ("protocol", "system"):
            _Unpickler(data, size).load()
        unpickler = _Unpickler(data, size)
        content = unpickler.load()
        keys = _Unpickler(data, size).load()
        if type(keys) is not list or not all(type(key) is str for key in keys):
            raise CheckpointError("its list of parts is none")
        if sorted(keys) != sorted(unpickler.storages):
            raise CheckpointError("its list of parts does not fit its content")
        for key in keys:  # the number of items, then the items
            storage = unpickler.storages[key]
            (numel,) = struct.unpack("<q", data.read(8))
            _check_size(storage, numel * storage.itemsize)
            if numel * storage.itemsize > size - data.tell():
                raise CheckpointError(f"it ends in the middle of its part {key}")
            data.seek(numel * storage.itemsize, io.SEEK_CUR)
    return content


# What Python's own unpickler does for each operation.
_BY_PICKLE: dict[int, Callable[[Any], None]] = pickle._Unpickler.dispatch


class _Unpickler(pickle._Unpickler):  # in Python: the one in C takes memory that a file asks for
    """Calls nothing but what `_KNOWN` has, and not so that the results outgrow the file."""

    stack: list[Any]  # pickle's own

    def __init__(self, file, size: int):
        super().__init__(file, encoding="utf-8")
        self.size = size
        self.given = 0  # items given to calls
        self.views: set[tuple] = set()  # the different tensors
        self.needed = 0  # and their bytes
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str):
        known = _KNOWN.get(f"{module}.{name}")
        if known is None:
            raise CheckpointError(f"it names {module}.{name}, which no checkpoint of fairseq holds")
        return known

    def persistent_load(self, pid) -> Storage:
        kind, itemsize, key, _location, numel, *view = pid
        if (kind, type(itemsize), type(key)) != ("storage", _ItemSize, str) or not _naturals(numel):
            raise CheckpointError("it refers to something that is no part of it")
        storage = Storage(key, itemsize.bytes, numel)
        if self.storages.setdefault(storage.key, storage) != storage:
            raise CheckpointError(f"its part {key} has two sizes")
        if view and view[0] is not None:  # a part of it, in the older format
            _view_key, start, length = view[0]
            if not _naturals(start, length) or start + length > numel:
                raise CheckpointError(f"a view outside of its part {key}")
            return replace(storage, key=f"{key} from {start}", numel=length)
        return storage

    def load_reduce(self) -> None:
        self._count(self.stack[-1])
        _BY_PICKLE[pickle.REDUCE[0]](self)
        result = self.stack[-1]
        if isinstance(result, Tensor):
            view = (result.storage.key, result.view)
            if view not in self.views:
                self.views.add(view)
                self.needed += result.numel * result.storage.itemsize
            if self.needed > MOST_TIMES_THE_FILE * self.size:
                raise CheckpointError(f"its tensors need far more than its {self.size} bytes")

    def load_build(self) -> None:
        state, built = self.stack[-1], self.stack[-2]
        plain = type(built) in (OrderedDict, argparse.Namespace) and isinstance(state, dict)
        if not plain and type(built) not in (NumberType, NumberArray):
            raise CheckpointError(f"it changes what it holds, a {type(built).__name__}")
        self._count(state)
        _BY_PICKLE[pickle.BUILD[0]](self)

    def _count(self, arguments) -> None:
        """What stands once in the file can be given to any number of calls that copy it."""
        parts = arguments if isinstance(arguments, tuple) else (arguments,)
        self.given += sum(
            len(part) for part in parts if isinstance(part, (str, bytes, list, tuple, dict))
        )
        if self.given > self.size:
            raise CheckpointError(f"it unpacks to far more than its {self.size} bytes")

    def load_setitem(self) -> None:
        _check_keys(self.stack[-2:-1])
        _BY_PICKLE[pickle.SETITEM[0]](self)

    def load_setitems(self) -> None:
        _check_keys(self.stack[::2])
        _BY_PICKLE[pickle.SETITEMS[0]](self)

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        **{operation: _BY_PICKLE[operation] for operation in _OPERATIONS},
        pickle.REDUCE[0]: load_reduce,
        pickle.BUILD[0]: load_build,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
    }


def _check_keys(keys) -> None:
    """Other keys take time without end to be looked up, where they contain each other."""
    for key in keys:
        if not isinstance(key, (str, bytes, int, float, type(None))):
            raise CheckpointError(f"it has a {type(key).__name__} as a key")


def _ordered(items=()) -> OrderedDict:
    _check_keys(key for key, _ in items)
    return OrderedDict(items)


@dataclass(frozen=True)
class _ItemSize:
    """In place of a class of storages."""

    bytes: int


def _tensor(storage, offset, shape, stride, requires_grad=False, hooks=None, metadata=None):
    shape, stride = tuple(shape), tuple(stride)
    if type(storage) is not Storage or not _naturals(offset, *shape, *stride) or hooks or metadata:
        raise CheckpointError("it holds a tensor of another kind than fairseq's")
    last = sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
    elements = math.prod(shape)
    if elements and (offset + last >= storage.numel or elements > storage.numel):
        raise CheckpointError(
            f"a tensor of shape {shape} is larger than its part {storage.key}, "
            f"which has {storage.numel} numbers"
        )
    return Tensor(storage, shape, (offset, shape, stride))


def _parameter(data, requires_grad=True, hooks=None):
    if type(data) is not Tensor or hooks:
        raise CheckpointError("it holds a parameter of another kind than fairseq's")
    return data


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":  # the way of bytes into the older pickles
        raise CheckpointError("it holds bytes in another encoding than pickle's")
    return _codecs.encode(text, encoding)


def _naturals(*values) -> bool:
    return all(type(value) is int and value >= 0 for value in values)


# What checkpoints of fairseq hold besides numbers, texts and plain containers.
_KNOWN = {
    "argparse.Namespace": argparse.Namespace,
    "collections.OrderedDict": _ordered,
    "_codecs.encode": _encode,
    "torch.Size": tuple,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    **{
        f"{place}.{name}": _ItemSize(dtype.itemsize)
        for dtype, name in torch.storage._dtype_to_storage_type_map().items()
        for place in ("torch", "torch.cuda")
    },
    **STAND_INS,
}
