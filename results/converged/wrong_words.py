"""How much a translation model relies on the words it is given: bits per subword of the reference
where a share of the previous target words is wrong, and where the source is another sentence's.

    .venv/bin/python results/converged/wrong_words.py data/multi30k-de-fr CHECKPOINT ...
"""

import argparse
import math
from pathlib import Path

import torch
from fairseq import checkpoint_utils, utils

ROOT = Path(__file__).parents[2]
SHARES = (0.0, 0.1, 0.2, 0.4)  # of the previous words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("data", help="prepared folder, of which the validation text is taken")
    parser.add_argument("checkpoints", nargs="+", metavar="checkpoint")
    arguments = parser.parse_args()
    utils.import_user_module(argparse.Namespace(user_dir=str(ROOT / "user_dir")))
    print("checkpoint", *(f"{share:.0%} wrong" for share in SHARES), "other source", sep=" | ")
    for checkpoint in arguments.checkpoints:
        (model,), _, task = checkpoint_utils.load_model_ensemble_and_task(
            [checkpoint], arg_overrides={"data": f"{arguments.data}/bin"}
        )
        task.load_dataset("valid")
        bits = [bits_per_subword(model.eval(), task, share) for share in SHARES]
        bits.append(bits_per_subword(model, task, 0.0, other_source=True))
        print(checkpoint, *(f"{value:.3f}" for value in bits), sep=" | ", flush=True)


@torch.no_grad()
def bits_per_subword(model, task, share: float, other_source: bool = False) -> float:
    """Of the validation text, with a fixed seed for what is wrong.

    Args:
        model: of fairseq.
        task: its task, with the validation text loaded.
        share: of the previous target words that are replaced by others of the same batch.
        other_source: every sentence has the source of the next one in its batch.
    """
    torch.manual_seed(1)
    end, pad = task.target_dictionary.eos(), task.target_dictionary.pad()
    batches = task.get_batch_iterator(task.dataset("valid"), max_tokens=4000)
    nats = subwords = 0.0
    for batch in batches.next_epoch_itr(shuffle=False):
        given, target = batch["net_input"], batch["target"]  # target: B x T
        previous = given["prev_output_tokens"]  # B x T, begins with the end of the last sentence
        is_word = (previous != end) & (previous != pad)
        words = previous[is_word]
        wrong = is_word & (torch.rand(previous.shape) < share)
        others = words[torch.randint(len(words), previous.shape)]  # B x T
        given["prev_output_tokens"] = torch.where(wrong, others, previous)
        if other_source:
            for name in ("src_tokens", "src_lengths"):
                given[name] = given[name].roll(1, dims=0)
        log_p = model.get_normalized_probs(model(**given), log_probs=True)  # B x T x V
        of_target = log_p.gather(-1, target.unsqueeze(-1)).squeeze(-1)  # B x T
        nats -= of_target[target != pad].sum().item()
        subwords += (target != pad).sum().item()
    return nats / subwords / math.log(2)


if __name__ == "__main__":
    main()
