"""The queue in front of the model."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from rim_nmt.errors import InputError
from rim_nmt.translation.page.limits import Limits
from rim_nmt.translation.page.memory import Memory
from rim_nmt.translation.page.worker import Busy, Worker
from rim_nmt.translation.translator import Translation
from tests.translation.page.capitals import Capitals


@pytest.fixture
def translator() -> Capitals:
    return Capitals()


@contextlib.asynccontextmanager
async def at_work(translator: Capitals, **limits) -> AsyncIterator[Worker]:
    """A worker that has just begun with a first sentence, and stops there."""
    worker = Worker(translator, Limits(**limits))
    translator.open.clear()
    worker.start()
    first = asyncio.create_task(worker.translate(["first"], 1))
    await asyncio.to_thread(translator.busy.wait, 10)
    try:
        yield worker
    finally:
        translator.open.set()
        with contextlib.suppress(Busy):
            await first
        await asyncio.to_thread(worker.stop)


def ask(worker: Worker, *sentences: str, nbest: int = 1) -> asyncio.Task:
    return asyncio.create_task(worker.translate(sentences, nbest))


def texts(best: list) -> list[list[str]]:
    return [[translation.text for translation in one] for one in best]


def test_what_waits_is_translated_together_and_answered_in_order(translator):
    async def run():
        async with at_work(translator, together=5) as worker:
            tasks = [ask(worker, f"a {n}", f"b {n}", nbest=1 + n) for n in range(3)]
            await asyncio.sleep(0)
            assert worker.waiting == 6
            translator.open.set()
            assert texts(await tasks[0]) == [["A 0"], ["B 0"]]
            assert texts(await tasks[2]) == [["A 2", "A 2!", "A 2!!"], ["B 2", "B 2!", "B 2!!"]]
            await tasks[1]

    asyncio.run(run())
    assert translator.calls == [["first"], ["a 0", "b 0", "a 1", "b 1", "a 2"], ["b 2"]]


def test_what_was_translated_is_remembered(translator):
    async def run():
        async with at_work(translator) as worker:
            translator.open.set()
            assert texts(await worker.translate(["a", "b", "a"], 1)) == [["A"], ["B"], ["A"]]
            assert texts(await worker.translate(["b", "c"], 2)) == [["B", "B!"], ["C", "C!"]]
            (first,) = await worker.explain(["a"], 1)
            (again,) = await worker.explain(["a"], 1)
            assert first.text == "A!" and again is first

    asyncio.run(run())
    assert translator.calls == [["first"], ["a", "b"], ["c"]]


def test_the_best_translation_is_explained_with_its_own_pieces(translator, monkeypatch):
    given = []
    explain = translator.explain

    def noted(sentence, translation=None, beam=5):
        given.append(translation)
        return explain(sentence, translation)

    async def run():
        async with at_work(translator) as worker:
            translator.open.set()
            await worker.explain(["a"], 0)
            longer = iter([[Translation("other", 0.0)] * 5])
            monkeypatch.setattr(translator, "translate", lambda sentences, **_: longer)
            (other,) = await worker.explain(["b"], 0)
            assert other.text == "other"

    monkeypatch.setattr(translator, "explain", noted)
    asyncio.run(run())
    # of the second one, another translation was shown than is found alone
    assert given == [None, None, "other"]


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [("long " * 20, InputError, "sentence 2 has 21 pieces"), ("broken", RuntimeError, "as told")],
)
def test_who_is_to_blame_suffers_alone(translator, bad, error, message):
    async def run():
        async with at_work(translator) as worker:
            good = [ask(worker, f"good {n}") for n in range(5)]
            wrong = ask(worker, "fine", bad)
            more = [ask(worker, f"more {n}") for n in range(5)]
            await asyncio.sleep(0)
            translator.open.set()
            for n, task in enumerate(good):
                assert texts(await task) == [[f"GOOD {n}"]]
            for n, task in enumerate(more):
                assert texts(await task) == [[f"MORE {n}"]]
            with pytest.raises(error, match=message):
                await wrong

    asyncio.run(run())


def test_what_nobody_waits_for_is_dropped(translator):
    async def run():
        async with at_work(translator) as worker:
            gone, stays = ask(worker, "gone"), ask(worker, "stays")
            await asyncio.sleep(0)
            gone.cancel()
            await asyncio.sleep(0.01)
            assert worker.waiting == 1
            translator.open.set()
            assert texts(await stays) == [["STAYS"]]

    asyncio.run(run())
    assert translator.calls == [["first"], ["stays"]]


def test_a_full_queue_refuses_and_has_room_again(translator):
    async def run():
        async with at_work(translator, waiting=3, sentences=3) as worker:
            waits = ask(worker, "a", "b")
            await asyncio.sleep(0)
            with pytest.raises(Busy, match="2 sentences are waiting"):
                await worker.translate(["c", "d"], 1)
            waits.cancel()
            await asyncio.sleep(0.01)
            fits = ask(worker, "c", "d", "e")
            await asyncio.sleep(0)
            translator.open.set()
            assert len(await fits) == 3

    asyncio.run(run())


def test_a_worker_that_ends_refuses_what_waits(translator):
    async def run():
        async with at_work(translator) as worker:
            waits = ask(worker, "a")
            await asyncio.sleep(0)
            stopping = asyncio.create_task(asyncio.to_thread(worker.stop))
            with pytest.raises(Busy, match="going down"):
                await waits
            translator.open.set()
            await stopping
            assert not worker.works
            with pytest.raises(Busy, match="going down"):
                await worker.translate(["b"], 1)

    asyncio.run(run())


def test_what_was_not_asked_for_longest_is_forgotten():
    memory = Memory(10)
    memory.put("a", "A", 4)
    memory.put("b", "B", 4)
    assert memory.get("a") == "A"
    memory.put("c", "C", 4)
    assert [memory.get(key) for key in "abc"] == ["A", None, "C"]
    memory.put("d", "too heavy", 11)
    assert [memory.get(key) for key in "acd"] == [None] * 3
