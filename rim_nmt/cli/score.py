"""Score a model on raw test sets: BLEU and chrF by sacreBLEU, with signatures.

Give the names of test sets of a prepared folder (--test), or the files of one test set (--source
and --reference). Translations and a JSON report go to --out.
"""

import argparse
import sys
from pathlib import Path

from rim_nmt.cli.shared import add_model_arguments, add_verbosity, load_translator
from rim_nmt.errors import InputError

EXAMPLES = """\
examples:
  rim-nmt score --checkpoint runs/mine --data data/mine --test test
  rim-nmt score --model everyday --source talks.en --reference talks.de --out scores
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `run`."""
    add_model_arguments(parser)
    parser.add_argument(
        "--test",
        nargs="+",
        default=[],
        metavar="NAME[=PREFIX]",
        help="test sets: DATA/raw/NAME.PAIR.LANG, or PREFIX.PAIR.LANG",
    )
    parser.add_argument(
        "--source", type=Path, metavar="FILE", help="raw source text, one sentence a line"
    )
    parser.add_argument(
        "--reference", type=Path, metavar="FILE", help="raw reference text, aligned with it"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where the results go (default: scores/ beside the model; here for a model by name)",
    )
    add_verbosity(parser)


def run(arguments: argparse.Namespace) -> None:
    """Translate and score every test set.

    Raises:
        InputError: what is given does not go together, or a file is missing or wrong.
    """
    _check(arguments)
    translator = load_translator(arguments)
    from rim_nmt.runtime.files import check_writable
    from rim_nmt.translation.model_folder import DEFAULT
    from rim_nmt.translation.scoring import raw_test_set, score_test_set, write_scores

    languages = translator.source_lang, translator.target_lang
    test_sets = {
        test.partition("=")[0]: raw_test_set(arguments.data, test, *languages)
        for test in arguments.test
    }
    if arguments.source:
        test_sets[arguments.source.stem] = (arguments.source, arguments.reference)
    model = str(arguments.checkpoint or arguments.model or DEFAULT)
    beside = Path(model.split(":")[0])
    training = arguments.checkpoint and beside.is_dir()
    out = arguments.out or (beside if training else beside.parent) / "scores"
    check_writable(out)
    several = len(translator.pairs) > 1
    for name, (source, reference) in test_sets.items():
        if several:  # each pair may have a test set of this name
            name = f"{name}.{'-'.join(languages)}"
        report, hypotheses = score_test_set(
            translator,
            source,
            reference,
            beam=arguments.beam,
            about={"checkpoint": model, "disabled": arguments.disable},
        )
        print(f"{name}: {report['sentences']} sentences, {report['sentences_per_second']} a second")
        for metric in ("BLEU", "chrF"):
            print(f"  {metric} {report[metric]['score']:.2f}  ({report[metric]['signature']})")
        sys.stdout.flush()  # the score is not lost where it cannot be written
        write_scores(out / name, report, hypotheses)
    if not arguments.quiet:
        print(f"translations and reports are in {out}")


def _check(arguments: argparse.Namespace) -> None:
    from rim_nmt.runtime.files import is_name

    if (arguments.source is None) != (arguments.reference is None):
        raise InputError("--source and --reference go together")
    if bool(arguments.test) == bool(arguments.source):
        raise InputError("give either --test NAME ... or --source FILE --reference FILE")
    for test in arguments.test:
        name, given, prefix = test.partition("=")
        if not is_name(name) or (given and not prefix):
            raise InputError(
                f"--test {test}: expected NAME or NAME=PREFIX; NAME of letters, digits, . - and _"
            )
        if not given and not arguments.data:
            raise InputError(f"--test {test}: give the prepared folder that has it as --data")
