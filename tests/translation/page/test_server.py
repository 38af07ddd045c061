"""The JSON interface."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from rim_nmt.errors import InputError
from rim_nmt.translation.page.drawing import STATIC
from rim_nmt.translation.page.limits import Limits
from rim_nmt.translation.page.server import create_app, serve
from tests.translation.page.capitals import Capitals

TWO = {"source": "en", "target": "de"}


@pytest.fixture
def translator() -> Capitals:
    return Capitals()


@pytest.fixture
def client(translator) -> Iterator[TestClient]:
    limits = Limits(characters=300, sentences=4, waiting=5, seconds=0.5)
    app = create_app(translator, limits)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def translate(client: TestClient, q, **more) -> dict:
    response = client.post("/translate", json={"q": q, **TWO, **more})
    assert response.status_code == 200, response.text
    return response.json()


def refusal(response, status: int) -> str:
    """The message of an error in LibreTranslate's form."""
    assert response.status_code == status, response.text
    assert list(response.json()) == ["error"]
    return response.json()["error"]


def test_a_text_keeps_its_white_space(client):
    text = " One dog.  Two dogs.\n\n\tThree dogs.\n"
    assert translate(client, text) == {"translatedText": text.upper()}
    assert translate(client, "") == {"translatedText": ""}
    assert translate(client, " \n ") == {"translatedText": " \n "}


def test_several_texts_and_alternatives(client):
    assert translate(client, "a", alternatives=2) == {
        "translatedText": "A",
        "alternatives": ["A!", "A!!"],
    }
    assert translate(client, ["One. Two.", "", "three"], alternatives=1) == {
        "translatedText": ["ONE. TWO.", "", "THREE"],
        "alternatives": [["ONE.! TWO.!"], [""], ["THREE!"]],
    }
    assert translate(client, []) == {"translatedText": []}


def test_any_source_is_taken_for_the_models(client):
    answer = translate(client, "a", source="auto")
    assert answer["detectedLanguage"] == {"language": "en", "confidence": 0.0}
    assert len(translate(client, ["a", "b"], source="auto")["detectedLanguage"]) == 2


def test_a_form_is_as_good_as_json(client):
    fields = {"q": "für & wider", **TWO, "format": "text", "alternatives": "1", "api_key": ""}
    response = client.post("/translate", data=fields)
    assert response.json() == {"translatedText": "FÜR & WIDER", "alternatives": ["FÜR & WIDER!"]}
    response = client.post("/translate", data={"q": ["a", "b"], **TWO})
    assert response.json() == {"translatedText": ["A", "B"]}


def test_html_is_text(client):
    script = "<script>alert(1)</script>"
    assert translate(client, script) == {"translatedText": script.upper()}
    assert client.post("/translate", json={"q": script, **TWO}).headers["content-type"] == (
        "application/json"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": "xx"}, "en to xx is not supported: this model translates en to de"),
        ({"source": "de"}, "de to de is not supported"),
        ({"q": None}, "q: Input should be a valid string"),
        ({"q": [1]}, "q: "),
        ({"format": "html"}, "format: Input should be 'text'"),
        ({"alternatives": 5}, "alternatives: Input should be less than 5"),
        ({"alternatives": -1}, "alternatives: Input should be greater"),
        ({"q": "a" * 301}, "The text has 301 characters, more than 300"),
        ({"q": ["a" * 151] * 2}, "302 characters"),
        ({"q": "One. Two. Three. Four. Five."}, "The text has 5 sentences, more than 4"),
        ({"q": ["a"] * 5}, "5 sentences"),
        ({"q": f"One. {'long ' * 20}"}, "sentence 2 has 21 pieces"),
    ],
)
def test_what_cannot_be_translated_is_refused(client, change, message):
    response = client.post("/translate", json={"q": "a", **TWO, **change})
    assert message in refusal(response, 400)
    assert translate(client, "next")["translatedText"] == "NEXT"


