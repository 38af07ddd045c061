"""RIM-NMT: Recurrent Independent Mechanisms, as a layer and in translation.

`RIM` needs PyTorch alone. `Translator`, and `open_model` for a packed one, need fairseq and the
rest of `rim-nmt[nmt]`. All are imported when they are first asked for.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rim_nmt.mechanism.stack import RIM
    from rim_nmt.translation.model_folder import open_model
    from rim_nmt.translation.translator import Translator

__version__ = "0.1.0"
__all__ = ["RIM", "Translator", "__version__", "open_model"]

_PLACES = {
    "RIM": "rim_nmt.mechanism.stack",
    "Translator": "rim_nmt.translation.translator",
    "open_model": "rim_nmt.translation.model_folder",
}


def __getattr__(name: str) -> object:
    """What is imported when it is first asked for.

    Raises:
        AttributeError: there is no such name.
        ImportError: it needs a library that is not installed.
    """
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(importlib.import_module(_PLACES[name]), name)
    except ModuleNotFoundError as error:
        if name == "RIM" or (error.name or "").split(".")[0] == __name__:
            raise
        raise ImportError(
            f"{name} needs {error.name}, which is not installed: pip install 'rim-nmt[nmt]'",
            name=error.name,
        ) from error
    globals()[name] = value  # from now on without this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
