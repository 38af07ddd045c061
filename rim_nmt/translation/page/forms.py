"""What requests look like: LibreTranslate's parameters, as JSON or as a form."""

from typing import Literal, TypeVar
from urllib.parse import parse_qs

from fastapi import HTTPException, Request
from pydantic import BaseModel, Field, ValidationError

from rim_nmt.translation.page.limits import Limits
from rim_nmt.translation.page.worker import BEAM

FORM, JSON = "application/x-www-form-urlencoded", "application/json"

# a character of JSON may be written as two escapes of 6 bytes, one of a form as 4 of 3
BYTES_PER_CHARACTER = 12
BYTES_BESIDES = 10_000  # for the other parameters

Form = TypeVar("Form", bound=BaseModel)


class TranslateForm(BaseModel):
    """A request for a translation."""

    q: str | list[str] = Field(description="The text, or several texts.")
    source: str = Field(description='The language of the text, or "auto".')
    target: str = Field(description="The language of the translation.")
    format: Literal["text"] = Field("text", description="HTML is not taken apart.")
    alternatives: int = Field(0, ge=0, lt=BEAM, description="Further translations of each text.")


class ExplainForm(BaseModel):
    """A request for what the model does with a text."""

    q: str = Field(description="The text.")
    alternative: int = Field(0, ge=0, lt=BEAM, description="Of which translation, 0 is the best.")


def described(form: type[BaseModel]) -> dict:
    """For a route: what the OpenAPI document says of its request."""
    schema = form.model_json_schema()
    content = {kind: {"schema": schema} for kind in (JSON, FORM)}
    return {"requestBody": {"required": True, "content": content}}


async def read(request: Request, form: type[Form], limits: Limits) -> Form:
    """A request's parameters.

    Raises:
        HTTPException: they are too long, or not what they should be.
    """
    body = await _body(request, BYTES_PER_CHARACTER * limits.characters + BYTES_BESIDES)
    kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    try:
        if kind == JSON:
            return form.model_validate_json(body)
        if kind == FORM:
            return form.model_validate(_fields(body))
    except ValidationError as error:
        raise HTTPException(400, f"Invalid request: {_reason(error)}") from None
    except ValueError as error:  # not UTF-8, or too many fields
        raise HTTPException(400, f"Invalid request: {error}") from None
    raise HTTPException(415, f"Invalid request: {kind or 'nothing'}, expected {JSON} or {FORM}")


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise HTTPException(413, f"Invalid request: more than {most} bytes")
    return bytes(body)


def _fields(body: bytes) -> dict[str, str | list[str]]:
    fields = parse_qs(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=1000)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    name = first["loc"][0] if first["loc"] else ""
    if first["type"] == "missing":
        return f"missing {name} parameter"
    return f"{name}: {first['msg']}" if name else first["msg"]
