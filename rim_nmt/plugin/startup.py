"""A faster start: fairseq's tasks for other purposes import scikit-learn and SciPy, which take as
long to load as PyTorch, for a few functions that translation never calls."""

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType

_PACKAGE, _MODULES = "sklearn", ("sklearn.metrics", "scipy.stats")


class _Deferred(ModuleType):
    """Has every function of the module of its name, which is imported when one is called."""

    def __getattr__(self, name: str) -> Callable:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*arguments, **options):
            return getattr(importlib.import_module(self.__name__), name)(*arguments, **options)

        return call


@contextlib.contextmanager
def deferring() -> Iterator[None]:
    """While fairseq is imported, the two have stand-ins. What is loaded already stays as it is."""
    stand_ins: dict[str, ModuleType] = {}
    if not any(name in sys.modules for name in (_PACKAGE, *_MODULES)):
        stand_ins = {name: _Deferred(name) for name in _MODULES}
        package = ModuleType(_PACKAGE)
        package.metrics = stand_ins["sklearn.metrics"]  # type: ignore[attr-defined]
        stand_ins[_PACKAGE] = package
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
