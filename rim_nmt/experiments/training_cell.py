"""One cell of an experiment: a folder in which a model is trained, averaged and scored, and which a
run that was stopped can take up again.

    cell.json             the settings and every command
    train.log             what fairseq-train printed
    checkpoints/          its checkpoints; average.pt is the mean of the last ones
    scores/TEST.json|hyp  the report and the translations of each test set
    result.json           what the table needs; a cell that has it is finished
"""

import datetime
import json
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.progress import Progress

from rim_nmt.errors import InputError
from rim_nmt.plugin.processor import processor_name
from rim_nmt.runtime.fairseq_commands import environment_of_children, is_trained, run, show, train
from rim_nmt.runtime.files import InUseError, folder_lock, read_json, write_json


def cell_name(model: str, pairs: Sequence[str], seed: int) -> str:
    """The name of a cell's folder, such as rim.en-de+en-fr.seed1."""
    return f"{model}.{'+'.join(pairs)}.seed{seed}"


@dataclass(frozen=True)
class Cell:
    """A training and its scores.

    Args:
        folder: where all of it is kept.
        about: what the table says of it: model, pairs, seed.
        max_update: updates of the training.
        train: the fairseq-train command; its checkpoints go to `folder/checkpoints`.
        average: the command that writes `folder/checkpoints/average.pt`; None where nothing is
            scored.
        score: name of a report -> the command that writes `folder/scores/NAME.json`, which may
            write others too; the name is that of the test set, with the pair behind it where the
            model knows several. Test sets may be added to a cell that is finished.
    """

    folder: Path
    about: dict
    max_update: int
    train: list[str]
    average: list[str] | None
    score: dict[str, list[str]]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def commands(self) -> list[list[str]]:
        """Everything that is run, in order."""
        scoring = [list(command) for command in dict.fromkeys(map(tuple, self.score.values()))]
        return [*self._making, *scoring]

    @property
    def _making(self) -> list[list[str]]:
        """The commands that make the model."""
        return [self.train, *([self.average] if self.average else [])]

    @property
    def finished(self) -> bool:
        """Whether there is a result with every score that is asked for."""
        return (self.folder / "result.json").exists() and {
            self._test(report) for report in self.score
        } <= self._scores().keys()

    def _test(self, report: str) -> str:
        """The test set of a report."""
        return report.removesuffix(f".{self.about['pairs'][0]}")

    def _scores(self) -> dict:
        """What was scored before."""
        result = self.folder / "result.json"
        return read_json(result)["scores"] if result.exists() else {}

    def check(self) -> None:
        """Refuse a folder whose model was made by other commands.

        Raises:
            InputError: with the first command that differs.
        """
        record = self.folder / "cell.json"
        if not record.exists():
            return
        before = read_json(record)["commands"]
        for then, now in zip(before, self._making, strict=False):
            if _in_our_words(then) != now:
                raise InputError(
                    f"{self.folder} was made by another command:\n  {' '.join(then)}\nnow it "
                    f"would be\n  {' '.join(now)}\nChoose another --out, or delete the folder"
                )

    def run(self, progress: Progress) -> bool:
        """Do what has not been done yet.

        Returns:
            False where another process is at work on this cell.

        Raises:
            InputError: a command failed, or the folder was made by other commands.
        """
        self.check()
        try:
            with folder_lock(self.folder):
                if not self.finished:
                    self._run(progress)
        except InUseError:
            return False
        return True

    def _run(self, progress: Progress) -> None:
        if (self.folder / "checkpoints/checkpoint_last.pt").exists():
            progress.console.print(f"{self.name}: goes on from its last checkpoint")
        write_json(self.folder / "cell.json", {**self.about, "commands": self.commands})
        log = self.folder / "train.log"
        if not is_trained(log):
            show(self.train)
            train(self.train, log, self.max_update, progress, self.name)
        steps = [(self.average, self.folder / "checkpoints/average.pt")] if self.average else []
        for report, command in self.score.items():
            steps.append((command, self.folder / f"scores/{report}.json"))
        for command, product in steps:
            if not product.exists():
                show(command)
                run(command, self.folder / "score.log")
        write_json(self.folder / "result.json", self._result())

    def _result(self) -> dict:
        scores = self._scores()
        for name in self.score:
            report = read_json(self.folder / f"scores/{name}.json")
            scores[self._test(name)] = {
                **{key: report[key] for key in ("BLEU", "chrF", "reference", "sentences")},
                "translations": f"scores/{name}.hyp",
            }
        return {
            **self.about,
            **read_log(self.folder / "train.log"),
            "scores": scores,
            "date": datetime.date.today().isoformat(),
            "torch": torch.__version__,
            "hardware": hardware(),
        }


def _in_our_words(command: list[str]) -> list[str]:
    """A command as it is written now: cells that were begun with scripts/NAME.py go on."""
    script = Path(command[1])
    if script.parent.name == "scripts" and script.suffix == ".py":
        return [command[0], "-m", "rim_nmt", script.stem, *command[2:]]
    return command


def read_log(log: Path) -> dict:
    """The figures of a training in what fairseq-train printed (`--log-format json`).

    Where a training was taken up again, what was logged last for an update counts.

    Returns:
        parameters; updates; tokens_per_second and seconds_per_update, medians; valid, a list of
        (update, loss in bits per subword without label smoothing, over all pairs that were
        trained); valid_loss, the lowest of them; usage, the last figures of how evenly mechanisms
        are used ({} where there are none).

    Raises:
        InputError: the log has no validation.
    """
    text = log.read_text(encoding="utf-8", errors="replace")
    tokens: dict[int, float] = {}
    seconds: dict[int, float] = {}
    valid: dict[int, float] = {}
    usage: dict[str, float] = {}
    for kind, line in re.findall(r"\| (train_inner|valid) \| (\{.*\})", text):
        figures = json.loads(line)
        if kind == "train_inner":
            tokens[int(figures["num_updates"])] = float(figures["wps"])
            seconds[int(figures["num_updates"])] = 1 / float(figures["ups"])
        else:
            valid[int(figures["valid_num_updates"])] = float(figures["valid_nll_loss"])
            usage = {
                key.removeprefix("valid_"): float(value)
                for key, value in figures.items()
                if key.endswith(("_usage", "_least"))
            }
    parameters = re.search(r"num\. shared model params: ([\d,]+)", text)
    if not valid or not parameters:
        raise InputError(f"{log} has no validation in it: the training did not get so far")
    return {
        "parameters": int(parameters[1].replace(",", "")),
        "updates": max(valid),
        "tokens_per_second": round(statistics.median(tokens.values())) if tokens else None,
        "seconds_per_update": round(statistics.median(seconds.values()), 4) if seconds else None,
        "valid": sorted(valid.items()),
        "valid_loss": min(valid.values()),
        "usage": usage,
    }


def hardware() -> str:
    """The processor, or the GPU where there is one, and how many of them."""
    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    threads = environment_of_children()["OMP_NUM_THREADS"]
    return f"{processor_name()}, {threads} thread(s) a training"
