#!/usr/bin/env python3
"""Score a model on raw test sets: BLEU and chrF by sacreBLEU, with signatures.

Give the names of test sets of a prepared folder (--test), or the files of one test set (--source
and --reference). Translations and a JSON report go to --out.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rim_nmt.cli.shared import add_model_arguments, load_translator, run_main
from rim_nmt.errors import InputError
from rim_nmt.runtime.files import check_writable, is_name


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_model_arguments(parser)
    parser.add_argument(
        "--test",
        nargs="+",
        default=[],
        metavar="NAME[=PREFIX]",
        help="test sets: DATA/raw/NAME.PAIR.LANG, or PREFIX.PAIR.LANG",
    )
    parser.add_argument("--source", type=Path, help="raw source text, one sentence a line")
    parser.add_argument("--reference", type=Path, help="raw reference text, aligned with it")
    parser.add_argument(
        "--out", type=Path, help="folder for results (default: scores/ beside the checkpoint)"
    )
    arguments = parser.parse_args()
    if (arguments.source is None) != (arguments.reference is None):
        parser.error("--source and --reference go together")
    if bool(arguments.test) == bool(arguments.source):
        parser.error("give either --test NAME ... or --source FILE --reference FILE")
    for test in arguments.test:
        name, given, prefix = test.partition("=")
        if not is_name(name) or (given and not prefix):
            raise InputError(
                f"--test {test}: expected NAME or NAME=PREFIX; NAME of letters, digits, . - and _"
            )
    return arguments


def main() -> None:
    arguments = parse_arguments()
    translator = load_translator(arguments)
    from rim_nmt.translation.scoring import raw_test_set, score_test_set, write_scores

    languages = translator.source_lang, translator.target_lang
    test_sets = {
        test.partition("=")[0]: raw_test_set(arguments.data, test, *languages)
        for test in arguments.test
    }
    if arguments.source:
        test_sets[arguments.source.stem] = (arguments.source, arguments.reference)
    out = arguments.out or Path(arguments.checkpoint.split(":")[0]).parent / "scores"
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
            about={"checkpoint": arguments.checkpoint},
        )
        print(f"{name}: {report['sentences']} sentences, {report['sentences_per_second']} a second")
        for metric in ("BLEU", "chrF"):
            print(f"  {metric} {report[metric]['score']:.2f}  ({report[metric]['signature']})")
        sys.stdout.flush()  # the score is not lost where it cannot be written
        write_scores(out / name, report, hypotheses)
    print(f"translations and reports are in {out}")


if __name__ == "__main__":
    run_main(main)
