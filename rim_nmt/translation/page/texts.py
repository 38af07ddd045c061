"""Text of several lines, cut into sentences."""

from rim_nmt.translation.sentences import Line, cut


def cut_text(text: str, language: str) -> Line:
    """The sentences of all lines of a text, as if it were one line: the ends of its lines, and
    blank lines, are part of the white space between sentences.

    Args:
        text: of any number of lines.
        language: by whose rules its lines are cut, such as "en".
    """
    sentences: list[str] = []
    gaps = [""]
    for number, content in enumerate(text.split("\n")):
        line = cut(content, language)
        gaps[-1] += ("\n" if number else "") + line.gaps[0]
        gaps += line.gaps[1:]
        sentences += line.sentences
    return Line(tuple(sentences), tuple(gaps))
