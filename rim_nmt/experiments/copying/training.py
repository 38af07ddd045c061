"""Training one cell of the copying experiment: a model of a width with a seed.

A cell is a folder:

    settings.json    what is trained, written first
    checkpoint.pt    everything that is needed to go on bit for bit
    log.jsonl        a line for each evaluation
    result.json      written last
"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from rim_nmt.errors import InputError
from rim_nmt.experiments.copying.task import CopyingModel, loss, random_digits, sequences
from rim_nmt.runtime.console import ProgressBar
from rim_nmt.runtime.files import (
    InUseError,
    atomic_path,
    folder_lock,
    read_json,
    read_lines,
    write_json,
    write_lines,
)

# Digits that a model is judged by, the same for every cell and every span: a generator's seed and
# how many sequences it draws.
VALID = (0, 128)
TEST = (1, 640)
EVAL_BATCH = 128


@dataclass(frozen=True)
class Settings:
    """What is trained. A folder of cells holds one value of each but the first three.

    Args:
        model: one of `MODELS`.
        width: of the model.
        seed: of weights, digits and dropout.
        digits: how many are to be remembered.
        span: dormant steps in training.
        test_span: dormant steps that are looked at during training, too.
        curve_spans: further ones to test in the end.
        batch_size: sequences in an update, drawn anew each time.
        lr: learning rate of Adam.
        clip_norm: of the gradient.
        stop_below: training ends when the validation loss at `span` is below this.
        eval_interval: updates between evaluations.
    """

    model: str
    width: int
    seed: int
    digits: int = 10
    span: int = 50
    test_span: int = 200
    curve_spans: tuple[int, ...] = (25, 75, 100, 150, 300, 400)
    batch_size: int = 64
    lr: float = 1e-3
    clip_norm: float = 1.0
    stop_below: float = 1e-3
    eval_interval: int = 100

    @property
    def cell(self) -> Path:
        """The cell's folder below that of all cells."""
        return Path(f"{self.model}-{self.width}", f"seed{self.seed}")

    @property
    def spans(self) -> list[int]:
        """Dormant steps that the trained model is tested with."""
        return sorted({self.span, self.test_span, *self.curve_spans})


def check_settings(out: Path, settings: Settings) -> None:
    """See that a cell fits those that are in the folder, itself included.

    Raises:
        InputError: one was trained with other settings; the message names them.
    """
    asked = json.loads(json.dumps(asdict(settings)))
    for path in sorted(out.glob("*/seed*/settings.json")):
        stored = read_json(path)
        for name in ("model", "width", "seed"):  # the folder's name says those
            stored[name] = asked[name]
        if stored != asked:
            different = [n for n in {**asked, **stored} if stored.get(n) != asked.get(n)]
            raise InputError(
                f"{path.parent} was trained with other settings than are asked for now: "
                + "; ".join(f"{n} {stored.get(n)}, now {asked.get(n)}" for n in different)
                + "; ask for the same, give another --out, or remove it"
            )


def state_of(out: Path, settings: Settings, max_update: int) -> str:
    """How far a cell is, for people to read."""
    folder = out / settings.cell
    result = _read_result(folder)
    if result and _finished(result, max_update):
        return f"finished after {result['updates']:,} updates"
    log = read_log(folder)
    return f"goes on after {log[-1]['updates']:,} updates" if log else "new"


def read_log(folder: Path) -> list[dict]:
    """A cell's evaluations, none where there are none yet."""
    path = folder / "log.jsonl"
    return [json.loads(line) for line in read_lines(path)] if path.exists() else []


def train_cell(out: Path, settings: Settings, max_update: int, device: str = "cpu") -> dict | None:
    """Train and test one cell unless that is done; go on from its checkpoint if there is one.

    Killed at any time and called again, it ends with the same weights and log (but for the
    seconds) as if it had not been killed, on a processor bit for bit. A cell that ended by
    `max_update` goes on in the same way when it is called with a higher one.

    Args:
        out: the folder of all cells.
        settings: what to train.
        max_update: updates after which to stop, learned or not.
        device: where to compute.

    Returns:
        The content of result.json; None where another process is at work on the cell.

    Raises:
        InputError: the folder holds cells with other settings, or the model cannot be built.
    """
    check_settings(out, settings)
    folder = out / settings.cell
    try:
        with folder_lock(folder):
            return _train(folder, settings, max_update, device)
    except InUseError:
        return None


