"""Read the strings of a configuration as literals, where fairseq would run them as code.

fairseq gives strings such as "[(512, 3)] * 20" to Python's `eval`, and such a string may come from
a checkpoint. A name in a module goes before Python's own: the modules of fairseq get an `eval`
that knows literals only.
"""

import ast
import operator
import sys

# with these, all modules of fairseq that call eval are loaded
import fairseq.criterions  # noqa: F401
import fairseq.models  # noqa: F401
import fairseq.optim  # noqa: F401
import fairseq.tasks  # noqa: F401

# Far above what a configuration says. Neither a long text nor a short one ("[0] * 10**9") may
# take all memory.
MOST_CHARACTERS = 10_000
MOST_ITEMS = 10_000


def use_literals() -> None:
    """Give every module of fairseq that is loaded `literal` in place of Python's `eval`."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "fairseq":
            vars(module)["eval"] = literal


def literal(text: str):
    """The value of a literal, or of literals joined by + and *, as fairseq's defaults are.

    Args:
        text: such as "True", "0.9, 0.98" or "[(512, 3)] * 9 + [(1024, 3)] * 4".

    Raises:
        TypeError: it is no text (as `eval` does, which fairseq relies on).
        ValueError: it is anything else than literals, or too long.
    """
    if not isinstance(text, str):
        raise TypeError(f"a literal is a text, got {type(text).__name__}")
    try:
        if len(text) > MOST_CHARACTERS:
            raise ValueError("too long")
        return _value(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, TypeError, ValueError, MemoryError, RecursionError):
        raise ValueError(
            f"{text[:80]!r} is no literal (or too long a one): code in a configuration is not run"
        ) from None


def _value(node: ast.expr):
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mult)):
        left, right = _value(node.left), _value(node.right)
        if isinstance(node.op, ast.Add):
            items, join = _length(left) + _length(right), operator.add
        else:
            items = max(_length(left) * _times(right), _length(right) * _times(left))
            join = operator.mul
        if items > MOST_ITEMS:
            raise ValueError("too long")
        return join(left, right)
    return ast.literal_eval(node)


def _length(value) -> int:
    return len(value) if hasattr(value, "__len__") else 0


def _times(value) -> int:
    return value if isinstance(value, int) else 1
