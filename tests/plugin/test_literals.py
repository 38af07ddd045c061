"""What fairseq would evaluate as code is read as literals, wherever it does so."""

import ast
import contextlib
import sys
from argparse import Namespace
from pathlib import Path

import fairseq
import pytest
from fairseq.models import ARCH_CONFIG_REGISTRY

import rim_nmt.plugin.register  # noqa: F401
from rim_nmt.plugin.literals import literal

# The modules that call Python's eval (or exec, compile, __import__).
EVALUATE = """
criterions.ctc data.audio.raw_audio_dataset data.codedataset
models.fconv models.fconv_lm models.fconv_self_att models.hubert.hubert models.lightconv_lm
models.speech_to_text.s2t_wav_transformer models.transformer_lm
models.wav2vec.wav2vec models.wav2vec.wav2vec2
optim.adafactor optim.adam optim.adamax optim.cpu_adam optim.fused_lamb
utils
""".split()


def calls(path: Path) -> set[str]:
    """The functions that run code, of those that a module calls."""
    return {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    } & {"eval", "exec", "compile", "__import__"}


def test_every_module_of_fairseq_that_evaluates_is_known_and_changed():
    """Without examples, which are programs of their own: fairseq imports none of them to load a
    checkpoint."""
    root = Path(fairseq.__file__).parent
    found = {}
    for path in root.rglob("*.py"):
        name = path.relative_to(root).with_suffix("").parts
        if name[0] != "examples" and (called := calls(path)):
            found[".".join(name)] = called
    assert found == {name: {"eval"} for name in EVALUATE}
    for name in EVALUATE:
        assert sys.modules[f"fairseq.{name}"].eval is literal


@pytest.mark.parametrize(
    "text",
    [
        *("True", "0.25", "-1", "1e-8", " (0.9, 0.999)", "0.9,0.98", "[1, 2]", "{'a': [1]}"),
        *("[(512, 3)] * 20", "[(512, 3)] * 9 + [(1024, 3)] * 4 + [(2048, 1)] * 2"),
        *("[(512, 10, 5)] + [(512, 3, 2)] * 4 + [(512,2,2)] + [(512,2,2)]", "[0.25] * 4"),
        *("[(850, 6)] * 3 + [(850, 1)] * 1", "2 * [True]", "0.001 * 4", "None", "'text'"),
    ],
)
def test_literals_have_the_value_that_they_have_in_python(text):
    assert literal(text) == eval(text)


def test_what_the_architectures_of_fairseq_say_with_arithmetic_can_be_read():
    """The convolutional ones write their layers as text, such as "[(512, 3)] * 9 + ..."."""
    read = 0
    for name, fill_in in ARCH_CONFIG_REGISTRY.items():
        if name.startswith("fconv"):
            arguments = Namespace()
            fill_in(arguments)
            for value in vars(arguments).values():
                if isinstance(value, str) and value.startswith(("[", "True", "False")):
                    assert literal(value) == eval(value)
                    read += 1
    assert read >= 20


@pytest.mark.parametrize(
    "text",
    [
        *("__import__('os').mkdir({mark!r})", "[__import__('os').mkdir({mark!r})] * 3"),
        *("(lambda: __import__('os').mkdir({mark!r}))()", "[] + __import__('os').mkdir({mark!r})"),
    ],
)
def test_code_is_refused_and_does_not_run(text, tmp_path):
    mark = tmp_path / "it ran"
    text = text.format(mark=str(mark))
    for evaluate in (literal, fairseq.utils.eval_bool, fairseq.utils.eval_str_list):
        with pytest.raises(ValueError, match="is no literal"):
            evaluate(text)
    assert not mark.exists()
    with contextlib.suppress(TypeError):  # [] + None
        eval(text)
    assert mark.exists()  # the text is code: Python's eval runs it


@pytest.mark.parametrize(
    "text",
    [
        *("[0] * 10**9", "[0] * 1000000000", "1000000000 * 'text'", "[0] * 9999 * 9999"),
        *("9 ** 9", "-" * 9_999 + "1", "(" * 9_999, "[" * 9_999, "1+" * 4_999 + "1", "9" * 9_999),
        *("[0]" + " " * 10_000, "", "name", "1 if True else 2", "f'{1}'", "[x for x in (1, 2)]"),
    ],
)
def test_what_takes_much_or_is_no_literal_is_refused(text):
    with pytest.raises(ValueError, match="is no literal"):
        literal(text)


def test_what_is_no_text_is_a_type_error_as_for_eval():
    with pytest.raises(TypeError):
        literal(True)
    assert fairseq.utils.eval_bool(None, default=True) is True
    assert fairseq.utils.eval_bool("1") is True
    assert fairseq.utils.eval_str_list("[1, 2]", type=int) == [1, 2]
