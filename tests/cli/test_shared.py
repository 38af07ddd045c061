"""How the commands end, and what they print."""

import os
import signal
import subprocess
import sys

import pytest

from rim_nmt.errors import InputError
from rim_nmt.translation.checks import choose_device
from tests.conftest import ROOT

SCRIPT = (
    "import os, sys, time; from rim_nmt.cli.shared import run_main\n"
    "def main():\n {}\nrun_main(main)"
)


def start(code: str, env: dict | None = None, **more) -> subprocess.Popen:
    """A program whose `main` is this code."""
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(code)],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more},
    )


def ending(code: str, **more) -> tuple[int, bytes, bytes]:
    """Exit status, output and errors of such a program."""
    process = start(code, **more)
    output, errors = process.communicate(timeout=60)
    return process.returncode, output, errors


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "en_US.ISO-8859-1", "PYTHONUTF8": "0"},
    ],
)
def test_what_is_printed_is_utf8_whatever_the_locale(env):
    code = r"print('gr\u00fcn \U0001f642'); print('gr\u00f6\u00dfer', file=sys.stderr)"
    assert ending(code, env=env) == (0, "grün 🙂\n".encode(), "größer\n".encode())


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("open('/nowhere/file', 'w')", "error: /nowhere/file: No such file or directory\n"),
        ("os.mkdir('/proc/new')", "error: /proc/new: No such file or directory\n"),
        ("os.listdir('setup.cfg/x')", "error: setup.cfg/x: No such file or directory\n"),
    ],
)
def test_files_that_cannot_be_used_are_one_line(code, message):
    assert ending(code) == (2, b"", message.encode())


def test_a_full_disk_below_the_output_is_one_line():
    with open("/dev/full", "wb") as full:
        status, _, errors = ending("print('text')", stdout=full)
    assert (status, errors) == (2, b"error: No space left on device\n")


@pytest.mark.parametrize("size", [1, 100_000])
def test_output_that_nobody_reads_ends_it_quietly(size):
    reader, writer = os.pipe()
    os.close(reader)
    status, _, errors = ending(f"print('x' * {size})", stdout=writer)
    os.close(writer)
    assert (status, errors) == (141, b"")


def test_progress_that_nobody_reads_ends_it_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    code = "from rim_nmt.runtime.fairseq_commands import console; console.print('text')"
    status, _, errors = ending(code, stdout=writer)
    os.close(writer)
    assert (status, errors) == (141, b"")


@pytest.mark.parametrize(
    ("number", "message"), [(signal.SIGINT, b"interrupted\n"), (signal.SIGTERM, b"terminated\n")]
)
@pytest.mark.parametrize("turned_into", ["KeyboardInterrupt", "TimeoutError", "RuntimeError"])
def test_signals_are_one_line_whatever_libraries_make_of_them(number, message, turned_into):
    code = (
        "print('ready', flush=True)\n try: time.sleep(60)\n"
        f" except KeyboardInterrupt: raise {turned_into}"
    )
    process = start(code)
    process.stdout.readline()
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (128 + number, message)


def test_bugs_keep_their_traceback():
    status, _, errors = ending("raise RuntimeError('a bug')")
    assert status == 1 and b"Traceback" in errors


def test_progress_off_a_terminal_is_a_line_a_minute():
    code = (
        "from rim_nmt.runtime.fairseq_commands import ProgressBar\n import tqdm.std\n now = [0.0]\n"
        " ProgressBar._time = staticmethod(lambda: now[0]); bar = ProgressBar(total=300)\n"
        " bar._time = lambda: now[0]; bar.start_t = bar.last_print_t = 0.0\n"
        " for second in range(300): now[0] += 1; bar.update()\n bar.close()"
    )
    status, _, errors = ending(code)
    lines = errors.decode().split("\n")
    assert status == 0 and "\r" not in errors.decode()
    assert 4 <= len([line for line in lines if line]) <= 6


@pytest.mark.parametrize("env", [{}, {"FORCE_COLOR": "1"}, {"TTY_INTERACTIVE": "1"}])
def test_a_training_off_a_terminal_shows_its_validations_alone(env):
    code = (
        "from rim_nmt.runtime.console import training_progress\n"
        " with training_progress() as progress:\n"
        "  task = progress.add_task('training', total=9, figures='')\n"
        "  progress.update(task, completed=3); time.sleep(0.3)\n"
        "  progress.console.print('update 3'); progress.remove_task(task)"
    )
    assert ending(code, env=env) == (0, b"update 3\n", b"")


@pytest.mark.parametrize(
    ("how", "printed"), [("quiet=True", b"result\n"), ("verbose=True", b"remark\nresult\n")]
)
def test_quiet_leaves_the_result_alone(how, printed):
    code = (
        "from rim_nmt.runtime.console import ProgressBar, console, result_console, set_verbosity\n"
        f" set_verbosity({how}); console.print('remark'); result_console.print('result')\n"
        " ProgressBar._time = lambda *_: 100.0; list(ProgressBar(range(9)))\n"
        " with console.status('working'): pass"
    )
    assert ending(code) == (0, printed, b"")


def test_a_short_job_shows_no_progress_off_a_terminal():
    code = "from rim_nmt.runtime.fairseq_commands import ProgressBar; list(ProgressBar(range(100)))"
    assert ending(code) == (0, b"", b"")


@pytest.mark.parametrize("device", ["tpu", "cuda:99", "cuda:x", ""])
def test_a_device_that_is_not_there_names_those_that_are(device):
    with pytest.raises(InputError, match=f"--device {device}: .*compute on cpu"):
        choose_device(device)
    assert choose_device("cpu") == "cpu" and choose_device(None) in ("cpu", "cuda")


@pytest.mark.parametrize(("given", "expected"), [(None, "1"), ("2", "2")])
def test_one_thread_computes_unless_the_user_says_otherwise(given, expected):
    env = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    code = (
        "import rim_nmt.runtime.fairseq_commands as commands, os, torch; "
        "from rim_nmt.plugin.processor import *; "
        "one_thread_unless_told(); print(torch.get_num_threads(), threads(), "
        "commands.environment_of_children()['OMP_NUM_THREADS'], "
        "os.environ.get('OMP_NUM_THREADS'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**env, **({"OMP_NUM_THREADS": given} if given else {})},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [expected] * 3 + [str(given)]
