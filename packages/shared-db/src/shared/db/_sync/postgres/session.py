# Generated from _async/postgres/session.py by generate_sync.py: change that file, not this one.
# fmt: off
"""What a connection was when it was opened, and how it becomes that again."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any

from ..._rules.postgres import INTRANS, outlasts
from ..runtime import settled

if TYPE_CHECKING:
    from collections.abc import Callable

# What a caller may have set on the object.
_ATTRIBUTES = (
    "row_factory",
    "cursor_factory",
    "server_cursor_factory",
    "prepare_threshold",
    "prepared_max",
)
_MODES = ("isolation_level", "read_only", "deferrable")
_state = operator.attrgetter("autocommit", *_MODES, *_ATTRIBUTES)
_RESET = (
    "SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET SESSION AUTHORIZATION;"
    " RESET ROLE; RESET ALL; DISCARD TEMP; DISCARD SEQUENCES"
)


class Session:
    """The state of one connection, which its callers may change and the pool restores.

    What was changed on the object is compared. What statements changed on the server is noted by
    the connection's cursors, so that a return without such statements needs no round trip.
    """

    def __init__(self, connection: Any) -> None:
        self._state = _state(connection)
        self._cursors = connection.cursor_factory
        self.changed: bool = False

    def intact(self, connection: Any) -> bool:
        """Report whether nothing was changed: at every return, so one call of C."""
        return not self.changed and bool(_state(connection) == self._state)

    def restore(self, connection: Any, configure: Callable[[Any], Any] | None) -> None:
        """Make the connection what it was; a connection in no transaction."""
        autocommit, isolation, read_only, deferrable, *attributes = self._state
        if not issubclass(connection.cursor_factory, self._cursors):
            self.changed = True  # its cursors noted nothing
        for name, value in zip(_ATTRIBUTES, attributes, strict=True):
            setattr(connection, name, value)
        connection.set_isolation_level(isolation)
        connection.set_read_only(read_only)
        connection.set_deferrable(deferrable)
        if self.changed:
            connection.set_autocommit(True)
            connection.execute(_RESET)
            if configure is not None:
                connection.set_autocommit(autocommit)
                configured(connection, configure)
            self.changed = False
        connection.set_autocommit(autocommit)


def configured(connection: Any, configure: Callable[[Any], Any]) -> None:
    """Call a user's function on a connection, and commit what it did."""
    settled(configure(connection))
    if connection.pgconn.transaction_status == INTRANS:
        connection.commit()


@functools.cache
def noting(cursors: Any) -> Any:
    """Return a class of cursors which note what outlasts their transaction."""

    class Cursor(cursors):  # type: ignore[misc]
        def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
            _note(self.connection, query)
            return super().execute(query, *arguments, **options)

        def executemany(self, query: Any, *arguments: Any, **options: Any) -> Any:
            _note(self.connection, query)
            return super().executemany(query, *arguments, **options)

    Cursor.__name__, Cursor.__qualname__ = cursors.__name__, cursors.__qualname__
    return Cursor


def _note(connection: Any, query: Any) -> None:
    session = getattr(connection, "shared_db_session", None)
    if session is not None and not session.changed and outlasts(query, connection):
        session.changed = True
