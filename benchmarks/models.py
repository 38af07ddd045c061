"""Speed of whole models with equal numbers of parameters, in turns: RIM, its LSTM twin, and
fairseq's own `lstm` and `transformer`. Training is `fairseq-train`'s step (forward, backward,
clipping, Adam), generation is its beam search.

Text is made up: random words, lengths drawn once. Untrained models would stop anywhere, so all
generate translations of one length.
"""

import argparse
import os
import random

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from fairseq import options, utils
from fairseq.data import Dictionary, LanguagePairDataset
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.sequence_generator import SequenceGenerator
from fairseq.tasks.translation import TranslationTask
from fairseq.trainer import Trainer

from benchmarks.timing import interleaved
from rim_nmt.models.matched_sizes import matched_models
from rim_nmt.plugin.fixes import quiet_fairseq
from rim_nmt.plugin.processor import bfloat16_obstacle
from rim_nmt.runtime.fairseq_commands import USER_DIR

# fairseq's own LSTM in widths that give it the number of parameters that the RIM has
FAIRSEQ_LSTM = {"tiny": (128, 73, 146), "iwslt": (256, 195, 390), "base": (512, 280, 560)}


def family(size: str) -> dict[str, list[str]]:
    """Models of one size: name -> flags."""
    ours = matched_models(size)
    embedding, encoder, decoder = FAIRSEQ_LSTM[size]
    fairseq_lstm = (
        "--arch lstm --encoder-bidirectional --encoder-layers 2 --decoder-layers 2 "
        f"--encoder-embed-dim {embedding} --decoder-embed-dim {embedding} "
        f"--decoder-out-embed-dim {embedding} "
        f"--encoder-hidden-size {encoder} --decoder-hidden-size {decoder}"
    )
    return {
        "RIM": ours["rim"],
        "RIM, plain": [*ours["rim"], "--rim-kernel", "plain"],
        "LSTM twin": ours["lstm"],
        "fairseq lstm": fairseq_lstm.split(),
        "fairseq transformer": ours["transformer"],
    }


VOCABULARY = {"base": 8000, "iwslt": 8000, "tiny": 1400}
LENGTHS = (15, 25)  # words, uniform: fairseq puts sentences of similar length into a batch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=FAIRSEQ_LSTM, default="base", help="(%(default)s)")
    parser.add_argument("--train-batch", type=int, default=120, help="sentences (%(default)s)")
    parser.add_argument("--test-batch", type=int, default=64, help="sentences (%(default)s)")
    parser.add_argument("--beam", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="timings of each (%(default)s)")
    parser.add_argument(
        "--amp", action="store_true", help="only training, in float32 and in bfloat16"
    )
    parser.add_argument(
        "--profile", metavar="NAME", help="only show where training spends its time in this model"
    )
    arguments = parser.parse_args()
    models = family(arguments.size)
    if arguments.amp and (obstacle := bfloat16_obstacle()):
        parser.error(f"--amp is not measured: {obstacle}")
    if arguments.profile:
        if arguments.profile not in models:
            parser.error(f"--profile {arguments.profile}: expected one of {', '.join(models)}")
        models = {arguments.profile: models[arguments.profile]}

    dictionary = make_dictionary(VOCABULARY[arguments.size])
    batch, tokens = make_batch(dictionary, arguments.train_batch)
    sources, _ = make_batch(dictionary, arguments.test_batch)

    trainers, generators = {}, {}
    for name, flags in models.items():
        trainer = make_trainer(flags, dictionary)
        parameters = sum(p.numel() for p in trainer.model.parameters())
        print(f"{name:26} {parameters / 1e6:.2f} M parameters")
        trainers[name] = trainer
        if arguments.amp:  # generation is in float32 whatever the training was in
            trainers[f"{name}, bf16"] = make_trainer([*flags, "--amp"], dictionary)
            continue
        # a model made ready to generate cannot train
        copy = trainer.task.build_model(trainer.cfg.model).eval()
        copy.prepare_for_inference_(trainer.cfg)
        generators[name] = SequenceGenerator(
            [copy], dictionary, beam_size=arguments.beam, min_len=20, max_len_a=0, max_len_b=20
        )

    def train(name: str) -> None:
        trainers[name].train_step([batch])

    if arguments.profile:
        profiled = list(trainers)[-1]  # in bfloat16 with --amp
        train(profiled)
        with torch.profiler.profile() as profile:
            train(profiled)
        rows = profile.key_averages().table(sort_by="self_cpu_time_total", row_limit=15)
        print("\n".join(line[:132] for line in rows.splitlines()))
        return

    def generate(name: str) -> None:
        generators[name].generate([], sources)

    print(f"batches of {arguments.train_batch} and {arguments.test_batch} sentences, vocabulary "
          f"{len(dictionary)}, {torch.get_num_threads()} thread(s), "
          f"torch {torch.__version__}")  # fmt: skip
    measured = [
        ("training", train, tokens, trainers),
        (f"beam {arguments.beam}", generate, 20 * arguments.test_batch, generators),
    ]
    for title, step, count, names in measured:
        if not names:
            continue
        jobs = {name: lambda name=name, step=step: step(name) for name in names}
        seconds = interleaved(jobs, arguments.rounds)
        for name, value in seconds.items():
            ratio = seconds["fairseq lstm"] / value
            print(f"{title:10} {name:26} {count / value:8.0f} tokens/s  {ratio:5.2f}")


def make_dictionary(size: int) -> Dictionary:
    """Made-up words; fairseq knows our architectures from here on."""
    quiet_fairseq()
    utils.import_user_module(argparse.Namespace(user_dir=str(USER_DIR)))
    dictionary = Dictionary()
    for number in range(size - dictionary.nspecial):
        dictionary.add_symbol(f"word{number}")
    return dictionary


def make_trainer(flags: list[str], dictionary: Dictionary) -> Trainer:
    """What fairseq-train makes of a command line that begins with what is the same for all."""
    command = [
        *("no data", "--cpu", "--share-all-embeddings", "--dropout", "0.1", "--optimizer", "adam"),
        *("--lr", "1e-4", "--clip-norm", "1", "--criterion", "label_smoothed_cross_entropy"),
        *("--label-smoothing", "0.1", "--max-tokens", "4000", *flags),
    ]
    cfg = convert_namespace_to_omegaconf(
        options.parse_args_and_arch(options.get_training_parser(), command)
    )
    task = TranslationTask(cfg.task, dictionary, dictionary)
    return Trainer(cfg, task, task.build_model(cfg.model), task.build_criterion(cfg.criterion))


def make_batch(dictionary: Dictionary, sentences: int) -> tuple[dict, int]:
    """A batch of random sentence pairs, and its number of target tokens."""
    rng = random.Random(1)

    def side() -> list[torch.Tensor]:
        words = range(dictionary.nspecial, len(dictionary))
        lengths = [rng.randint(*LENGTHS) for _ in range(sentences)]
        return [torch.tensor([*rng.choices(words, k=n), dictionary.eos()]) for n in lengths]

    sources, targets = side(), side()
    pairs = LanguagePairDataset(
        *(sources, [len(s) for s in sources], dictionary),
        *(targets, [len(t) for t in targets], dictionary),
    )
    batch = pairs.collater([pairs[index] for index in range(sentences)])
    return batch, batch["ntokens"]


if __name__ == "__main__":
    main()
