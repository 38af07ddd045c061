import pytest

from rim_nmt.translation.page.texts import cut_text

TEXT = "  One dog. Two dogs.\n\n \tThree dogs.\r\n"


def test_lines_and_blank_lines_are_white_space_between_sentences():
    line = cut_text(TEXT, "en")
    assert line.sentences == ("One dog.", "Two dogs.", "Three dogs.")
    assert line.join(["Eins.", "Zwei.", "Drei."]) == "  Eins. Zwei.\n\n \tDrei.\r\n"


@pytest.mark.parametrize("text", [TEXT, "", "\n", "\n\n a\n", "a\nb", "a", "\r\na.\r\n\r\nb."])
def test_a_text_is_put_together_as_it_was(text):
    line = cut_text(text, "en")
    assert line.join(line.sentences) == text
    assert not "".join(line.gaps).strip()
