"""The page's server under load: clients that each send a sentence, wait for its translation, and
send the next.

python -m benchmarks.page --text SENTENCES --clients 50 --seconds 60

No two sentences are alike, as the server remembers what it has translated. Text is the toy
grammar's, unless a file with one sentence a line is named.
"""

import argparse
import http.client
import itertools
import json
import os
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.page_server import HOST, add_arguments, page_server
from rim_nmt.toy import corpus


class Clients:
    """Threads that ask until the time is over.

    Attributes:
        seconds: that each answered request took.
        errors: how often each answer came that was no translation.
    """

    def __init__(self, port: int, sentences: Iterator[str], languages: dict[str, str]):
        self._port, self._sentences, self._languages = port, sentences, languages
        self._lock = threading.Lock()
        self.seconds: list[float] = []
        self.errors: Counter[str] = Counter()

    def run(self, number: int, duration: float) -> float:
        """Ask with `number` of them; returns the seconds until the last one was answered."""
        started = time.perf_counter()
        end = started + duration
        threads = [threading.Thread(target=self._ask_until, args=(end,)) for _ in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - started

    def _ask_until(self, end: float) -> None:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=120)
        while (began := time.perf_counter()) < end:
            with self._lock:
                sentence = next(self._sentences)
            try:
                error = self._ask(connection, sentence)
            except (OSError, http.client.HTTPException) as problem:
                connection.close()  # it opens again by itself
                error = type(problem).__name__
            with self._lock:
                if error:
                    self.errors[error] += 1
                else:
                    self.seconds.append(time.perf_counter() - began)

    def _ask(self, connection: http.client.HTTPConnection, sentence: str) -> str | None:
        body = json.dumps({"q": sentence, **self._languages})
        connection.request("POST", "/translate", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status != 200:
            return f"{response.status} {answer['error']}"
        return None if isinstance(answer["translatedText"], str) else "no text"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--clients", type=int, default=50, help="(%(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="(%(default)s)")
    parser.add_argument("--text", type=Path, help="sentences, one a line (the toy grammar's)")
    arguments = parser.parse_args()
    sentences = read(arguments.text)
    with page_server(arguments.model) as port:
        clients = Clients(port, endless(sentences), languages(port))
        seconds = clients.run(arguments.clients, arguments.seconds)
    print(f"{arguments.clients} clients, {seconds:.1f} s")
    print(f"requests      {len(clients.seconds) + clients.errors.total()}")
    print(f"errors        {clients.errors.total()}")
    for error, count in clients.errors.most_common():
        print(f"  {count} x {error}")
    print(f"sentences/s   {len(clients.seconds) / seconds:.1f}")
    if len(clients.seconds) > 1:
        percentiles = statistics.quantiles(clients.seconds, n=100, method="inclusive")
        for percent in (50, 95, 99):
            print(f"p{percent}           {1000 * percentiles[percent - 1]:.0f} ms")


def read(path: Path | None) -> list[str]:
    """Sentences of a file, or of the toy grammar."""
    if path is not None:
        return path.read_text(encoding="utf-8").splitlines()
    sizes = {"train_size": 2000, "valid_size": 1, "test_size": 1, "transfer_size": 1}
    return [source for source, _ in corpus.generate(seed=1, **sizes)["train"]]


def endless(sentences: list[str]) -> Iterator[str]:
    """Sentences without end, no two of them alike."""
    yield from sentences
    for number in itertools.count(2):
        # within the sentence: a number after it would be one of its own, and it be remembered
        yield from (f"{sentence.rstrip('.!?')} {number}." for sentence in sentences)


def languages(port: int) -> dict[str, str]:
    """What the server translates, as a request says it."""
    connection = http.client.HTTPConnection(HOST, port)
    connection.request("GET", "/languages")
    known = json.loads(connection.getresponse().read())
    source = next(language for language in known if language["targets"])
    return {"source": source["code"], "target": source["targets"][0]}


if __name__ == "__main__":
    main()
