"""From raw parallel text to what fairseq trains on.

A prepared folder:

    raw/NAME.LANG         the text as given, one sentence a line; what scores are computed against
    sentencepiece.model   one subword model for both languages
    pieces/NAME.LANG      the text as pieces
    bin/                  fairseq's dictionaries and binarised data
"""

import shutil
from pathlib import Path

from rim_nmt.commands import console, fairseq_command, run, show
from rim_nmt.data.subwords import encode_lines, train_subwords
from rim_nmt.files import InputError, atomic_path, read_parallel, write_lines


def prepare(
    out: Path,
    source_lang: str,
    target_lang: str,
    train: Path,
    valid: Path,
    tests: dict[str, Path],
    vocab_size: int,
) -> None:
    """Prepare a corpus in the folder `out`. What exists there is made again.

    Args:
        out: the prepared folder.
        source_lang: file ending of the source side, such as "en".
        target_lang: file ending of the target side.
        train: prefix of the training text: PREFIX.LANG or PREFIX.LANG.gz.
        valid: prefix of the validation text.
        tests: name -> prefix of each test set.
        vocab_size: subwords.

    Raises:
        InputError: files are missing, not UTF-8 or not aligned; the vocabulary does not fit.
    """
    languages = (source_lang, target_lang)
    prefixes = {"train": train, "valid": valid, **tests}
    for name, prefix in prefixes.items():
        sides = read_parallel(*(find_text(prefix, language) for language in languages))
        for language, lines in zip(languages, sides, strict=True):
            write_lines(out / "raw" / f"{name}.{language}", lines)
        if name == "train":
            console.print(f"  {len(sides[0]):,} training pairs; {vocab_size:,} joint subwords")
            train_subwords(
                [line for side in sides for line in side], out / "sentencepiece.model", vocab_size
            )
        for language, lines in zip(languages, sides, strict=True):
            pieces = encode_lines(out / "sentencepiece.model", lines)
            write_lines(out / "pieces" / f"{name}.{language}", pieces)

    def command(destination: Path) -> list[str]:
        return fairseq_command(
            "preprocess",
            *("--source-lang", source_lang, "--target-lang", target_lang),
            *("--trainpref", out / "pieces" / "train", "--validpref", out / "pieces" / "valid"),
            *(["--testpref", ",".join(str(out / "pieces" / n) for n in tests)] if tests else []),
            *("--destdir", destination, "--joined-dictionary", "--workers", 2),
        )

    show(command(out / "bin"))
    with atomic_path(out / "bin") as temporary:
        run(command(temporary), out / "preprocess.log")
        shutil.rmtree(out / "bin", ignore_errors=True)  # a folder can only replace an empty one
    for index, name in enumerate(tests):
        console.print(f"  {name}: --gen-subset test{index or ''} for fairseq-generate")


def find_text(prefix: Path, language: str) -> Path:
    """PREFIX.LANG, or PREFIX.LANG.gz where only that exists.

    Raises:
        InputError: neither exists.
    """
    plain = Path(f"{prefix}.{language}")
    packed = Path(f"{prefix}.{language}.gz")
    if plain.exists():
        return plain
    if packed.exists():
        return packed
    raise InputError(f"neither {plain} nor {packed} exists")
