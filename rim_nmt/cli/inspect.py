"""See what the mechanisms did: at a sentence, or over a text.

For a sentence: which mechanisms were active at each piece, how much each one wanted it (in
hundredths), where the attention looked, and how sure the model was. For a text: how often each
mechanism is active by word class, word and position, and whether word classes and active
mechanisms have anything to do with each other (mutual information, with a permutation test).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rim_nmt.cli.shared import add_model_arguments, add_verbosity, load_translator
from rim_nmt.errors import InputError

EXAMPLES = """\
examples:
  rim-nmt inspect "A dog runs."
  rim-nmt inspect "A dog runs." --model models/mine --picture dog.png --html dog.html
  rim-nmt inspect --test text.en --reference text.de --model models/mine --json figures.json
  rim-nmt inspect --test text.en --reference text.de --knock-outs --picture lost.png
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `run`."""
    parser.add_argument("sentence", nargs="?", help="the sentence to look at")
    parser.add_argument("--translation", help="look at this translation, not at the model's own")
    parser.add_argument(
        "--test", type=Path, metavar="FILE", help="look at a text of one sentence a line instead"
    )
    parser.add_argument(
        "--reference",
        type=Path,
        metavar="FILE",
        help="its translations, line by line; without, the model's own",
    )
    parser.add_argument(
        "--knock-outs",
        action="store_true",
        help="of a text: the BLEU that is lost without each mechanism",
    )
    parser.add_argument(
        "--picture", type=Path, metavar="PNG", help="of a sentence or of --knock-outs: draw it"
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="of a sentence: a page to explore"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="all figures")
    add_model_arguments(parser)
    add_verbosity(parser)


def run(arguments: argparse.Namespace) -> None:
    """Look at a sentence or at a text.

    Raises:
        InputError: neither or both are given, or a file or the model cannot be used.
    """
    if (arguments.sentence is None) == (arguments.test is None):
        raise InputError('give a sentence, as in rim-nmt inspect "A dog runs.", or --test FILE')
    of_texts = {"--reference": arguments.reference, "--knock-outs": arguments.knock_outs or None}
    of_sentences = {
        "--translation": arguments.translation,
        "--picture": None if arguments.knock_outs else arguments.picture,
        "--html": arguments.html,
    }
    if arguments.knock_outs and arguments.test and not arguments.reference:
        raise InputError("--knock-outs needs --reference FILE")
    for flag, value in (of_texts if arguments.test is None else of_sentences).items():
        if value is not None:
            other = "--test FILE" if arguments.test is None else "a sentence"
            raise InputError(f"{flag} goes with {other}")
    if arguments.picture and arguments.picture.suffix.lower() != ".png":
        raise InputError(f"--picture {arguments.picture}: expected a name that ends in .png")
    if arguments.test is None:
        _sentence(arguments)
    elif arguments.knock_outs:
        _knock_outs(arguments)
    else:
        _text(arguments)


def _sentence(arguments: argparse.Namespace) -> None:
    from rim_nmt.runtime.console import result_console
    from rim_nmt.runtime.files import write_json, write_lines
    from rim_nmt.translation.terminal import in_terminal

    translator = load_translator(arguments)
    explanation = translator.explain(arguments.sentence, arguments.translation, arguments.beam)
    result_console.print(in_terminal(explanation), soft_wrap=False)
    if arguments.json:
        write_json(arguments.json, explanation.as_dict())
    if arguments.html:
        from rim_nmt.translation.page.drawing import explanation_html

        write_lines(arguments.html, explanation_html([explanation]).splitlines())
    if arguments.picture:
        from rim_nmt.runtime.plots import save_figure
        from rim_nmt.translation.picture import picture

        save_figure(picture(explanation), arguments.picture)


def _text(arguments: argparse.Namespace) -> None:
    from rim_nmt.runtime.console import ProgressBar, result_console
    from rim_nmt.runtime.files import read_lines, read_parallel, write_json
    from rim_nmt.translation.specialisation import Tagger, statistics
    from rim_nmt.translation.terminal import statistics_in_terminal

    pairs: Sequence[tuple[str, str | None]]
    if arguments.reference:
        lines = zip(*read_parallel(arguments.test, arguments.reference), strict=True)
        pairs = [(source, target) for source, target in lines if source.strip() and target.strip()]
    else:
        pairs = [(source, None) for source in read_lines(arguments.test) if source.strip()]
    translator = load_translator(arguments)
    taggers = {
        "source": Tagger(translator.source_lang),
        "target": Tagger(translator.target_lang),
    }
    with ProgressBar(pairs, desc="looking", unit=" lines") as bar:
        layers = statistics(
            (translator.explain(source, target, arguments.beam) for source, target in bar), taggers
        )
    for layer in layers:
        result_console.print(statistics_in_terminal(layer))
    if arguments.json:
        write_json(arguments.json, {"layers": [layer.as_dict() for layer in layers]})


def _knock_outs(arguments: argparse.Namespace) -> None:
    from rim_nmt.runtime.console import result_console
    from rim_nmt.runtime.files import read_parallel, write_json
    from rim_nmt.translation.knock_outs import knock_outs
    from rim_nmt.translation.terminal import knock_outs_in_terminal

    texts = read_parallel(arguments.test, arguments.reference)
    translator = load_translator(arguments)
    found = knock_outs(translator, *texts, beam=arguments.beam, asleep=arguments.disable)
    result_console.print(knock_outs_in_terminal(found))
    if arguments.json:
        write_json(arguments.json, found.as_dict())
    if arguments.picture:
        from rim_nmt.runtime.plots import save_figure
        from rim_nmt.translation.picture import knock_outs_picture

        save_figure(knock_outs_picture(found), arguments.picture)
