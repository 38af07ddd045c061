"""Damage and falsify a checkpoint many times over, and load what comes out: run by
test_checkpoint_fuzz.py in a process of its own, since a crash is one of the possible outcomes.

checkpoint_fuzz.py FOLDER SEED COUNT: prints one JSON object, the outcomes and how often each was.
"""

import argparse
import copy
import io
import json
import logging
import os
import random
import resource
import signal
import sys
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from rim_nmt.errors import InputError
from rim_nmt.translation.averaging import average_checkpoints
from rim_nmt.translation.translator import Translator
from tests.plugin.small_checkpoints import Files, as_arguments, make_files

SECONDS = 120  # for one checkpoint; loading takes below one, many times that on a busy machine


class Payload:
    """Makes a folder when it is unpickled without protection."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (str(self.mark),))


class Hostile:
    """What a field of a checkpoint may be replaced by."""

    def __init__(self, mark: Path):
        code = f"__import__('os').mkdir({str(mark)!r})"
        endless: dict = {}
        endless["again"] = endless
        doubled: list = ["x"]
        for _ in range(40):
            doubled = [doubled, doubled]
        self.values = [
            *(None, True, False, 0, -1, 1, 2**31, 10**9, 10**18, -(10**9), 0.5, 1e300),
            *(float("nan"), float("inf"), "", "x", "\0", "ä" * 300, "/dev/zero", "${oc.env:HOME}"),
            *("a-b-c", "???", "lstm", "fconv", "transformer", "multilingual_translation", "rim"),
            *(code, f"[{code}]", f"[({code}, 3)] * 2", f"${{oc.decode:{code}}}", "[0] * 10**9"),
            *([], {}, (), [[]], [code], {"_name": "lstm"}, {"x": code}, {1: 2}, set(), b"bytes"),
            *(torch.ones(2), torch.tensor(1), torch.ones(1).expand(10**9), np.float64(1)),
            *(np.arange(3), torch.full((33, 20), torch.nan), torch.ones(10**4, dtype=torch.int)),
            *(endless, doubled, Payload(mark)),
        ]


def places(part, path: tuple = ()) -> list[tuple]:
    """The paths of all values inside dictionaries, lists and command lines."""
    found = []
    for key, value in inside(part).items():
        found += [(*path, key), *places(value, (*path, key))]
    return found


def inside(part) -> dict:
    """The values in a part of a checkpoint by their keys. Changing it changes the part, but for
    lists."""
    if isinstance(part, argparse.Namespace):
        return vars(part)
    if isinstance(part, list):
        return dict(enumerate(part))
    return part if isinstance(part, dict) else {}


def falsify(state: dict, values: list, chance: random.Random) -> dict:
    """Replace one or several fields, or take them out."""
    state = copy.deepcopy(state)
    found = places(state)
    groups = Counter(place[:2] if place[0] == "cfg" else place[:1] for place in found)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        group = chance.choice(list(groups))  # the many weights are no more likely than the task
        *above, key = chance.choice([place for place in found if place[: len(group)] == group])
        part = state
        for name in above:
            part = inside(part).get(name)
        part = part if isinstance(part, list) else inside(part)
        if key in (range(len(part)) if isinstance(part, list) else part):  # not yet replaced
            if chance.random() < 0.15:
                del part[key]
            else:
                part[key] = chance.choice(values)
    return state


def flip(data: bytes, chance: random.Random) -> bytes:
    """Change one or several bytes."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def rewrite(data: bytes, name: str, change, compression=zipfile.ZIP_STORED) -> bytes:
    """Change one file in a zip file; its check sum is that of the changed one."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w", compression) as new:
        for entry in old.namelist():
            content = old.read(entry)
            new.writestr(entry, change(content) if entry.endswith(name) else content)
    return result.getvalue()


def damage(data: bytes, chance: random.Random) -> bytes:
    """Change bytes of a file, mostly near its start, or cut it short."""
    if chance.random() < 0.2:
        return data[: chance.randrange(len(data))]
    start = chance.choice((100, 1_000, len(data)))
    return flip(data[:start], chance) + data[start:]


def mutate(files: Files, hostile: Hostile, chance: random.Random) -> tuple[str, bytes]:
    """One bad checkpoint, and in which way it is bad."""
    kind = chance.choice(("fields", "fields", "fields", "bytes", "pickle", "cut", "packed"))
    form = "new" if kind == "packed" else chance.choice(("new", "new", "old", "arguments"))
    state = as_arguments(files.state) if form == "arguments" else files.state
    if kind == "fields":
        state = falsify(state, hostile.values, chance)
    written = io.BytesIO()
    torch.save(state, written, _use_new_zipfile_serialization=form != "old")
    data = written.getvalue()
    if kind == "cut":
        data = data[: chance.randrange(len(data))]
    elif kind == "bytes":
        data = flip(data, chance)
    elif kind == "pickle" and form == "old":  # its pickles are at the start
        data = flip(data[:12_000], chance) + data[12_000:]
    elif kind == "pickle":
        data = rewrite(data, "data.pkl", lambda content: flip(content, chance))
    elif kind == "packed":
        data = rewrite(data, "data/0", lambda _: bytes(10**7), zipfile.ZIP_DEFLATED)
    return f"{kind}, {form}", data


def outcome(files: Files, path: Path) -> tuple[str, str]:
    """What loading ends with, in a word and in full."""
    words = []
    for load in (
        lambda: Translator(path, files.data, files.subwords, device="cpu"),
        lambda: average_checkpoints([path], path.with_name("average.pt")),
    ):
        try:
            signal.alarm(SECONDS)
            load()
            words.append("loaded")
        except InputError as error:
            text = str(error)
            if len(text.splitlines()) != 1 or not 20 < len(text) < 900:
                return "not one clear line", text
            words.append("refused")
        except BaseException as error:  # whatever else it is, it is wrong
            return "another error", f"{type(error).__name__}: {error}"
        finally:
            signal.alarm(0)
    return " and ".join(dict.fromkeys(words)), ""


def too_slow(*_) -> None:
    """Ends a checkpoint that takes too long, past what catches every `Exception`."""
    raise KeyboardInterrupt(f"longer than {SECONDS} seconds")


def main() -> None:
    folder, seed, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    logging.disable()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, too_slow)
    chance = random.Random(seed)
    files, hostile = make_files(folder), Hostile(folder / "the payload ran")
    whole = {
        "checkpoint": files.save(folder / "whole.pt"),
        "dictionary": files.data / "dict.de.txt",
        "subwords": files.subwords,
    }
    contents = {name: path.read_bytes() for name, path in whole.items()}
    assert outcome(files, whole["checkpoint"]) == ("loaded", "")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes: Counter = Counter()
    failures = []
    for number in range(count):
        path = folder / "bad.pt"
        kind = chance.choice(8 * ("checkpoint",) + ("dictionary", "subwords"))
        if kind == "checkpoint":
            kind, data = mutate(files, hostile, chance)
            path.write_bytes(data)
        else:
            path.write_bytes(contents["checkpoint"])
            whole[kind].write_bytes(damage(contents[kind], chance))
        print(number, kind, file=sys.stderr, flush=True)  # where a crash was
        word, text = outcome(files, path)
        outcomes[f"{kind}: {word}"] += 1
        if text or hostile_ran(folder):
            failures.append(f"{number} {kind}: {word}: {text}")
            path.rename(folder / f"failed{number}.pt")
        for name in ("dictionary", "subwords"):
            whole[name].write_bytes(contents[name])
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    ran = hostile_ran(folder)
    print(json.dumps({"outcomes": outcomes, "failures": failures, "ran": ran, "grown_kb": grown}))


def hostile_ran(folder: Path) -> bool:
    return (folder / "the payload ran").exists()


if __name__ == "__main__":
    main()
