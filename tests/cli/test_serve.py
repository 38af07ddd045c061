"""`rim-nmt serve`: what it hands to the server, and what goes wrong."""

import pytest

pytest.importorskip("fastapi", reason="the page is an extra")
import uvicorn
from fastapi.testclient import TestClient


@pytest.fixture
def serve(call_script, model_folder, monkeypatch):
    served = {}
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: served.update(options, app=app))

    def call(*arguments) -> dict:
        call_script("serve", "--model", model_folder, *arguments)
        return served

    return call


def test_the_page_is_for_this_machine_unless_told(serve):
    served = serve("--max-sentences", 1)
    assert (served["host"], served["port"]) == ("127.0.0.1", 5000)
    with TestClient(served["app"]) as client:
        asked = {"q": "The dog sleeps.", "source": "en", "target": "de"}
        assert client.post("/translate", json=asked).json()["translatedText"]
        answer = client.post("/translate", json={**asked, "q": "One. Two."})
        assert 400 <= answer.status_code < 500 and "sentences" in answer.json()["error"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", 70_000], "--port must be from 0 to 65535"),
        (["--max-waiting", 10], "10 sentences may wait, fewer than the 50 of one request"),
        (["--max-seconds", 0], "it must be above 0"),
    ],
)
def test_what_goes_wrong_is_said_in_one_line(serve, capsys, arguments, message):
    with pytest.raises(SystemExit) as stop:
        serve(*arguments)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
