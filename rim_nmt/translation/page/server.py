"""The page's server: LibreTranslate's JSON interface, and what the mechanisms did."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rim_nmt.errors import InputError
from rim_nmt.translation.explanation import Explanation
from rim_nmt.translation.page.drawing import STATIC, drawn
from rim_nmt.translation.page.forms import ExplainForm, TranslateForm, described, read
from rim_nmt.translation.page.limits import Limits
from rim_nmt.translation.page.texts import cut_text
from rim_nmt.translation.page.worker import Busy, Worker
from rim_nmt.translation.sentences import Line
from rim_nmt.translation.translator import Translation, Translator

# the page loads nothing but its own files, and runs nothing that is written into it
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # ask whether a file has changed
}

NAMES = {
    "ar": "Arabic", "cs": "Czech", "de": "German", "en": "English", "es": "Spanish",
    "et": "Estonian", "fi": "Finnish", "fr": "French", "hi": "Hindi", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "lv": "Latvian", "nl": "Dutch", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "tr": "Turkish", "uk": "Ukrainian",
    "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


def create_app(translator: Translator, limits: Limits | None = None) -> FastAPI:
    """The page and its interface, as an ASGI application.

    Args:
        translator: translates; nothing else may use it as long as the application runs.
        limits: how much is taken on.
    """
    limits = limits or Limits()
    worker = Worker(translator, limits)
    source, target = translator.source_lang, translator.target_lang

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        worker.start()
        yield
        worker.stop()

    app = FastAPI(
        title="RIM-NMT",
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.add_middleware(_Headers)
    _answer_errors(app)

    def cut_all(texts: list[str]) -> list[Line]:
        characters = sum(len(text) for text in texts)
        if characters > limits.characters:
            raise HTTPException(
                400, f"The text has {characters} characters, more than {limits.characters}"
            )
        lines = [cut_text(text, source) for text in texts]
        sentences = sum(len(line.sentences) for line in lines)
        if sentences > limits.sentences:
            raise HTTPException(
                400, f"The text has {sentences} sentences, more than {limits.sentences}"
            )
        return lines

    @app.post("/translate", openapi_extra=described(TranslateForm))
    async def translate(request: Request) -> dict[str, Any]:
        """Translate one text, or several."""
        async with _in_time(limits):
            form = await read(request, TranslateForm, limits)
            if form.source not in ("auto", source) or form.target != target:
                raise HTTPException(
                    400,
                    f"{form.source} to {form.target} is not supported: this model translates "
                    f"{source} to {target}",
                )
            several = not isinstance(form.q, str)
            lines = cut_all([form.q] if isinstance(form.q, str) else form.q)
            sentences = [sentence for line in lines for sentence in line.sentences]
            nbest = 1 + form.alternatives
            found = iter(await _while_connected(request, worker.translate(sentences, nbest)))
        texts = [_ranked(line, [next(found) for _ in line.sentences], nbest) for line in lines]
        answers: dict[str, list] = {"translatedText": [best for best, *_ in texts]}
        if form.alternatives:
            answers["alternatives"] = [others for _, *others in texts]
        if form.source == "auto":  # nothing is detected: there is one language
            answers["detectedLanguage"] = [{"language": source, "confidence": 0.0}] * len(texts)
        return answers if several else {name: first for name, (first,) in answers.items()}

    @app.get("/languages")
    async def languages() -> list[dict[str, Any]]:
        """The languages that can be translated, and into what."""
        targets = {source: [target], target: []}
        return [
            {"code": code, "name": NAMES.get(code, code), "targets": into}
            for code, into in targets.items()
        ]

    @app.post("/explain", openapi_extra=described(ExplainForm))
    async def explain(request: Request) -> JSONResponse:
        """What the model does with each sentence of a text: `sentences`, and the white space
        before each and after the last one, `gaps`."""

        async with _in_time(limits):
            form = await read(request, ExplainForm, limits)
            (line,) = cut_all([form.q])
            explanations = worker.explain(line.sentences, form.alternative)
            found = await _while_connected(request, explanations)
            # a sentence of a thousand pieces has a million shares: others go on meanwhile
            return await asyncio.to_thread(_drawings, line, found)

    @app.get("/health")
    async def health() -> JSONResponse:
        """Whether requests are answered, and how many sentences wait."""
        status = {"status": "ok" if worker.works else "stopped", "waiting": worker.waiting}
        return JSONResponse(status, 200 if worker.works else 503)

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


def serve(
    translator: Translator,
    host: str = "127.0.0.1",
    port: int = 5000,
    limits: Limits | None = None,
) -> None:
    """Serve the page until Ctrl-C.

    Args:
        translator: translates; nothing else may use it meanwhile.
        host: the address to listen at; the default can be reached from this machine alone.
        port: likewise; 0 takes any that is free.
        limits: how much is taken on.
    """
    app = create_app(translator, limits)
    # the first sentence may have to wait for a compiler: nobody's request shall
    list(translator.translate(["."]))
    uvicorn.run(app, host=host, port=port, access_log=False, timeout_graceful_shutdown=5)


def _ranked(line: Line, found: list[list[Translation]], nbest: int) -> list[str]:
    """Translations of a text: of the best translation of each sentence, of the second best, and so
    on."""
    return [line.join([best[rank].text for best in found]) for rank in range(nbest)]


def _drawings(line: Line, found: list[Explanation]) -> JSONResponse:
    sentences = [drawn(explanation) for explanation in found]
    return JSONResponse({"sentences": sentences, "gaps": line.gaps})


@asynccontextmanager
async def _in_time(limits: Limits) -> AsyncIterator[None]:
    """What takes too long is given up."""
    try:
        async with asyncio.timeout(limits.seconds):
            yield
    except TimeoutError:
        raise HTTPException(
            503, f"No answer within {limits.seconds:g} seconds: send less, or try again later"
        ) from None


async def _while_connected(request: Request, work: Coroutine[Any, Any, list]) -> list:
    """What becomes of work; it is given up where the client has gone."""
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise HTTPException(499, "The client has gone")  # nobody reads this
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


async def _left(request: Request) -> None:
    """Wait until the client of a request that has been read has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _answer_errors(app: FastAPI) -> None:
    """Errors in LibreTranslate's form."""

    def refuse(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
        later = {"Retry-After": "1"} if status == 503 else {}
        return JSONResponse({"error": message}, status, {**later, **(headers or {})})

    @app.exception_handler(StarletteHTTPException)
    async def refused(_: Request, error: StarletteHTTPException) -> JSONResponse:
        return refuse(error.status_code, error.detail, error.headers)

    @app.exception_handler(InputError)
    async def wrong(_: Request, error: InputError) -> JSONResponse:
        return refuse(400, str(error))

    @app.exception_handler(Busy)
    async def busy(_: Request, error: Busy) -> JSONResponse:
        return refuse(503, str(error))

    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> JSONResponse:  # the server logs it
        return refuse(500, "The server failed: its log says how")


class _Headers:
    """Adds `HEADERS` to each answer."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, send_more)
