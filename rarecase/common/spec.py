"""The spec: all that the user says, frozen, with no room for a misspelt key."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from rarecase.common.case import Case, whole_number
from rarecase.common.errors import SpecError, nearest

#: A spec says what is wanted in a few hundred lines; a larger file is a mistake or an attack.
MAX_BYTES = 1 << 20
#: And lists at most so many cases: the plan takes them one after the other.
MAX_CASES = 2_000
US_PER_DAY = 86_400_000_000


class Marks(BaseModel):
    """How the data says that it is synthetic, beyond keys and metadata, which always do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    statistical: bool = Field(
        default=True, description="mark the low digits of free measures where the schema allows it"
    )


class Population(BaseModel):
    """What a domain lets the user say of its ordinary world."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Spec(BaseModel):
    """What is wanted. Each domain narrows `domain`, `population` and `cases`.

    Attributes
    ----------
    size, block
        Entities in all, and entities per part; the block belongs to the spec, never to the machine.
    start, days
        The window of time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    #: How many days of the window, at most: a century.
    MAX_DAYS: ClassVar[int] = 36_525

    domain: str
    seed: int = Field(default=1, ge=0, lt=1 << 63, description="the same seed gives the same bytes")
    size: int = Field(gt=0, le=1 << 30, description="how many entities")
    block: int = Field(gt=0, le=1 << 24, description="entities per part")
    start: date = Field(description="first day of the window")
    days: int = Field(gt=0, le=MAX_DAYS, description="length of the window in days")
    population: Population = Field(default_factory=Population)
    cases: tuple[Case, ...] = ()
    identifiers: Literal["checkable", "impossible"] = Field(
        default="checkable",
        description="public identifiers that pass check digits, or that no strict check accepts",
    )
    marks: Marks = Field(default_factory=Marks)

    @field_validator("seed", "size", "block", "days", mode="before")
    @classmethod
    def _whole(cls, value: Any) -> Any:
        return whole_number(value)

    @field_validator("start", mode="before")
    @classmethod
    def _a_date(cls, value: Any) -> Any:
        if isinstance(value, int | float):
            raise ValueError("a date such as 2025-01-31")
        return value

    @field_validator("start")
    @classmethod
    def _reasonable_start(cls, value: date) -> date:
        if not date(1900, 1, 1) <= value <= date(2200, 1, 1):
            raise ValueError("a date between 1900-01-01 and 2200-01-01")
        return value

    @field_validator("cases", mode="before")
    @classmethod
    def _a_list(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise ValueError("a list of cases")
        if len(value) > MAX_CASES:
            raise ValueError(f"a list of at most {MAX_CASES:,} cases")
        return value

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        seen: set[str] = set()
        for position, case in enumerate(self.cases):
            if case.label in seen:
                raise CaseNameError(position, case)
            seen.add(case.label)
        return self

    @property
    def parts(self) -> int:
        """The number of parts."""
        return -(-self.size // self.block)

    @property
    def horizon_us(self) -> int:
        """The length of the window in microseconds."""
        return self.days * US_PER_DAY

    @property
    def end(self) -> date:
        """The first day after the window."""
        return self.start + timedelta(days=self.days)

    @property
    def years(self) -> float:
        """The length of the window in years of 365.25 days."""
        return self.days / 365.25


class CaseNameError(ValueError):
    """Two cases of one name; their streams are named by it."""

    def __init__(self, position: int, case: Case) -> None:
        self.position, self.case = position, case
        super().__init__("a unique name")


def load_spec(source: str | Path | Mapping[str, Any] | Spec) -> Spec:
    """A spec from a YAML, JSON or TOML file, or from a mapping.

    Raises
    ------
    SpecError
        With the path of the field, its value, what was expected and the nearest known name.
    """
    if isinstance(source, Spec):
        return source
    raw = source if isinstance(source, Mapping) else _read(Path(source))
    return build_spec(raw)


def build_spec(raw: Mapping[str, Any]) -> Spec:
    """The spec of the domain that `raw` names."""
    from rarecase.common import registry

    if "domain" not in raw:
        known = ", ".join(registry.names())
        raise SpecError("domain", "(missing)", f"one of {known}", hint="Every spec begins with its domain.")
    model = registry.get(str(raw["domain"])).spec
    try:
        return model.model_validate(dict(raw))
    except ValidationError as error:
        raise _explain(error, raw, model) from None


def dump_spec(spec: Spec) -> str:
    """The spec as canonical YAML: every field said, in declared order, loadable again."""
    return yaml.safe_dump(spec.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def digest_text(spec: Spec) -> str:
    """The spec as canonical JSON, the text whose hash stands for it."""
    return json.dumps(spec.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@lru_cache(maxsize=8)
def _schema_text(domain: str) -> str:
    from rarecase.common import registry

    schema = registry.get(domain).spec.model_json_schema()
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def spec_json_schema(domain: str) -> dict[str, Any]:
    """The JSON Schema 2020-12 of a domain's spec, for editors."""
    return cast("dict[str, Any]", json.loads(_schema_text(domain)))


class _Loader(yaml.SafeLoader):
    """Safe YAML without anchors, aliases, merges or repeated keys: nothing that a spec needs."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call, unused-ignore]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.constructor.ConstructorError(
                None, None, "anchors and aliases are not allowed", event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)  # type: ignore[no-untyped-call, unused-ignore]
            if not isinstance(key, str) or key in seen:
                said = "is given twice" if isinstance(key, str) else "is not text"
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} {said}", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def parse_yaml(text: str, where: str) -> Any:
    """Plain data from YAML, with aliases, tags and repeated keys refused."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        wanted = "one YAML document without tags, anchors or aliases"
        raise SpecError(where, f"{line}{problem}", wanted) from None
    except RecursionError:
        raise SpecError(where, "too deep", "plain YAML of moderate depth") from None
    except ValueError as error:
        # A value that looks like a date or a number but is none, such as 2024-13-01.
        raise SpecError(
            where,
            str(error)[:60],
            "a value that exists",
            hint="A date is year-month-day, such as 2025-01-31; in quotes a value is text.",
        ) from None


def _read(path: Path) -> Mapping[str, Any]:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise SpecError(str(path), f"{size:,} bytes", f"a spec of at most {MAX_BYTES:,} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "not UTF-8 text"
        raise SpecError(
            str(path),
            said,
            "a readable spec file (.yaml, .json or .toml)",
            hint="`rarecase spec DOMAIN > spec.yaml` writes one to start from.",
        ) from None
    raw = _parse(text, path)
    if not isinstance(raw, dict):
        raise SpecError(str(path), type(raw).__name__, "a mapping with the key domain")
    return raw


def _parse(text: str, path: Path) -> Any:
    try:
        if path.suffix == ".json":
            return json.loads(text, object_pairs_hook=_no_repeats)
        if path.suffix == ".toml":
            return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError(str(path), str(error)[:100], f"valid {path.suffix[1:].upper()}") from None
    return parse_yaml(text, str(path))


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"key {name!r} is given twice")
        found[name] = value
    return found


def _explain(error: ValidationError, raw: Mapping[str, Any], model: type[Spec]) -> SpecError:
    """The first error in the words of a person."""
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, SpecError):
        return cause
    if isinstance(cause, CaseNameError):
        return SpecError(
            f"cases[{cause.position}].name",
            cause.case.label,
            "a name of its own for each case",
            hint="Give repeated kinds a `name:`; a case's draws are named by it.",
        )
    steps = _steps(first["loc"], raw)
    path, value = _path(steps), first["input"]
    if first["type"] == "extra_forbidden":
        known = _siblings(error, first["loc"], model, raw)
        return SpecError(
            path,
            value,
            "no such key" if not known else f"one of the keys {', '.join(known)}",
            nearest=nearest(str(steps[-1]), known),
        )
    if first["type"] == "union_tag_invalid":
        kinds = re.findall(r"'([^']+)'", first["ctx"]["expected_tags"])
        return SpecError(
            f"{path}.kind",
            first["ctx"]["tag"],
            f"one of {', '.join(kinds)}",
            nearest=nearest(first["ctx"]["tag"], kinds),
        )
    if first["type"] == "union_tag_not_found":
        return SpecError(f"{path}.kind", "(missing)", "the kind of the case")
    if first["type"] == "missing":
        return SpecError(path, "(missing)", "a value; this field has no default")
    # Each member of a union complains by itself; together they say all that may stand here.
    said = [_expected(other["msg"]) for other in error.errors() if _path(_steps(other["loc"], raw)) == path]
    return SpecError(path, value, " or ".join(dict.fromkeys(said)))


def _expected(message: str) -> str:
    said = message.removeprefix("Value error, ").removeprefix("Input should be ")
    said = re.sub(r"a valid dictionary or instance of \w+", "a mapping", said)
    return said[:1].lower() + said[1:]


def _steps(location: Iterable[str | int], raw: Any) -> list[str | int]:
    """The location as the user wrote it: without the names of union members that pydantic puts in."""
    steps: list[str | int] = []
    for step in location:
        inside = raw[step] if isinstance(raw, Mapping) and step in raw else None
        if isinstance(raw, list | tuple) and isinstance(step, int) and step < len(raw):
            inside = raw[step]
        elif not (isinstance(raw, Mapping) and step in raw) and _is_member_name(step, raw):
            continue
        steps.append(step)
        raw = inside
    return steps


def _is_member_name(step: str | int, raw: Any) -> bool:
    if isinstance(raw, Mapping) and step == raw.get("kind"):
        return True
    return (isinstance(step, str) and not step.isidentifier()) or step in ("Rate", "float", "int", "str")


def _path(steps: Iterable[str | int]) -> str:
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def _siblings(
    error: ValidationError, location: tuple[str | int, ...], model: type[Spec], raw: Any
) -> list[str]:
    """The keys that may stand where an unknown one stood."""
    here: Any = model
    from rarecase.common import registry

    if len(location) > 2 and location[0] == "cases":
        here = registry.get(str(raw["domain"])).kinds().get(str(location[2]))
        location = location[2:]
    for step in location[:-1]:
        fields = getattr(here, "model_fields", {})
        if step in fields:
            here = fields[str(step)].annotation
    return list(getattr(here, "model_fields", {}))
