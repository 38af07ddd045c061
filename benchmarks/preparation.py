"""Time and memory of corpus preparation at real size: a made-up corpus laid out as WMT14 on the
hub goes through `rim-nmt prepare`, and the memory of every process is watched.

The text is the embedded corpus's, two to four sentences to a pair (20 words on the mean), with
a number and a made-up name in each so that all pairs differ. A tenth of the pairs is repeated.
"""

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from rim_nmt.runtime.files import read_lines
from rim_nmt.toy import corpus

CHUNK = 50_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=4_500_000, help="pairs (%(default)s)")
    parser.add_argument("--vocab-size", type=int, default=32_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where 3 KB a pair fit (default: a new one)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        write_mirror(folder / "mirror", arguments.pairs)
        command = [
            *(
                sys.executable,
                "-m",
                "rim_nmt",
                "prepare",
                "wmt14",
                "--local",
                str(folder / "mirror"),
            ),
            *("--out", str(folder / "out"), "--vocab-size", str(arguments.vocab_size)),
            *("--jobs", str(arguments.workers)),
        ]
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=Path(__file__).resolve().parent.parent)
        watch = Watch(process)
        if process.wait():
            sys.exit("the preparation failed")
        seconds = time.perf_counter() - started
        watch.join()
        size = _size(folder / "out")
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(
            f"\n{arguments.pairs:,} pairs, {arguments.workers} workers: {seconds:.0f} s in all, "
            f"{used.ru_utime + used.ru_stime:.0f} s of processor time"
        )
        print(
            f"disk: {watch.disk / 1e9:.1f} GB at most beside the source, {size / 1e9:.1f} GB left"
        )
        print("largest process of each kind, MiB resident (of them anonymous):")
        for kind, (resident, anonymous) in sorted(watch.peak.items()):
            print(f"  {kind}: {resident / 1024:,.0f} ({anonymous / 1024:,.0f})")


def write_mirror(folder: Path, pairs: int) -> None:
    """Parquet files as `wmt/wmt14` has them in its folder de-en."""
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as name:
        corpus.write(Path(name), seed=1)
        sides = [read_lines(Path(name) / f"train.{language}") for language in ("en", "de")]
    sentences = list(zip(*sides, strict=True))
    names = ["".join(rng.choices("bdfgklmnprst", k=1) + rng.choices("aeiou", k=1) +
                     rng.choices("bdfgklmnprst", k=2) + rng.choices("aeiou", k=1)).capitalize()
             for _ in range(100_000)]  # fmt: skip

    def rows(count: int, first: int) -> pa.Table:
        pairs = []
        for i in range(first, first + count):
            number = i if rng.random() < 0.9 else rng.randrange(i + 1)
            draw = random.Random(number)
            chosen = draw.choices(sentences, k=draw.randint(2, 4))
            mark = f"{draw.choice(names)} {number}"
            texts = [f"{' '.join(side)} {mark}." for side in zip(*chosen, strict=True)]
            pairs.append({"de": texts[1], "en": texts[0]})
        kind = pa.struct([("de", pa.string()), ("en", pa.string())])
        return pa.table({"translation": pa.array(pairs, type=kind)})

    (folder / "de-en").mkdir(parents=True)
    with tqdm(total=pairs, desc="making text up", unit="pair", unit_scale=True) as bar:
        for part in range(3):
            path = folder / "de-en" / f"train-{part:05d}-of-00003.parquet"
            first, last = pairs * part // 3, pairs * (part + 1) // 3
            with pq.ParquetWriter(path, rows(0, 0).schema) as writer:
                for start in range(first, last, CHUNK):
                    writer.write_table(rows(min(CHUNK, last - start), start))
                    bar.update(min(CHUNK, last - start))
    for part in ("validation", "test"):
        pq.write_table(rows(3000, pairs), folder / "de-en" / f"{part}-00000-of-00001.parquet")


class Watch(threading.Thread):
    """Looks at the memory of a process and all that it starts, ten times a second, and at the
    disk that its folder takes."""

    def __init__(self, process: subprocess.Popen):
        super().__init__(daemon=True)
        self.process = process
        self.peak: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        self.disk = 0
        self.out = Path(process.args[process.args.index("--out") + 1])
        self.start()

    def run(self) -> None:
        while self.process.poll() is None:
            for pid, parent in self.processes().items():
                kind = "main process"
                if pid != self.process.pid:
                    command = _read(f"/proc/{pid}/cmdline")
                    kind = "worker that cleans or encodes"
                    if b"multiprocessing" in command:
                        kind = "training of the subwords"
                    elif b"fairseq-preprocess" in command:
                        below = parent != self.process.pid
                        kind = "fairseq-preprocess" + (" worker" if below else "")
                status = _read(f"/proc/{pid}/status").decode()
                sizes = dict(
                    line.split(":", 1) for line in status.splitlines() if line.startswith("Rss")
                )
                rss = {name: int(value.split()[0]) for name, value in sizes.items()}
                if rss:
                    now = (sum(rss.values()), rss["RssAnon"])
                    self.peak[kind] = tuple(map(max, self.peak[kind], now))
            folders = (self.out, self.out.with_name(f"{self.out.name}.unfinished"))
            self.disk = max(self.disk, sum(_size(folder) for folder in folders))
            time.sleep(0.1)

    def processes(self) -> dict[int, int]:
        """The process and its descendants, each with its parent."""
        parents = {}
        for path in Path("/proc").glob("[0-9]*"):
            stat = _read(f"{path}/stat").rpartition(b") ")[2].split()
            if stat:
                parents[int(path.name)] = int(stat[1])
        found = {self.process.pid: 0}
        while True:
            more = {c: p for c, p in parents.items() if p in found and c not in found}
            if not more:
                return found
            found.update(more)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""  # it has ended


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total


if __name__ == "__main__":
    main()
