"""C-FIND, C-GET and C-MOVE of one peer, over an association that is kept while it is good.

Identifiers hold levels, UIDs, dates and counts alone: no name of a patient is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

from gateway.calling.dicom import PENDING, SUCCESS, Caller, Context, accepted, guarded, status_of
from gateway.calling.patience import NoAnswer

FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))
"""Study Root Query/Retrieve. Source: DICOM PS3.4, annex C.6.2.1.4."""

UNCOMPRESSED = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
_CANCELLED, _OUT_OF_RESOURCES, _NO_SUCH_DESTINATION = 0xFE00, 0xA700, 0xA801
_NOT_THERE = frozenset({0xA900, 0xC000, 0xA701, 0xA702})

Answer = TypeVar("Answer")
OnStore = Callable[[Any], int]


class Query:
    """Asks one peer by one of the three services. storing: contexts and a handler for the films of C-GET."""

    def __init__(
        self, caller: Caller, service: str, storing: Sequence[Context] = (), on_store: OnStore | None = None
    ) -> None:
        self._caller, self._service, self._storing, self._on_store = caller, service, storing, on_store
        self._open = ExitStack()
        self._association: Any = None

    def close(self) -> None:
        """Release the association, if one is open."""
        self._association = None
        self._open.close()

    def find(self, level: str, keys: Mapping[str, str]) -> tuple[list[dict[str, str]], bool]:
        """Return what a peer names, {keyword: text}, and whether it says that it stopped before the end.

        keys: matched where they have a text, and returned where they have none. Raises NoAnswer.
        """

        def ask(association: Any) -> tuple[list[dict[str, str]], bool]:
            found = []
            for answer, named in association.send_c_find(_identifier(level, keys), self._service):
                status = status_of(answer)
                if status in PENDING and named is not None:
                    found.append({key: _text(named, key) for key in keys})
                elif status in (_CANCELLED, _OUT_OF_RESOURCES):
                    return found, True
                elif status != SUCCESS:
                    raise NoAnswer(f"expected an answer to C-FIND, found status {_shown(status)}")
            return found, False

        return self._asked(ask)

    def retrieve(self, level: str, keys: Mapping[str, str], to: str | None = None) -> bool:
        """Have films sent, within this association or to the title `to`; return whether the peer had any to send.

        Which ones came is for whoever takes them to say. Raises NoAnswer where it failed.
        """

        def ask(association: Any) -> bool:
            wanted = _identifier(level, keys)
            answers = (
                association.send_c_get(wanted, self._service)
                if to is None
                else association.send_c_move(wanted, to, self._service)
            )
            last, sent = None, 0
            for answer, _ in answers:
                last = answer
                names = ("Remaining", "Completed", "Failed", "Warning")
                sent += sum(int(answer.get(f"NumberOf{name}Suboperations", 0) or 0) for name in names)
            status = status_of(last)
            if status == _NO_SUCH_DESTINATION:
                raise NoAnswer(f"expected a peer that knows us, found that {to} is a destination unknown to it")
            if status in _NOT_THERE and not sent:
                return False
            if status not in (SUCCESS, 0xB000) and status not in PENDING:
                raise NoAnswer(f"expected the films that were asked for, found status {_shown(status)}")
            return sent > 0

        return self._asked(ask)

    def _asked(self, ask: Callable[[Any], Answer]) -> Answer:
        patience = self._caller.patience
        association = self._opened()
        try:
            with guarded(association, patience.whole):
                return ask(association)
        except (OSError, RuntimeError, ValueError, AttributeError) as error:
            raise NoAnswer(f"expected an answer, found: {type(error).__name__}") from error
        finally:
            if not association.is_established:
                self.close()

    def _opened(self) -> Any:
        if self._association is not None and self._association.is_established:
            return self._association
        self.close()
        contexts: list[Context] = [(self._service, UNCOMPRESSED), *self._storing]
        received = sorted({name for name, _ in self._storing})
        found = self._open.enter_context(self._caller.association(contexts, received=received, on_store=self._on_store))
        if not accepted(found, self._service):
            self.close()
            raise NoAnswer("expected a peer that takes this kind of query, found that it does not")
        self._association = found
        return found


def _identifier(level: str, keys: Mapping[str, str]) -> Any:
    from pydicom import Dataset

    wanted = Dataset()
    wanted.QueryRetrieveLevel = level
    for key, value in keys.items():
        setattr(wanted, key, value or None)
    return wanted


def _text(named: Any, key: str) -> str:
    value = named.get(key)
    return "" if value is None else str(value).strip("\0 ")


def _shown(status: int) -> str:
    return "none" if status < 0 else f"{status:04X}"
