"""What the finished cells of an experiment have found: their results and translations."""

from collections.abc import Sequence
from pathlib import Path

from rim_nmt.errors import InputError
from rim_nmt.experiments.table8.recipes import MODELS
from rim_nmt.experiments.tables import figure
from rim_nmt.experiments.training_cell import cell_name
from rim_nmt.runtime.files import read_json, read_lines

METRICS = ("BLEU", "chrF")


def read_results(cells: Path) -> list[dict]:
    """result.json of every finished cell, in the order: RIM, its twins, other models; pairs; seed.

    Raises:
        InputError: there are none.
    """
    found = [read_json(path) for path in cells.glob("*/result.json")]
    if not found:
        raise InputError(f"no cell in {cells} is finished")

    def key(result: dict) -> tuple:
        model = result["model"]
        place = MODELS.index(model) if model in MODELS else len(MODELS)
        return len(result["pairs"]), result["pairs"], place, model, result["seed"]

    return sorted(found, key=key)


def summarise(results: Sequence[dict]) -> dict:
    """Mean and spread of one model over its seeds.

    Args:
        results: of cells that differ in the seed only.

    Returns:
        What the table says of them; "spread" is the standard deviation, None for one seed.
    """
    first = results[0]
    return {
        **{key: first[key] for key in ("model", "pairs", "parameters")},
        "seeds": [result["seed"] for result in results],
        "updates": figure([result["updates"] for result in results]),
        "valid_loss": figure([result["valid_loss"] for result in results]),
        "tokens_per_second": figure([result["tokens_per_second"] for result in results]),
        "usage": {key: figure([r["usage"][key] for r in results]) for key in first["usage"]},
        "scores": {
            test: {m: figure([r["scores"][test][m]["score"] for r in results]) for m in METRICS}
            for test in shared_tests(results)
        },
    }


def shared_tests(results: Sequence[dict]) -> list[str]:
    """The test sets that all of some results or rows have; some may have been scored on more."""
    first, *others = (result["scores"] for result in results)
    return [test for test in first if all(test in scores for scores in others)]


def translations(cells: Path, result: dict, test: str) -> list[str]:
    """What a finished cell made of a test set, line by line.

    Args:
        cells: the folder with a folder for each cell.
        result: of the cell, from `read_results`.
        test: the name of the test set.

    Raises:
        InputError: it does not fit the test set any more.
    """
    folder, scores = _folder(cells, result), result["scores"][test]
    lines = read_lines(folder / scores["translations"])
    references = read_lines(Path(scores["reference"]))
    if len(lines) != len(references):
        raise InputError(
            f"{scores['reference']} has {len(references)} lines, but the translation of {test} in "
            f"{folder} has {len(lines)}: it was scored with another test set"
        )
    return lines


def has_translations(cells: Path, result: dict) -> bool:
    """Whether a cell has its translations still; for most figures result.json is enough."""
    folder = _folder(cells, result)
    return all((folder / scores["translations"]).exists() for scores in result["scores"].values())


def _folder(cells: Path, result: dict) -> Path:
    return cells / cell_name(result["model"], result["pairs"], result["seed"])
