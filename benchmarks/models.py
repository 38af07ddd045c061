#!/usr/bin/env python3
"""Training and generation speed of whole models on one prepared corpus, in turns."""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from benchmarks.timing import interleaved
from rim_nmt.cli import quiet_fairseq
from rim_nmt.files import read_lines
from rim_nmt.scoring import raw_test_set
from rim_nmt.translator import Translator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", nargs="+", type=Path, help="the first is the reference")
    parser.add_argument("--data", type=Path, required=True, help="the prepared folder")
    parser.add_argument("--test", required=True, help="test set whose first lines are used")
    parser.add_argument("--lines", type=int, default=140, help="sentences (%(default)s)")
    parser.add_argument("--beam", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="timings of each (%(default)s)")
    arguments = parser.parse_args()

    quiet_fairseq()
    loaded = [
        Translator(path, arguments.data / "bin", arguments.data / "sentencepiece.model", "cpu")
        for path in arguments.checkpoints
    ]
    translators = {translator.cfg.model._name: translator for translator in loaded}
    first = next(iter(translators.values()))
    languages = first.source_lang, first.target_lang
    files = raw_test_set(arguments.data, arguments.test, *languages)
    source, target = (read_lines(path)[: arguments.lines] for path in files)
    batch, tokens = make_batch(first, source, target)
    # a model that was made ready for generation cannot train: build it once more for the timing
    trainable = {name: t.task.build_model(t.cfg.model).train() for name, t in translators.items()}

    def train(name: str) -> None:
        model = trainable[name]
        logits, _ = model(**batch["net_input"])
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch["target"].flatten())
        loss.backward()

    def generate(name: str) -> None:
        list(translators[name].translate(source, beam=arguments.beam))

    print(f"{len(source)} sentences, {tokens} target tokens, float32, "
          f"{torch.get_num_threads()} thread(s), torch {torch.__version__}")  # fmt: skip
    for title, step in (("training step", train), (f"beam {arguments.beam}", generate)):
        jobs = {name: lambda name=name, step=step: step(name) for name in translators}
        seconds = interleaved(jobs, arguments.rounds)
        reference = next(iter(seconds.values()))
        for name, value in seconds.items():
            print(f"{title:14} {name:22} {tokens / value:8.0f} tokens/s  {reference / value:5.2f}")


def make_batch(translator: Translator, source: list[str], target: list[str]) -> tuple[dict, int]:
    """One training batch of the task, and its number of target tokens."""
    task = translator.task
    sides = [[translator.encode(line) for line in lines] for lines in (source, target)]
    from fairseq.data import LanguagePairDataset

    lengths = [torch.tensor([len(tokens) for tokens in side]) for side in sides]
    pairs = LanguagePairDataset(
        *(sides[0], lengths[0], task.source_dictionary),
        *(sides[1], lengths[1], task.target_dictionary),
    )
    batch = pairs.collater([pairs[index] for index in range(len(pairs))])
    return batch, batch["ntokens"]


if __name__ == "__main__":
    main()