@pytest.mark.parametrize(
    ("body", "kind", "status", "message"),
    [
        (b"{", "application/json", 400, "Invalid JSON"),
        (b"", "application/json", 400, "Invalid JSON"),
        (b"[]", "application/json", 400, "Input should be an object"),
        (b'{"source": "en"}', "application/json", 400, "missing q parameter"),
        (b'{"q": "\\ud800", "source": "en", "target": "de"}', "application/json", 400, "JSON"),
        (b'{"q": "\xff", "source": "en", "target": "de"}', "application/json", 400, "JSON"),
        (b"[" * 10_000, "application/json", 400, "Invalid JSON"),
        (b"q=%FF", "application/x-www-form-urlencoded", 400, "utf-8"),
        (b"q=a&" * 1001, "application/x-www-form-urlencoded", 400, "fields"),
        (b"q=a", "text/plain", 415, "text/plain, expected application/json or"),
        (b" " * 20_000, "application/json", 413, "more than 13600 bytes"),
    ],
)
def test_broken_requests_are_refused(client, body, kind, status, message):
    response = client.post("/translate", content=body, headers={"Content-Type": kind})
    assert message in refusal(response, status)


def test_other_errors_have_the_same_form(client):
    assert refusal(client.get("/nothing"), 404) == "Not Found"
    response = client.get("/translate")
    assert refusal(response, 405) == "Method Not Allowed"
    assert response.headers["allow"] == "POST"
    response = client.post("/translate", json={"q": "broken", **TWO})
    assert refusal(response, 500) == "The server failed: its log says how"
    assert translate(client, "next")["translatedText"] == "NEXT"


def test_languages(client):
    assert client.get("/languages").json() == [
        {"code": "en", "name": "English", "targets": ["de"]},
        {"code": "de", "name": "German", "targets": []},
    ]


def test_each_sentence_is_explained(client):
    response = client.post("/explain", json={"q": "One dog.\n\nTwo dogs. ", "alternative": 1})
    answer = response.json()
    assert answer["gaps"] == ["", "\n\n", " "]
    first, second = answer["sentences"]
    assert second["translation"] == "TWO DOGS.!"
    assert first["source_words"] == [
        {"text": "One", "pieces": [0]},
        {"text": "dog.", "pieces": [1]},
        {"text": "", "pieces": [2]},
    ]
    assert first["encoder"][0]["active"][0] == [False, True, True]
    assert client.post("/explain", json={"q": " "}).json() == {"sentences": [], "gaps": [" "]}
    assert "missing q" in refusal(client.post("/explain", json={}), 400)


def test_what_takes_too_long_is_given_up(client, translator):
    translator.open.clear()
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(client.post, "/translate", json={"q": "slow", **TWO})
        assert translator.busy.wait(5)
        behind = pool.submit(client.post, "/explain", json={"q": "behind"})
        for response in (slow.result(), behind.result()):
            assert "No answer within 0.5 seconds" in refusal(response, 503)
            assert response.headers["retry-after"] == "1"
    translator.open.set()
    assert translate(client, "next")["translatedText"] == "NEXT"
    assert ["behind"] not in translator.calls


def test_a_full_queue_refuses(client, translator):
    translator.open.clear()
    with ThreadPoolExecutor() as pool:
        pool.submit(client.post, "/translate", json={"q": "first", **TWO})
        assert translator.busy.wait(5)
        waits = pool.submit(client.post, "/translate", json={"q": ["a", "b", "c"], **TWO})
        while client.get("/health").json()["waiting"] < 3:
            time.sleep(0.01)
        assert client.get("/health").json() == {"status": "ok", "waiting": 3}
        response = client.post("/translate", json={"q": ["d", "e", "f"], **TWO})
        assert refusal(response, 503) == "3 sentences are waiting: try again in a moment"
        translator.open.set()
        assert waits.result().json()["translatedText"] == ["A", "B", "C"]


def test_many_at_once_are_each_told_their_own(translator):
    with TestClient(create_app(translator)) as client, ThreadPoolExecutor(20) as pool:
        texts = [f"dog {n}. cat {n}." for n in range(60)]
        answers = list(pool.map(lambda text: translate(client, text), texts))
    assert [answer["translatedText"] for answer in answers] == [text.upper() for text in texts]
    assert len(translator.calls) < 60


