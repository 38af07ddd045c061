"""How much one server takes on."""

from dataclasses import asdict, dataclass

from rim_nmt.errors import InputError


@dataclass(frozen=True)
class Limits:
    """What is more than this is refused with a message.

    Args:
        characters: in a request.
        sentences: in a request.
        waiting: sentences of all requests that wait for the model.
        seconds: that a request may take, from its first byte to its answer.
        together: sentences that are translated in one go.

    Raises:
        InputError: a limit is not above 0, or a request of `sentences` could never wait.
    """

    characters: int = 5000
    sentences: int = 50
    waiting: int = 200
    seconds: float = 30
    together: int = 64

    def __post_init__(self):
        for name, value in asdict(self).items():
            if value <= 0:
                raise InputError(f"the limit of {name} is {value}: it must be above 0")
        if self.waiting < self.sentences:
            raise InputError(
                f"{self.waiting} sentences may wait, fewer than the {self.sentences} of one request"
            )
