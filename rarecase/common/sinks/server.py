"""A PostgreSQL server: where it is, how to get in, and what to say when that fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from rarecase.common.errors import RarecaseError, TargetError
from rarecase.common.sinks import database
from rarecase.common.sinks.address import redact, scrub

if TYPE_CHECKING:
    import psycopg

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

# A server that falls silent is noticed within a minute; what the address or the environment says goes first.
_PATIENCE = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "30000",
}


class Server:
    """Where a database is, how to get in, and what to say when that fails."""

    def __init__(self, address: str) -> None:
        try:
            import psycopg
            from psycopg.conninfo import conninfo_to_dict
        except ImportError:
            raise database.missing_driver("psycopg", "postgres", redact(address)) from None
        self._address = address
        try:
            self._parameters = conninfo_to_dict(address)
        except psycopg.Error as error:
            hint = f"libpq says: {self.say(error)}"
            expected = "postgresql://user@host:port/database"
            raise TargetError("target", redact(address), expected, hint=hint) from None
        self.shown = _shown(self._parameters)

    def connect(self) -> Connection:
        """A connection in which nothing has happened yet; TargetError if there is none."""
        import psycopg

        parameters = {**_PATIENCE, "application_name": "rarecase", **self._parameters}
        try:
            return psycopg.connect(**cast("dict[str, Any]", parameters))
        except psycopg.Error as error:
            hint = f"It said: {self.say(error)}"
            raise TargetError(
                "target", self.shown, "a PostgreSQL server that lets us in", hint=hint
            ) from None

    def say(self, error: Exception) -> str:
        """What the server or libpq said, in one line, without the password."""
        lines = [line.strip() for line in scrub(str(error), self._address).splitlines() if line.strip()]
        return lines[0] if lines else type(error).__name__

    def explain(self, error: psycopg.Error, space: str) -> RarecaseError:
        """The error of ours for an error during a load."""
        from psycopg import errors

        said = self.say(error)
        if isinstance(error, errors.IntegrityError) and not isinstance(error, errors.UniqueViolation):
            return database.breach("constraint", error.diag.table_name, 1, said)
        if isinstance(error, errors.UniqueViolation) and error.diag.schema_name != "pg_catalog":
            return database.breach("unique", error.diag.table_name, 1, said)
        for kinds, expected, hint in _TROUBLES:
            if isinstance(error, tuple(getattr(errors, kind) for kind in kinds)):
                told = hint or f"It said: {said}."
                return TargetError("target", self.shown, expected.format(space=space), hint=told)
        return RarecaseError(f"{self.shown}: {said}")


_NOTHING = "The load was rolled back; nothing was left behind."
# From the special to the general, as every error of a lost connection is an OperationalError.
_TROUBLES: tuple[tuple[tuple[str, ...], str, str | None], ...] = (
    (
        ("InsufficientPrivilege",),
        "a user who may create schemas",
        "An owner of the database can: GRANT CREATE ON DATABASE … TO …",
    ),
    (("DiskFull",), "room on the server's disk", f"It is full. {_NOTHING}"),
    (
        ("DuplicateSchema", "UniqueViolation"),
        "a database without {space}",
        f"It came into being meanwhile. {_NOTHING}",
    ),
    (("DependentObjectsStillExist",), "a schema {space} that nothing else uses", None),
    (("LockNotAvailable", "DeadlockDetected"), "a schema {space} that nobody is reading now", None),
    (("ReadOnlySqlTransaction", "FeatureNotSupported"), "a server that can be written", None),
    (
        ("OperationalError",),
        "a server that stays there during the load",
        f"The connection was lost. {_NOTHING}",
    ),
)


def _shown(parameters: Mapping[str, Any]) -> str:
    user = f"{parameters['user']}@" if "user" in parameters else ""
    host = parameters.get("host") or parameters.get("hostaddr") or ""
    port = f":{parameters['port']}" if "port" in parameters else ""
    return f"postgresql://{user}{host}{port}/{parameters.get('dbname', '')}"
