"""What an endpoint is: a manner, and a reader of requests."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from otari_daemon.mock.ask import decoded
from otari_daemon.mock.frames import Request
from otari_daemon.mock.manner import Manner
from otari_daemon.mock.models import Model
from otari_daemon.mock.multipart import Form
from otari_daemon.mock.refusal import Refused
from otari_daemon.mock.wires.wire import Wire

T = TypeVar("T")


class Stamp(Struct, frozen=True, gc=False):
    """The number of an answer, and when it was made in seconds of the epoch."""

    number: int
    created: int


class Asked(Struct, frozen=True):
    """A request as read. `answer` is called with the model, and the text to say if that is given."""

    model: str
    answer: Callable[[Model, Stamp, str | None], Wire]
    streamed: bool = False
    usage_wanted: bool = True


class Endpoint(NamedTuple):
    """`read` raises `Refused` for what the endpoint does not take."""

    manner: Manner
    read: Callable[[Request], Asked]


def read_json(decoder: "msgspec.json.Decoder[T]", request: Request) -> T:
    """The JSON body of `request`; `Refused` (400) if it has another."""
    if request.form is not None:
        raise Refused(400, "this endpoint takes JSON, not a form")
    return decoded(decoder, request.body)


def read_form(request: Request) -> Form:
    """The form that is the body of `request`; `Refused` (400) if it is none."""
    if request.form is None:
        raise Refused(400, "this endpoint takes multipart/form-data with a boundary")
    if request.form.fault is not None:
        raise Refused(400, request.form.fault)
    return request.form


def read_field(form: Form, name: str) -> str:
    """A field that must be there; `Refused` (400) if it is not."""
    value = form.field(name)
    if value is None:
        raise Refused(400, f"the form has no field {name!r}")
    return value
