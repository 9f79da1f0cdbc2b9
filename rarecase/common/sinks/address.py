"""Addresses of databases: reading those of files, and showing any of them without its password."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from rarecase.common.errors import TargetError, nearest

HIDDEN = "***"
_SECRET = re.compile(r"(?i)([a-z_]*(?:password|passwd|pwd|passphrase)\s*=\s*)([^&#]*)")


def redact(address: str) -> str:
    """An address as it may be shown, also when it is malformed: too much is hidden rather than too little.

    Everything between the first colon after ``://`` and the last ``@`` counts as the password, and so does
    the value of every option whose name ends in password, passwd, pwd or passphrase.
    """
    head, mark, rest = address.partition("://")
    user, at, host = rest.rpartition("@")
    if mark and at and ":" in user:
        rest = f"{user.partition(':')[0]}:{HIDDEN}@{host}"
    return _SECRET.sub(rf"\g<1>{HIDDEN}", head + mark + rest)


def secrets(address: str) -> tuple[str, ...]:
    """Every text in an address that may be a password, as written and decoded; longest first."""
    found = {match[2] for match in _SECRET.finditer(address)}
    user, at, _ = address.partition("://")[2].rpartition("@")
    if at and ":" in user:
        found.add(user.partition(":")[2])
    return tuple(
        sorted({text for one in found if one for text in (one, unquote(one))}, key=len, reverse=True)
    )


def scrub(message: str, address: str) -> str:
    """A driver's message without the password of the address, which some drivers quote."""
    for secret in secrets(address):
        message = message.replace(secret, HIDDEN)
    return message


@dataclass(frozen=True)
class FileAddress:
    """A database in a file.

    Attributes
    ----------
    path : the file, absolute
    options : what stood after the question mark
    shown : the address as it may be shown
    """

    path: Path
    shown: str
    options: Mapping[str, str] = field(default_factory=dict)


def parse_file(address: str, known: Mapping[str, tuple[str, ...]] | None = None) -> FileAddress:
    """Read the address of a database file.

    Parameters
    ----------
    address : ``kind:///relative/file`` or ``kind:////absolute/file``, then ``?option=value&…``
    known : options and their values; the first value is the default

    Raises
    ------
    TargetError : if there is no file name, a host stands before it, or an option or its value is unknown
    """
    kind, _, rest = address.partition("://")
    body, _, query = rest.partition("?")
    name = unquote(body[1:])
    if not body.startswith("/"):
        hint = f"{kind}:///{body} is a file in the current directory." if body else None
        _refuse(address, f"{kind}:///FILE, or {kind}:////FILE for an absolute path", hint)
    if not name or name.endswith("/") or "\0" in name or name.startswith(":"):
        _refuse(address, f"the name of a file after {kind}:///", None)
    return FileAddress(Path(name).absolute(), redact(address), _options(address, query, known or {}))


def _options(address: str, query: str, known: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    options = {name: values[0] for name, values in known.items()}
    for pair in filter(None, query.split("&")):
        name, _, value = (unquote(part) for part in pair.partition("="))
        if name not in known:
            said = "one of the options " + ", ".join(known) if known else "an address without options"
            raise TargetError(f"target?{name}", redact(address), said, nearest=nearest(name, known))
        if value not in known[name]:
            close = nearest(value, known[name])
            raise TargetError(f"target?{name}", value, "one of " + ", ".join(known[name]), nearest=close)
        options[name] = value
    return options


def _refuse(address: str, expected: str, hint: str | None) -> None:
    raise TargetError("target", redact(address), expected, hint=hint)
