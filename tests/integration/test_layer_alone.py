"""The layer from a built wheel, in an environment that has torch and nothing else."""

import os
import sys
from importlib.metadata import distribution, requires

import pytest

from tests.integration.conftest import run

# What torch itself asks for; numpy is optional there and left out.
NEEDED = ("torch", "filelock", "typing_extensions", "setuptools", "sympy", "mpmath", "networkx")
NEEDED += ("jinja2", "MarkupSafe", "fsspec")

TRAIN = """
import importlib.util, logging, pathlib, sys
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
for name in ("fairseq", "rich", "requests", "sentencepiece", "datasets", "numpy"):
    assert importlib.util.find_spec(name) is None, name
try:
    import fairseq
except ImportError:
    print("no fairseq")

import torch
import rim_nmt
from rim_nmt import RIM

home = pathlib.Path(rim_nmt.__file__).parent
assert home.is_relative_to(sys.prefix), home
assert (home / "py.typed").is_file()
torch.manual_seed(1)
layer = RIM(16, 24, num_layers=2, bidirectional=True, batch_first=True)
optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
x, losses = torch.randn(4, 7, 16), []
for _ in range(2):
    output, (h, c) = layer(x)
    loss = (output - 0.1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
assert losses[1] < losses[0], losses
try:
    rim_nmt.Translator
except ImportError as error:
    print(error)
"""


@pytest.mark.slow
def test_the_wheel_trains_a_layer_beside_torch_alone(wheel, tmp_path):
    venv, links = tmp_path / "venv", tmp_path / "links"
    run(sys.executable, "-m", "venv", venv)
    links.mkdir()
    for name in NEEDED:
        about = distribution(name)
        for top in {file.parts[0] for file in about.files or () if file.parts[0] != ".."}:
            if top not in ("__pycache__", "distutils-precedence.pth"):
                (links / top).symlink_to(about.locate_file(top))
    (packages,) = venv.glob("lib/python*/site-packages")
    (packages / "torch.pth").write_text(f"{links}\n", encoding="utf-8")
    python = venv / "bin/python"
    # no --no-deps: the wheel asks for nothing but torch
    pip = [python, "-m", "pip", "--disable-pip-version-check", "-q"]
    run(*pip, "uninstall", "--yes", "setuptools")  # an old one, which would hide the link
    run(*pip, "install", "--no-index", wheel)

    environment = {name: os.environ[name] for name in ("PATH", "CXX") if name in os.environ}
    environment |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    printed = run(python, "-c", TRAIN, cwd=tmp_path, env=environment).splitlines()
    assert "no fairseq" in printed
    assert "RIM layers are computed by the compiled kernel" in printed
    assert printed[-1].startswith("Translator needs ")
    assert printed[-1].endswith("pip install 'rim-nmt[nmt]'")
    assert len(list((tmp_path / "cache/rim_nmt/kernels").glob("cpu-*.so"))) == 1


def test_torch_asks_for_what_the_environment_links():
    asked = {one.split(";")[0].split(">")[0].split("=")[0].strip() for one in requires("torch")
             if ";" not in one}  # fmt: skip
    assert asked <= {name.replace("_", "-") for name in NEEDED}