def test_where_the_client_has_gone_nothing_is_done(translator):
    app = create_app(translator)
    body = json.dumps({"q": "gone", **TWO}).encode()
    messages = [{"type": "http.request", "body": body}, {"type": "http.disconnect"}]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/translate",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }

    async def receive() -> dict:
        return messages.pop(0)

    async def send(message: dict) -> None:
        pass

    async def run():
        async with app.router.lifespan_context(app):
            translator.open.clear()
            first = asyncio.create_task(app({**scope}, endless(b'{"q": "first"}'), send))
            await asyncio.to_thread(translator.busy.wait, 5)
            await asyncio.wait_for(app({**scope}, receive, send), 5)
            translator.open.set()
            await first

    def endless(content: bytes):
        """A client that stays."""
        parts = [{"type": "http.request", "body": body.replace(b'{"q": "gone"', content[:-1])}]

        async def receive() -> dict:
            return parts.pop() if parts else await asyncio.Event().wait()

        return receive

    asyncio.run(run())
    assert translator.calls == [["first"]]


def test_the_health_tells_of_an_end(translator):
    app = create_app(translator)
    with TestClient(app) as client:
        assert client.get("/health").json() == {"status": "ok", "waiting": 0}
    assert TestClient(app).get("/health").status_code == 503


def test_serving_is_for_this_machine_and_begins_with_a_translation(translator, monkeypatch):
    calls = []

    def run(app, **options):
        calls.append((list(translator.calls), options["host"], options["port"]))

    monkeypatch.setattr("uvicorn.run", run)
    serve(translator)
    serve(translator, "0.0.0.0", 80)
    assert calls == [([["."]], "127.0.0.1", 5000), ([["."]] * 2, "0.0.0.0", 80)]


def test_the_document_describes_requests(client):
    document = client.get("/openapi.json").json()
    for path in ("/translate", "/explain"):
        content = document["paths"][path]["post"]["requestBody"]["content"]
        assert set(content) == {"application/json", "application/x-www-form-urlencoded"}
        assert "q" in content["application/json"]["schema"]["required"]
    assert client.get("/docs").status_code == client.get("/redoc").status_code == 404


def test_the_page_runs_nothing_but_its_own_files(client):
    for path in ("/", "/static/page.js", "/static/style.css", "/languages"):
        response = client.get(path)
        assert response.status_code == 200
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'" in policy
        assert "unsafe" not in policy and "http" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
    page = client.get("/").text
    loaded = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert loaded
    for path in loaded:
        assert client.get(f"/{path}").status_code == 200
    assert not re.search(r"<script>|<style>|style=|\son\w+=", page)


@pytest.mark.parametrize("path", sorted(STATIC.iterdir()), ids=lambda path: path.name)
def test_static_files_load_nothing_from_elsewhere(path):
    content = path.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"//\w+\.|https?:|@import|url\(|innerHTML|insertAdjacent|eval\(", content)


def test_files_beside_the_static_ones_are_not_served(client):
    for path in ("/static/../server.py", "/static/%2e%2e/server.py", "/static/", "/server.py"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("limits", "message"),
    [({"seconds": 0}, "seconds is 0"), ({"waiting": 10}, "10 sentences may wait, fewer than")],
)
def test_limits_must_make_sense(limits, message):
    with pytest.raises(InputError, match=message):
        Limits(**limits)


def test_a_real_model(old_checkpoint):
    translator = old_checkpoint()
    text = "Our father begins to read.\n\nThe <b>dog</b> sleeps. We sleep."
    with TestClient(create_app(translator)) as client:
        answer = translate(client, text, alternatives=4)
        texts = [answer["translatedText"], *answer["alternatives"]]
        for rank, translated in enumerate(texts):
            found = client.post("/explain", json={"q": text, "alternative": rank}).json()
            sentences = [one["translation"] for one in found["sentences"]]
            parts = zip(found["gaps"], [*sentences, ""], strict=True)
            assert "".join(gap + sentence for gap, sentence in parts) == translated
            assert found["sentences"][0]["source_words"][1]["text"] == "father"
        response = client.post("/translate", json={"q": "a b " * 1000, **TWO})
        assert "sentence 1 has" in refusal(response, 400)