def _train(folder: Path, settings: Settings, max_update: int, device: str) -> dict:
    result = _read_result(folder)
    if result and _finished(result, max_update):
        return result
    training = Training(settings, device)
    write_json(folder / "settings.json", asdict(settings))
    if (folder / "checkpoint.pt").exists():
        training.load(folder)
    bar = ProgressBar(
        total=max_update, initial=training.updates, desc=str(settings.cell), unit=" updates"
    )
    with bar:
        while training.updates < max_update and not training.learned:
            training.update()
            if training.updates % settings.eval_interval == 0:
                bar.set_postfix(loss=training.evaluate())
                training.save(folder)
            bar.update()
    training.save(folder)
    result = training.result()
    write_json(folder / "result.json", result)
    return result


class Training:
    """A model in training and everything that its future depends on.

    Args:
        settings: what to train.
        device: where to compute.
    """

    def __init__(self, settings: Settings, device: str):
        self.settings = settings
        self.device = torch.device(device)
        torch.manual_seed(settings.seed)
        self.model = CopyingModel(settings.model, settings.width).to(device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=settings.lr)
        self.updates = 0
        self.cpu_seconds = 0.0
        self.log: list[dict] = []

    @property
    def learned(self) -> bool:
        """The last evaluation was good enough."""
        return bool(self.log) and self.log[-1]["loss"] < self.settings.stop_below

    def update(self) -> None:
        """One step of Adam on new sequences."""
        started = time.process_time()
        self.model.train()
        digits = random_digits(self.settings.digits, self.settings.batch_size)
        inputs, targets = sequences(digits.to(self.device), self.settings.span)
        self.optimizer.zero_grad()
        loss(self.model(inputs), targets).backward()
        torch.nn.utils.clip_grad_norm_(
            self.model.parameters(), self.settings.clip_norm, error_if_nonfinite=True
        )
        self.optimizer.step()
        self.updates += 1
        self.cpu_seconds += time.process_time() - started

    def evaluate(self) -> float:
        """Write validation losses into the log; returns that at the span of training."""
        now, later = (
            self.copying_loss(span, *VALID)
            for span in (self.settings.span, self.settings.test_span)
        )
        figures = {"updates": self.updates, "loss": now, "test_span_loss": later}
        self.log.append({**figures, "cpu_seconds": round(self.cpu_seconds, 1)})
        return now

    @torch.no_grad()
    def copying_loss(self, span: int, seed: int, number: int) -> float:
        """Cross-entropy in nats of the steps in which digits are due."""
        self.model.eval()
        length, total = self.settings.digits, 0.0
        digits = random_digits(length, number, torch.Generator().manual_seed(seed))
        for part in digits.to(self.device).split(EVAL_BATCH, dim=1):
            inputs, targets = sequences(part, span)
            mean = loss(self.model(inputs)[-length:], targets[-length:])
            total += mean.item() * part.size(1)
        return total / number

    def result(self) -> dict:
        """The trained model's size, test losses at all spans, and for a RIM which mechanisms were
        active on one sequence: for each a line with a 1 for each step at which it was."""
        result = {
            "learned": self.learned,
            "updates": self.updates,
            "cpu_seconds": round(self.cpu_seconds, 1),
            "device": self.device.type,
            "parameters": self.model.num_parameters(),
            "loss": {str(span): self.copying_loss(span, *TEST) for span in self.settings.spans},
        }
        active = self._activity()
        if active is not None:
            result["activity"] = ["".join(map(str, line)) for line in active.int().T.tolist()]
        return result

    @torch.no_grad()
    def _activity(self) -> Tensor | None:
        """T x K, on a sequence of the span of training; None for an LSTM."""
        self.model.eval()
        digits = random_digits(self.settings.digits, 1, torch.Generator().manual_seed(TEST[0]))
        inputs, _ = sequences(digits.to(self.device), self.settings.span)
        active = self.model.activity(inputs)
        return None if active is None else active[:, 0]

    def save(self, folder: Path) -> None:
        """Write the checkpoint and, from it, the log: neither is ever half of anything."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "updates": self.updates,
            "cpu_seconds": self.cpu_seconds,
            "log": self.log,
            "random": torch.get_rng_state(),
        }
        if self.device.type == "cuda":
            state["random_cuda"] = torch.cuda.get_rng_state(self.device)
        with atomic_path(folder / "checkpoint.pt") as temporary:
            torch.save(state, temporary)
        write_lines(folder / "log.jsonl", (json.dumps(line) for line in self.log))

    def load(self, folder: Path) -> None:
        """Go back to where `save` was called."""
        state = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.updates = state["updates"]
        self.cpu_seconds = state["cpu_seconds"]
        self.log = state["log"]
        torch.set_rng_state(state["random"])
        if self.device.type == "cuda" and "random_cuda" in state:
            torch.cuda.set_rng_state(state["random_cuda"], self.device)


def _read_result(folder: Path) -> dict | None:
    path = folder / "result.json"
    return read_json(path) if path.exists() else None


def _finished(result: dict, max_update: int) -> bool:
    return result["learned"] or result["updates"] >= max_update
