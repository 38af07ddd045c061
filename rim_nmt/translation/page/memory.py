"""What was found last, so that it need not be found again."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any


class Memory:
    """Keeps values until they get too much; what was not asked for longest is forgotten first.

    Args:
        most: the weight of all values together.
    """

    def __init__(self, most: int):
        self._most, self._weight = most, 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, key: Hashable) -> Any:
        """The value of a key, None where there is none."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def put(self, key: Hashable, value: Any, weight: int) -> None:
        """Keep a value; its key has none yet."""
        self._kept[key] = value, weight
        self._weight += weight
        while self._weight > self._most:
            _, (_, forgotten) = self._kept.popitem(last=False)
            self._weight -= forgotten
