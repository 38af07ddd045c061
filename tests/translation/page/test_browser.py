"""The page in a browser."""

import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect

from rim_nmt.errors import InputError
from rim_nmt.translation.page.drawing import explanation_html
from rim_nmt.translation.page.limits import Limits
from rim_nmt.translation.page.server import create_app
from tests.translation.page.browser import chromium, chromium_path
from tests.translation.page.capitals import Capitals

pytestmark = pytest.mark.skipif(chromium_path() is None, reason="there is no Chromium here")

TEXT = "One old dog.\n\n  Two <b>cats</b>."


class Server:
    """The page's server in a thread."""

    def __init__(self, translator: Capitals, limits: Limits):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        config = uvicorn.Config(
            create_app(translator, limits), log_level="error", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def translator() -> Capitals:
    return Capitals()


@pytest.fixture(scope="module")
def server(translator) -> Iterator[Server]:
    server = Server(translator, Limits(characters=500, sentences=10))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def problems() -> list[str]:
    """What the browser complained about, and what it asked for from elsewhere."""
    return []


@pytest.fixture(scope="module")
def tab(browser, server, problems) -> Iterator[Page]:
    """A tab for all tests: a new one takes a second."""
    page = browser.new_page()
    page.set_default_timeout(5000)

    def watch(request: Request) -> None:
        if not request.url.startswith((server.address, "file:")):
            problems.append(f"asked for {request.url}")

    def listen(message: ConsoleMessage) -> None:
        # that a request was refused is for the reader to know, and is on the page
        if message.type == "error" and "Failed to load" not in message.text:
            problems.append(message.text)

    page.on("request", watch)
    page.on("console", listen)
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    page.close()


@pytest.fixture
def page(tab, server, problems) -> Iterator[Page]:
    """The page as it is when it is opened; nothing goes wrong in it behind the scenes."""
    tab.set_viewport_size({"width": 1200, "height": 700})
    tab.emulate_media(color_scheme="light", reduced_motion="no-preference")
    tab.goto(server.address)
    problems.clear()
    yield tab
    assert not problems


def typed(page: Page, text: str = TEXT) -> Page:
    """The page with a text, when all of it is there."""
    page.get_by_label("English").fill(text)
    expect(page.locator("#translation .word").first).to_be_visible()
    return page


def word(page: Page, text: str) -> Locator:
    """A word of the translation."""
    return page.locator("#translation .word", has_text=text)


def test_it_translates_what_is_typed(page):
    page.get_by_label("English").press_sequentially("One dog.", delay=5)
    translation = page.locator("#translation")
    expect(translation).to_have_text("ONE DOG.")
    expect(page.get_by_text("German")).to_be_visible()
    expect(page.locator("#spoken")).to_have_text("ONE DOG.")
    assert page.locator("#spoken").get_attribute("aria-live") == "polite"
    assert translation.get_attribute("lang") == "de"
    page.get_by_label("English").fill("")
    expect(translation).to_have_text("")
    expect(page.locator("#mechanisms")).to_be_hidden()


def test_white_space_is_kept_and_html_is_text(page):
    typed(page)
    assert page.locator("#translation").inner_text() == TEXT.upper()
    assert page.locator("#translation b").count() == 0


def test_a_word_shows_its_source_and_the_mechanisms(page):
    typed(page)
    word(page, "OLD").hover()
    summary = page.locator(".summary")
    expect(summary).to_have_text(
        "“OLD” looked at “old” 100 %. Active mechanisms: 0, 1 (decoder, layer 2)."
    )
    assert word(page, "OLD").get_attribute("class") == "word selected"
    shares = page.locator(".strip.source .word").evaluate_all(
        "words => words.map((word) => word.style.getPropertyValue('--share'))"
    )
    assert shares == ["0%", "100%", "0%", "0%"]
    marked = (
        page.locator(".strip.target tr.mechanism")
        .first.locator("td")
        .evaluate_all("cells => cells.map((cell) => cell.classList.contains('marked'))")
    )
    assert marked == [False, True, False, False]
    # and from the other side
    page.locator(".strip.source .word", has_text="dog.").hover()
    expect(summary).to_contain_text("“dog.” was looked at while writing “DOG.” 100 %.")
    assert word(page, "DOG.").evaluate("word => word.style.getPropertyValue('--share')") == "100%"


def test_a_strip_has_a_square_for_each_mechanism_and_piece(page):
    typed(page)
    rows = page.locator(".strip.source tr.mechanism")
    expect(rows).to_have_count(3)
    squares = rows.nth(1).locator("span")
    assert squares.evaluate_all("all => all.map((square) => square.className)") == (
        ["active", "active", "idle", "active"]
    )
    filled, empty = (
        squares.nth(number).evaluate("square => getComputedStyle(square).backgroundColor")
        for number in (0, 2)
    )
    assert filled != empty == "rgb(255, 255, 255)"
    assert squares.nth(1).get_attribute("aria-label") == "active, wanted 75 %"


def test_the_layer_can_be_chosen_and_stays(page):
    typed(page)
    word(page, "OLD").hover()
    choice = page.locator(".strip.target select")
    assert choice.locator("option").all_inner_texts() == [
        "decoder, first layer (below the attention)",
        "decoder, layer 2",
    ]
    choice.select_option("decoder.0")
    expect(page.locator(".summary")).to_contain_text("first layer (below the attention)")
    typed(page, "A cat.")
    expect(page.locator("#translation")).to_have_text("A CAT.")
    expect(page.locator(".strip.target select")).to_have_value("decoder.0")


def test_each_sentence_has_its_drawing(page):
    typed(page)
    word(page, "TWO").hover()
    expect(page.locator("#which select")).to_have_value("1")
    expect(page.locator(".strip.source .word").nth(1)).to_have_text("<b>cats</b>.")
    page.locator("#which select").select_option("0")
    expect(page.locator(".strip.source .word").nth(1)).to_have_text("old")


def test_another_translation_can_be_chosen(page):
    typed(page, "One dog.")
    page.get_by_text("Other translations").click()
    expect(page.get_by_role("radio")).to_have_count(5)
    page.get_by_label("ONE DOG.!!", exact=True).check()
    expect(page.locator("#translation")).to_have_text("ONE DOG.!!")
    expect(page.locator(".strip.target .word").nth(1)).to_have_text("DOG.!!")


def test_the_keyboard_is_enough(page):
    page.keyboard.type("One old dog.")  # the text has the focus
    expect(page.locator("#translation .word")).to_have_count(3)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Copy")).to_be_focused()
    page.keyboard.press("Tab")
    expect(word(page, "ONE")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(word(page, "OLD")).to_be_focused()
    expect(page.locator(".summary")).to_contain_text("“OLD” looked at “old”")
    assert word(page, "OLD").evaluate("word => getComputedStyle(word).outlineStyle") == "solid"
    page.keyboard.press("End")
    expect(word(page, "DOG.")).to_be_focused()
    page.keyboard.press("Tab")  # one stop for all words
    expect(page.get_by_text("Other translations")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#translation")).to_have_text("ONE OLD DOG.!")


def test_everything_has_a_name(page):
    typed(page)
    page.get_by_text("Other translations").click()
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, textarea, [role=button]")]
            .filter((element) => !(element.labels?.length || element.ariaLabel
                                   || element.textContent.trim()))
            .map((element) => element.outerHTML)"""
    )
    assert unnamed == []


@pytest.mark.parametrize("width", [360, 700, 1200])
def test_no_width_makes_the_page_scroll_sideways(page, width):
    page.set_viewport_size({"width": width, "height": 700})
    typed(page, "long " * 15 + "x" * 200)
    page.get_by_text("Other translations").click()
    word(page, "LONG").last.hover()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    scroll = page.locator(".strip.target .scroll")
    selected_word = page.locator(".strip.target .word.selected")
    assert scroll.evaluate("strip => strip.scrollWidth > strip.clientWidth")
    inside, outside = selected_word.bounding_box(), scroll.bounding_box()
    assert outside["x"] <= inside["x"] < outside["x"] + outside["width"]
    left, right = (page.locator(place).bounding_box()["x"] for place in ("#typed", "#translation"))
    assert (left < right) == (width > 700)


def luminance(page: Page, selector: str, kind: str) -> float:
    colour = page.locator(selector).first.evaluate(f"element => getComputedStyle(element).{kind}")
    return sum(float(part) for part in re.findall(r"[\d.]+", colour)[:3]) / 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_as_light_or_dark_as_the_reader_wants(page, scheme):
    page.emulate_media(color_scheme=scheme)
    typed(page)
    for selector in ("#typed", "#translation", ".summary"):
        paper = luminance(page, "body", "backgroundColor")
        assert (luminance(page, selector, "color") > paper + 100) == (scheme == "dark")


def test_nothing_moves_where_that_is_not_wanted(page):
    typed(page)
    for motion, seconds in (("reduce", "0s"), ("no-preference", "0.12s")):
        page.emulate_media(reduced_motion=motion)
        duration = word(page, "OLD").evaluate("word => getComputedStyle(word).transitionDuration")
        assert duration == seconds


def test_what_is_refused_is_told(page):
    typed(page)
    alert = page.get_by_role("alert")
    page.get_by_label("English").fill("a" * 501)
    expect(alert).to_contain_text("The text has 501 characters, more than 500")
    expect(page.locator("#translation")).to_have_text("")
    typed(page, "One.")
    expect(alert).to_be_hidden()
    page.get_by_label("English").fill("broken")
    expect(alert).to_contain_text("The server failed")


def test_late_answers_are_dropped(page, translator):
    translator.busy.clear()
    translator.open.clear()
    try:
        page.get_by_label("English").fill("late answer")
        expect(page.locator("#translation")).to_have_attribute("aria-busy", "true")
        assert translator.busy.wait(5)
        page.get_by_label("English").fill("early")
    finally:
        translator.open.set()
    page.evaluate(
        """() => new MutationObserver(() => {
            if (document.querySelector("#translation").textContent.includes("LATE")) {
                throw new Error("a late answer is shown");
            }
        }).observe(document.querySelector("#translation"), { childList: true, subtree: true })"""
    )
    expect(page.locator("#translation")).to_have_text("EARLY")


def test_a_model_that_cannot_be_explained_translates(page, translator, monkeypatch):
    def explain(*_, **__):
        raise InputError("several checkpoints vote")

    monkeypatch.setattr(translator, "explain", explain)
    page.get_by_label("English").fill("ensemble")
    expect(page.locator("#note")).to_have_text("several checkpoints vote")
    expect(page.locator("#translation")).to_have_text("ENSEMBLE")


def test_a_server_that_goes_and_comes_back(browser, translator):
    server = Server(translator, Limits())
    page = browser.new_page()
    page.goto(server.address)
    typed(page)
    server.stop()
    page.get_by_label("English").fill("Anybody?")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The server does not answer. Is it still running?")
    page.route(
        "**/translate",
        lambda route: route.fulfill(json={"translatedText": "YES", "alternatives": []}),
    )
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#translation")).to_have_text("YES")
    expect(alert).to_be_hidden()
    page.close()


def test_an_explanation_in_one_file(page, tmp_path, translator):
    file = tmp_path / "explanation.html"
    explanations = [translator.explain(text) for text in ("One </script> dog.", "Two cats.")]
    file.write_text(explanation_html(explanations), encoding="utf-8")
    page.goto(file.as_uri())
    assert page.locator("h2").all_inner_texts() == ["ONE </SCRIPT> DOG.", "TWO CATS."]
    page.get_by_role("button", name="CATS.", exact=True).hover()
    expect(page.locator(".summary").nth(1)).to_contain_text("“CATS.” looked at “cats.” 100 %")
    # the style is taken, too: the policy knows it
    assert (
        page.locator(".drawing").first.evaluate("drawing => getComputedStyle(drawing).borderStyle")
        == "solid"
    )
