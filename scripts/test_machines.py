#!/usr/bin/env python3
"""Run the tests as other machines would: with other processors, folders, locales and users.

scripts/test_machines.py             # every machine
scripts/test_machines.py NAME ...    # some of them

Each is an environment and the tests whose outcome it can change. What they print is kept in
runs/machines/NAME.log. A machine that cannot be had here is skipped, with the reason.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "runs" / "machines"

RIM = "tests/mechanism/test_rim.py tests/mechanism/test_parts.py"
KERNEL = f"{RIM} tests/mechanism/kernels/test_cpu.py tests/mechanism/kernels/test_cpu_input.py"
MODELS = "tests/models/test_model.py tests/models/test_multilingual.py"
BFLOAT16 = "tests/plugin/test_fixes.py tests/plugin/test_processor.py"
TEXT = (
    "tests/data tests/runtime tests/cli tests/toy tests/translation tests/integration/test_demo.py"
)
DOWNLOADS = "tests/data/test_download.py tests/data/test_wmt14.py tests/data/test_iwslt14.py"
COMMANDS = "tests/integration/test_end_to_end.py"
EXPERIMENTS = "tests/experiments/table8/test_report.py tests/experiments/test_training_cell.py"


class NotHere(Exception):
    """Why this machine cannot be had."""


@dataclass
class Machine:
    """How it differs from this one."""

    environment: dict[str, str | None] = field(default_factory=dict)  # None: is not set
    folder: Path = ROOT  # the clone
    user: list[str] = field(default_factory=list)  # the command that runs others as this user
    make: bool = False  # what is in the clone's own .venv, which `make` installs


# Each of these is called with an empty folder of its own.


def variables(**environment: str | None) -> Callable[[Path], Machine]:
    return lambda work: Machine(environment)


def own_home(**environment: str | None) -> Callable[[Path], Machine]:
    """Nothing in the user's home, and the code itself chooses where its caches are."""
    return lambda work: Machine({**USERS_CACHES, "HOME": str(work), **environment})


def without_compiler(work: Path) -> Machine:
    """Every program of PATH, but no compiler; and no kernel from before."""
    compiler = re.compile(r"(.*-)?(g\+\+|gcc|c\+\+|cc|c89|c99|clang(\+\+)?)(-[\d.]+)?")
    (work / "bin").mkdir()
    for folder in os.environ["PATH"].split(os.pathsep):
        for program in Path(folder).glob("*"):
            link = work / "bin" / program.name
            if not compiler.fullmatch(program.name) and not os.path.lexists(link):
                link.symlink_to(program)
    return Machine({"PATH": str(work / "bin"), "CXX": None, "RIM_TEST_CACHE": str(work / "cache")})


def latin1(work: Path) -> Machine:
    name = "en_US.ISO-8859-1"
    if not shutil.which("localedef"):
        raise NotHere("there is no localedef")
    made = subprocess.run(
        ["localedef", "-i", "en_US", "-f", "ISO-8859-1", work / name],
        capture_output=True,
        text=True,
    )
    if made.returncode:
        raise NotHere(f"localedef: {made.stderr.splitlines()[-1]} (apt-get install locales)")
    return Machine({"LOCPATH": str(work), "LC_ALL": name, "PYTHONUTF8": "0"})


def user(number: int) -> list[str]:
    """The command that runs others as a user other than root, who can read everything, so that
    Python may be in root's home, and write only what is theirs."""
    if os.geteuid():
        return []
    command = ["setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups"]
    command += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    if subprocess.run([*command, "true"], capture_output=True).returncode:
        raise NotHere("root cannot become another user: setpriv fails")
    return command


def copy_of_clone(folder: Path) -> Path:
    """What is under version control or could be."""
    left_out = {".git", ".venv", "data", "checkpoints", "runs", ".pytest_cache", ".ruff_cache"}

    def ignored(where: str, names: list[str]) -> set[str]:
        return left_out & set(names) if Path(where) == ROOT else {"__pycache__"} & set(names)

    return Path(shutil.copytree(ROOT, folder, ignore=ignored))


def not_root(number: int = 65534, own: bool = True, **environment: str | None):
    """Another user: of a clone and a home that are their own, or that they can only read."""

    def machine(work: Path) -> Machine:
        home = work / "home"
        home.mkdir()
        clone = copy_of_clone(work / "clone")
        work.chmod(0o755)
        if own:
            if os.geteuid() == 0:
                for path in (work, *work.rglob("*")):
                    os.chown(path, number, number)
        else:
            for path in (home, clone, *clone.rglob("*")):
                path.chmod(path.stat().st_mode & ~0o222)
        return Machine({"HOME": str(home), **environment}, clone, user(number))

    return machine


def other_path(work: Path) -> Machine:
    return Machine(
        {}, copy_of_clone(work / os.fsdecode("Ein Ordner für Klone".encode())), make=True
    )


# caches are where the code itself has them
USERS_CACHES = {
    **dict.fromkeys(("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HF_HOME", "MPLCONFIGDIR", "TORCH_HOME")),
    "RIM_TEST_CACHE": "",
}
DEAD_PROXY = dict.fromkeys(
    ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"), "http://127.0.0.1:9"
)

