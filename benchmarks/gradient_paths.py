"""Where a trained RIM model's gradient grows: its norm on batches of the validation text, whole and
with one path through time cut. Nothing but the gradient changes, not even what dropout drops.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from fairseq import checkpoint_utils, utils
from torch import Tensor, nn

from rim_nmt.mechanism import RIMLayer
from rim_nmt.mechanism.communication import Communication, GatedProjection
from rim_nmt.plugin.fixes import quiet_fairseq
from rim_nmt.runtime.fairseq_commands import USER_DIR

PATHS = {
    "nothing": None,
    "the state to the values of the communication": "communication",
    "the state to the queries of the input attention": "input_attention",
    "the state to the gates of the mechanisms": "dynamics",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", help="of a RIM model for one language pair, plain layer")
    parser.add_argument("--max-tokens", type=int, default=2500, help="of a batch (%(default)s)")
    parser.add_argument(
        "--batches", type=int, nargs="+", default=[0, 6, 10], help="which, by length (0 6 10)"
    )
    arguments = parser.parse_args()

    quiet_fairseq()
    utils.import_user_module(argparse.Namespace(user_dir=str(USER_DIR)))
    (model,), cfg, task = checkpoint_utils.load_model_ensemble_and_task([arguments.checkpoint])
    model.train()
    cut = Cut(model)
    task.load_dataset("valid")
    iterator = task.get_batch_iterator(
        task.dataset("valid"), max_tokens=arguments.max_tokens, seed=1
    )
    batches = list(iterator.next_epoch_itr(shuffle=False))
    criterion = task.build_criterion(cfg.criterion)
    for number in arguments.batches:
        sentences, steps = batches[number]["net_input"]["src_tokens"].shape
        print(f"{sentences} sentences of {steps} subwords; norm of the gradient without")
        for name, path in PATHS.items():
            cut.path = path
            torch.manual_seed(1)
            model.zero_grad()
            loss, size, _ = criterion(model, batches[number])
            (loss / size).backward()
            gradients = [p.grad for p in model.parameters() if p.grad is not None]
            print(f"  {torch.nn.utils.get_total_norm(gradients):8.2f}  {name}")

    for name, module in model.named_modules():
        if isinstance(module, Communication):
            values = module.key_value.weight[..., module.sizes[0] :]  # K x d x C*d_v
            projection = module.projection.weight
            if isinstance(module.projection, GatedProjection):
                _, projection = projection.chunk(2, dim=-1)  # what the tanh is of
            norms = torch.linalg.matrix_norm(values @ projection, 2)
            print(f"{name}: value times projection {norms.min():.1f} to {norms.max():.1f}")
    for name, largest in cut.largest.items():
        print(f"{name}: largest unit of the state {largest:.1f}")


class Cut:
    """Takes the gradient off one of `PATHS` in every layer, and notes how large states become."""

    def __init__(self, model: nn.Module):
        self.path: str | None = None
        self.largest: dict[str, float] = {}
        for name, module in model.named_modules():
            if isinstance(module, RIMLayer):
                module.kernel = "plain"
                self._watch(name, module)

    def _watch(self, name: str, rim: RIMLayer) -> None:
        attend, dynamics = rim.input_attention.attend, rim.dynamics.forward
        key_value = rim.communication.key_value.forward

        def read(h: Tensor) -> Tensor:
            keys, values = key_value(h).split(rim.communication.sizes, dim=-1)
            if self.path == "communication":
                values = key_value(h.detach())[..., rim.communication.sizes[0] :]
            return torch.cat([keys, values], dim=-1)

        def step(u: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            h, c = state
            return dynamics(u, (h.detach() if self.path == "dynamics" else h, c))

        def query(h: Tensor, keys: Tensor) -> Tensor:
            return attend(h.detach() if self.path == "input_attention" else h, keys)

        def note(_module, _inputs, results) -> None:
            largest = results[0].detach().abs().max().item()
            self.largest[name] = max(self.largest.get(name, 0.0), largest)

        rim.communication.key_value.forward = read
        rim.dynamics.forward = step
        rim.input_attention.attend = query
        rim.register_forward_hook(note)


if __name__ == "__main__":
    main()
