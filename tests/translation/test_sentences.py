import pytest

from rim_nmt.translation.sentences import cut

LINES = [
    'Dr. Smith left at 5 p.m. yesterday. Did he?  He said: "Goodbye, Mr. Jones!"\tThen he went.',
    "  A dog sleeps.   ",
    "no end",
    "",
    " \t ",
    "One. Two... Three!\u00a0Four?\u2028Five.",
    "1. First point. 2. Second point.",
]


@pytest.mark.parametrize("text", LINES)
@pytest.mark.parametrize("language", ["en", "de", "qaa", None])
def test_a_line_is_put_together_as_it_was(text, language):
    line = cut(text, language)
    assert line.join(line.sentences) == text
    assert len(line.gaps) == len(line.sentences) + 1
    assert all(sentence == sentence.strip() != "" for sentence in line.sentences)
    assert not "".join(line.gaps).strip()


def test_sentences_are_cut_at_their_ends_and_not_at_abbreviations():
    assert cut(LINES[0], "en").sentences == (
        "Dr. Smith left at 5 p.m. yesterday.",
        "Did he?",
        'He said: "Goodbye, Mr. Jones!"',
        "Then he went.",
    )


def test_without_a_language_a_line_is_one_sentence():
    assert cut(" One. Two. ", None).sentences == ("One. Two.",)


def test_translations_take_the_places_of_sentences():
    assert cut(" One.  Two.\t", "en").join(["Eins.", "Zwei."]) == " Eins.  Zwei.\t"
    with pytest.raises(ValueError):
        cut("One. Two.", "en").join(["Eins."])