MACHINES: dict[str, tuple[Callable[[Path], Machine], str]] = {
    "onednn-sse41": (variables(ONEDNN_MAX_CPU_ISA="SSE41"), f"{MODELS} {BFLOAT16}"),
    "onednn-avx2": (variables(ONEDNN_MAX_CPU_ISA="AVX2"), f"{MODELS} {BFLOAT16}"),
    "onednn-avx512": (variables(ONEDNN_MAX_CPU_ISA="AVX512_CORE"), f"{MODELS} {BFLOAT16}"),
    "aten-default": (variables(ATEN_CPU_CAPABILITY="default"), f"{KERNEL} {MODELS} {BFLOAT16}"),
    "aten-avx2": (variables(ATEN_CPU_CAPABILITY="avx2"), f"{KERNEL} {MODELS} {BFLOAT16}"),
    "kernel-v2": (variables(RIM_KERNEL_MARCH="x86-64-v2"), KERNEL),
    "kernel-v3": (variables(RIM_KERNEL_MARCH="x86-64-v3"), KERNEL),
    "kernel-native": (variables(RIM_KERNEL_MARCH=None), KERNEL),
    "no-compiler": (without_compiler, f"tests/mechanism {MODELS} {BFLOAT16} {COMMANDS}"),
    "threads-unset": (variables(OMP_NUM_THREADS=None), f"{KERNEL} {MODELS}"),
    "threads-1": (variables(OMP_NUM_THREADS="1"), f"{KERNEL} {MODELS}"),
    "threads-2": (variables(OMP_NUM_THREADS="2"), f"{KERNEL} {MODELS}"),
    "locale-c": (variables(LC_ALL="C", PYTHONUTF8="0"), f"{TEXT} {COMMANDS} {EXPERIMENTS}"),
    "locale-latin1": (latin1, f"{TEXT} {COMMANDS} {EXPERIMENTS}"),
    "proxy": (variables(**DEAD_PROXY), f"{DOWNLOADS} {COMMANDS}"),
    "hub-offline": (variables(HF_HUB_OFFLINE="1"), DOWNLOADS),
    # which tests take away, but not here
    "commands-offline": (own_home(HF_HUB_OFFLINE="1"), COMMANDS),
    "not-root": (not_root(), f"{TEXT} {COMMANDS} {KERNEL}"),
    "home-missing": (
        not_root(**{**USERS_CACHES, "HOME": "/nonexistent"}),
        f"{COMMANDS} {EXPERIMENTS}",
    ),
    "home-unset": (not_root(**{**USERS_CACHES, "HOME": None}), f"{COMMANDS} {EXPERIMENTS}"),
    # a user whom the system does not know, as in a container
    "home-unknown": (
        not_root(54321, **{**USERS_CACHES, "HOME": None}),
        f"{COMMANDS} {EXPERIMENTS}",
    ),
    "home-read-only": (not_root(own=False, **USERS_CACHES), f"{COMMANDS} {EXPERIMENTS}"),
    "cache-unwritable": (
        own_home(XDG_CACHE_HOME="/dev/null/cache"),
        f"{COMMANDS} {EXPERIMENTS}",
    ),
    "path": (other_path, f"{KERNEL} {TEXT} {COMMANDS} {EXPERIMENTS}"),
}


def run(name: str) -> dict[str, int | float | str]:
    """Run one machine's tests: how many passed, failed and were skipped, seconds, a remark."""
    set_up, tests = MACHINES[name]
    tests = " ".join(dict.fromkeys(tests.split()))
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rim-nmt-machine-") as work:
        try:
            machine = set_up(Path(work))
        except NotHere as reason:
            return {"remark": f"skipped: {reason}"}
        environment = {**os.environ, **machine.environment}
        command = [sys.executable, "-m", "pytest", "--numprocesses", "auto", "--dist", "loadfile"]
        command = ["make", "test", f"ARGS={tests}"] if machine.make else [*command, *tests.split()]
        log = LOGS / f"{name}.log"
        with log.open("w", encoding="utf-8") as stream:
            status = subprocess.run(
                [*machine.user, *command],
                cwd=machine.folder,
                env={name: value for name, value in environment.items() if value is not None},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            ).returncode
    text = log.read_text(encoding="utf-8", errors="replace")
    summary = re.findall(r"^.*\d (?:passed|failed|skipped|error).* in [\d.]+s.*$", text, re.M)
    counts = {what: int(count) for count, what in re.findall(r"(\d+) (\w+)", "".join(summary[-1:]))}
    failed = counts.get("failed", 0) + counts.get("error", 0) + counts.get("errors", 0)
    return {
        "passed": counts.get("passed", 0),
        "failed": failed or int(status != 0),  # it may have failed before the tests began
        "skipped": counts.get("skipped", 0),
        "seconds": round(time.monotonic() - start),
        "remark": f"see {log.relative_to(ROOT)}" if status else "",
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which machines: {', '.join(MACHINES)}"
    )
    names = parser.parse_args().names
    if unknown := sorted(set(names) - set(MACHINES)):
        parser.error(f"no machine named {', '.join(unknown)}; there are {', '.join(MACHINES)}")
    LOGS.mkdir(parents=True, exist_ok=True)
    rows = {}
    for name in names or MACHINES:
        print(f"{name} ...", flush=True)
        rows[name] = run(name)
        print("  " + ", ".join(f"{key} {value}" for key, value in rows[name].items() if value))
    columns = ("passed", "failed", "skipped", "seconds", "remark")
    print(f"\n{'machine':18}" + "".join(f"{column:>9}" for column in columns[:-1]))
    for name, row in rows.items():
        figures = "".join(f"{row.get(column, ''):>9}" for column in columns[:-1])
        print(f"{name:18}{figures}  {row['remark']}".rstrip())
    sys.exit(any(row.get("failed") for row in rows.values()))


if __name__ == "__main__":
    main()
