"""The front door: what `import rim_nmt` gives, and what it needs."""

import re
import subprocess
import sys
import tomllib

import pytest

import rim_nmt
from tests.conftest import ROOT

# Stands in for an environment with torch and what torch needs, numpy apart, which it can do without
ONLY_TORCH = """
import importlib.abc, sys

KNOWN = {*sys.stdlib_module_names, "torch", "torchgen", "functorch", "triton", "typing_extensions",
         "sympy", "mpmath", "networkx", "jinja2", "markupsafe", "fsspec", "filelock", "rim_nmt",
         "_distutils_hack", "setuptools"}

class NothingElse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in KNOWN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NothingElse())
"""


def run(code: str) -> str:
    """What Python prints that has torch and little else."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ONLY_TORCH + code],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_imports_nothing_else():
    code = "import rim_nmt; print(rim_nmt.__version__, 'torch' in sys.modules)"
    assert run(code) == f"{rim_nmt.__version__} False\n"


def test_the_layer_needs_torch_alone():
    code = """
from rim_nmt import RIM
import torch
for kernel in ("plain", "auto"):
    layer = RIM(8, 12, num_layers=2, bidirectional=True, kernel=kernel)
    layer(torch.randn(3, 2, 8))[0].sum().backward()
import rim_nmt.mechanism
others = {name.partition(".")[2].partition(".")[0] for name in sys.modules if "rim_nmt." in name}
print(sorted(others), "numpy" in sys.modules)
"""
    assert run(code) == "['errors', 'mechanism', 'runtime'] False\n"


def test_the_translator_says_what_it_needs():
    code = """
for form in ("from rim_nmt import Translator", "import rim_nmt; rim_nmt.Translator"):
    try:
        exec(form)
    except ImportError as error:
        print(error)
"""
    first, second = run(code).splitlines()
    assert re.fullmatch(
        r"Translator needs \w+, which is not installed: pip install 'rim-nmt\[nmt\]'", first
    )
    assert first == second


def test_translating_needs_no_more_than_its_extra():
    """Of what the other extras bring, all of the translating rooms but pictures need nothing."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    others = {
        re.match(r"[\w-]+", one).group().replace("-", "_")
        for extra in ("data", "experiments", "dev")
        for one in project["optional-dependencies"][extra]
    } - {"rim_nmt", "filelock", "scipy"}  # torch brings filelock; fairseq, scikit-learn with SciPy
    code = f"""
import importlib, pkgutil, sys
for name in {sorted(others)}:
    sys.modules[name] = None  # importing it is an ImportError
for room in ("models", "plugin", "translation"):
    folder = importlib.import_module(f"rim_nmt.{{room}}")
    for module in pkgutil.iter_modules(folder.__path__, f"{{folder.__name__}}."):
        try:
            importlib.import_module(module.name)
        except ImportError as error:
            print(module.name)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, check=True
    )
    assert done.stdout.decode().split() == ["rim_nmt.translation.picture"]


def test_names_are_listed_and_others_refused():
    assert {"RIM", "Translator", "__version__", "open_model"} == set(rim_nmt.__all__)
    assert set(rim_nmt.__all__) <= set(dir(rim_nmt))
    namespace: dict = {}
    exec("from rim_nmt import *", namespace)
    assert namespace["RIM"] is rim_nmt.RIM
    with pytest.raises(AttributeError, match="module 'rim_nmt' has no attribute 'LSTM'"):
        rim_nmt.LSTM  # noqa: B018
    with pytest.raises(ImportError):
        from rim_nmt import LSTM  # noqa: F401


def test_requirements_are_the_extras_pinned():
    """Every package that an extra names is pinned in requirements.txt and in constraints.txt."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [re.match(r"[\w-]+", one).group() for one in project["dependencies"]] == ["torch"]

    def names(lines) -> set[str]:
        found = (re.match(r"[A-Za-z][\w-]*", line) for line in lines)
        return {name.group().lower().replace("_", "-") for name in found if name}

    extras = {name for extra in project["optional-dependencies"].values() for name in names(extra)}
    for file in ("requirements.txt", "constraints.txt"):
        lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
        assert all("==" in line for line in lines if line[:1] not in ("", "#"))
        assert extras - {"rim-nmt"} <= names(lines), file
    wanted = names((ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines())
    # triton is what torch for GPUs brings
    assert wanted - {"torch", "triton"} <= extras
