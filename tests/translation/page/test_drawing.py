"""Explanations as one HTML file."""

import json
import re
import tomllib
from dataclasses import replace

from rim_nmt.translation.page.drawing import STATIC, drawn, explanation_html
from tests.conftest import ROOT
from tests.translation.page.capitals import Capitals

SENTENCE = "a </script><script>alert(1)</script> <!-- @@STYLE@@ dog"


def data(html: str) -> list[dict]:
    content = html.partition('id="explanations">')[2].partition("</script>")[0]
    return json.loads(content)


def test_no_sentence_can_leave_its_place():
    explanation = Capitals().explain(SENTENCE)
    html = explanation_html([explanation] * 2)
    assert data(html) == [json.loads(json.dumps(drawn(explanation)))] * 2
    assert data(html)[0]["source_words"][1]["text"] == "</script><script>alert(1)</script>"
    assert html.count("</script>") == html.count("<script") == 2
    assert "<!--" not in html
    assert "@@STYLE@@" in html  # the sentence's own


def test_the_file_is_whole_and_alone():
    html = explanation_html([])
    assert data(html) == []
    assert "@@" not in html
    assert not re.search(r"\b(href|src)=|https?:|@import|url\(", html)
    assert "default-src 'none'" in html


def test_the_page_and_the_file_share_style_and_script():
    html = explanation_html([])
    for name in ("style.css", "drawing.js"):
        content = (STATIC / name).read_text(encoding="utf-8")
        assert content in html
        assert "</s" not in content  # it would end its element


def test_numbers_are_rounded():
    explanation = replace(Capitals().explain("a"), scores=[-1 / 3, -2 / 3])
    assert drawn(explanation)["scores"] == [-0.3333, -0.6667]


def test_a_wheel_has_the_static_files():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["rim_nmt.translation.page"]
    carried = {path for pattern in patterns for path in STATIC.parent.glob(pattern)}
    assert carried >= set(STATIC.iterdir())
    assert {path.suffix for path in carried} == {".css", ".html", ".js", ".svg"}
