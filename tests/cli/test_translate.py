"""`rim-nmt translate` with a translator that knows one word."""

import io
import sys
from types import SimpleNamespace

import pytest

from rim_nmt.cli import translate
from rim_nmt.cli.main import main
from rim_nmt.errors import InputError

COMMAND = ("translate", "--checkpoint", "m.pt", "--data", "d")


class Parrot:
    """Says what it hears, louder each time."""

    source_lang, target_lang = "en", "en"

    def translate(self, sentences, beam, nbest):
        for sentence in sentences:
            if "?" in sentence:
                raise InputError("no questions")
            yield [SimpleNamespace(text=sentence + "!" * n, score=-n) for n in range(nbest)]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _parrot(monkeypatch):
    monkeypatch.setattr(translate, "load_translator", lambda _: Parrot())


def test_lines_from_a_pipe(call_script):
    assert call_script(*COMMAND, input="Hallo\n\nWelt\n") == "Hallo\n\nWelt\n"
    assert call_script(*COMMAND, "--nbest", 2, input="Hallo\n") == "0.000\tHallo\n-1.000\tHallo!\n"


@pytest.mark.parametrize("quiet", [True, False])
def test_a_prompt_on_a_terminal(monkeypatch, capsys, quiet):
    monkeypatch.setattr(sys, "stdin", Terminal("Hallo\nWho?\n\nWelt\n"))
    main([*COMMAND, *(["--quiet"] if quiet else [])])
    answers = "> Hallo\n> no questions\n> > Welt\n> \n"
    greeting = "" if quiet else "Type a sentence to translate it (en to en); Ctrl-D ends.\n"
    assert capsys.readouterr().out == greeting + answers


def test_more_translations_than_hypotheses_are_refused(refused):
    assert "--nbest 6 must be from 1 to --beam 5" in refused(*COMMAND, "--nbest", 6)


def test_a_closed_input_is_named(refused, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert "standard input is closed" in refused(*COMMAND)
