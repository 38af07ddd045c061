"""One thread that owns the model, and translates for many requests at once."""

import asyncio
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import torch

from rim_nmt.errors import InputError
from rim_nmt.translation.explanation import Explanation
from rim_nmt.translation.page.limits import Limits
from rim_nmt.translation.page.memory import Memory
from rim_nmt.translation.translator import Translation, Translator

BEAM = 5  # for all requests alike, so that they can be translated together

REMEMBERED = 1_000_000  # characters of translated sentences, cells of attention: some 50 MB each


class Busy(Exception):
    """There is no room for more sentences now."""


@dataclass(frozen=True)
class _Task:
    """A sentence to translate, or to explain.

    Args:
        sentence: raw text.
        nbest: how many translations; of an explanation, which of them it is for, from 1.
        explained: whether it is to be explained.
        answer: the translations, the best first, or the explanation.
    """

    sentence: str
    nbest: int
    explained: bool
    answer: Future = field(default_factory=Future)


class Worker:
    """Takes sentences of all requests from one queue, in their order.

    A translator is not made for several threads: only this one's thread uses it. Sentences that
    wait are translated together; sentences that nobody waits for any more are dropped. What was
    found is remembered: where somebody types, all sentences but one are as they were.

    Args:
        translator: translates.
        limits: of the queue, and of how many sentences are translated together.
    """

    def __init__(self, translator: Translator, limits: Limits):
        self._translator, self._limits = translator, limits
        self._translations, self._explanations = Memory(REMEMBERED), Memory(REMEMBERED)
        self._queue: deque[_Task] = deque()
        self._changed = threading.Condition()  # guards the queue and `_stopped`
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="translator", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after what is being translated now; what waits is refused."""
        with self._changed:
            self._stopped = True
            for task in self._queue:
                if task.answer.set_running_or_notify_cancel():
                    task.answer.set_exception(Busy("the server is going down"))
            self._queue.clear()
            self._changed.notify()
        self._thread.join(timeout=5)

    @property
    def works(self) -> bool:
        """Whether there is somebody to take what waits."""
        return self._thread.is_alive() and not self._stopped

    @property
    def waiting(self) -> int:
        """How many sentences are in the queue."""
        with self._changed:
            return sum(not task.answer.cancelled() for task in self._queue)

    async def translate(self, sentences: Sequence[str], nbest: int) -> list[list[Translation]]:
        """The translations of each sentence, the best first.

        Args:
            sentences: raw text.
            nbest: how many translations of each, at most `BEAM`.

        Raises:
            Busy: the queue is full.
            InputError: a sentence cannot be translated.
        """
        return await self._answers([_Task(sentence, nbest, False) for sentence in sentences])

    async def explain(self, sentences: Sequence[str], rank: int) -> list[Explanation]:
        """What the model does with each sentence and its translation.

        Args:
            sentences: raw text.
            rank: of the translation, 0 for the best one, below `BEAM`.

        Raises:
            Busy: the queue is full.
            InputError: a sentence cannot be translated, or the model cannot be explained.
        """
        return await self._answers([_Task(sentence, rank + 1, True) for sentence in sentences])

    async def _answers(self, tasks: list[_Task]) -> list:
        self._add(tasks)
        try:
            return await asyncio.gather(*(asyncio.wrap_future(task.answer) for task in tasks))
        except InputError as error:
            failed = next(
                number
                for number, task in enumerate(tasks, start=1)
                if task.answer.done()
                and not task.answer.cancelled()
                and task.answer.exception() is error
            )
            # it was alone with the translator, and is told to be the first
            message = str(error).replace("sentence 1 ", f"sentence {failed} ", 1)
            raise InputError(message) from error
        finally:  # done, failed, or given up: nobody waits for the others
            for task in tasks:
                task.answer.cancel()

    def _add(self, tasks: list[_Task]) -> None:
        with self._changed:
            if not self.works:
                raise Busy("the server is going down")
            if len(self._queue) + len(tasks) > self._limits.waiting:
                self._queue = deque(task for task in self._queue if not task.answer.cancelled())
            if len(self._queue) + len(tasks) > self._limits.waiting:
                raise Busy(f"{len(self._queue)} sentences are waiting: try again in a moment")
            self._queue.extend(tasks)
            self._changed.notify()

    def _run(self) -> None:
        torch.set_num_threads(1)  # more of them take longer at sizes like these
        while tasks := self._take():
            if tasks[0].explained:
                self._explain(tasks[0])
            else:
                self._translate(tasks)

    def _take(self) -> list[_Task]:
        """Wait for the first sentence, and take those behind it that can be translated with it;
        nothing means the end."""
        with self._changed:
            taken: list[_Task] = []
            while not taken and not self._stopped:
                self._changed.wait_for(lambda: self._queue or self._stopped)
                while self._queue and len(taken) < self._limits.together:
                    if taken and (taken[0].explained or self._queue[0].explained):
                        break  # an explanation is for one sentence
                    task = self._queue.popleft()
                    if task.answer.set_running_or_notify_cancel():
                        taken.append(task)
            return taken

    def _translate(self, tasks: list[_Task]) -> None:
        found = self._best(dict.fromkeys(task.sentence for task in tasks))
        for task in tasks:
            best = found[task.sentence]
            if isinstance(best, Exception):
                task.answer.set_exception(best)
            else:
                task.answer.set_result(best[: task.nbest])

    def _explain(self, task: _Task) -> None:
        try:
            key = task.sentence, task.nbest
            explanation = self._explanations.get(key)
            if explanation is None:
                explanation = self._explanation(*key)
                cells = len(explanation.source) * len(explanation.target)
                self._explanations.put(key, explanation, cells)
            task.answer.set_result(explanation)
        except Exception as error:
            task.answer.set_exception(error)

    def _explanation(self, sentence: str, nbest: int) -> Explanation:
        """Of the translation that was given for the sentence."""
        best = self._best([sentence])[sentence]
        if isinstance(best, Exception):
            raise best
        text = best[nbest - 1].text
        if nbest == 1:  # the model's own pieces, which the text alone does not tell
            explanation = self._translator.explain(sentence, beam=BEAM)
            if explanation.text == text:  # how long a search goes on depends on the batch
                return explanation
        return self._translator.explain(sentence, text)

    def _best(self, sentences: Iterable[str]) -> dict[str, list[Translation] | Exception]:
        """All translations of different sentences, or why there are none."""
        best = {sentence: self._translations.get(sentence) for sentence in sentences}
        new = [sentence for sentence, known in best.items() if known is None]
        for sentence, found in zip(new, self._search(new), strict=True):
            best[sentence] = found
            if not isinstance(found, Exception):
                self._translations.put(sentence, found, len(sentence) + 1)
        return best

    def _search(self, sentences: list[str]) -> list[list[Translation] | Exception]:
        if not sentences:
            return []
        try:
            return list(self._translator.translate(sentences, beam=BEAM, nbest=BEAM))
        except Exception as error:
            if len(sentences) == 1:
                return [error]
            # one of them is to blame, the others shall not suffer for it
            half = len(sentences) // 2
            return self._search(sentences[:half]) + self._search(sentences[half:])
