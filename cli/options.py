"""Options of a command from a dataclass, by tyro, with errors of one sentence."""

import contextlib
import dataclasses
import difflib
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import tyro

T = TypeVar("T")


def parse(options: type[T], args: Sequence[str], prog: str, default: T | None = None) -> T:
    """Reads a dataclass from command line arguments; `--help` prints its fields and exits.

    Raises:
        ValueError: an option is unknown (the nearest one is offered), missing or ill-formed.
    """
    parsed, unknown = parse_known(options, args, prog, default)
    if unknown:
        raise ValueError(unknown_option(unknown[0], options))
    return parsed


def parse_known(options: type[T], args: Sequence[str], prog: str, default: T | None = None) -> tuple[T, list[str]]:
    """Reads what a dataclass knows of the arguments and returns the rest of them."""
    chosen: Any = tyro.MISSING_NONPROP if default is None else default
    complaint = io.StringIO()
    help_wanted = bool({"-h", "--help"} & set(args))
    try:
        with contextlib.ExitStack() as stack:
            if not help_wanted:
                stack.enter_context(contextlib.redirect_stderr(complaint))
                stack.enter_context(contextlib.redirect_stdout(complaint))
            return tyro.cli(options, args=args, prog=prog, default=chosen, return_unknown_args=True)
    except SystemExit:
        if help_wanted:
            raise
        raise ValueError(_sentence(complaint.getvalue())) from None


def unknown_option(given: str, options: type) -> str:
    """Returns the sentence for an option or word that a command does not know."""
    if not given.startswith("-"):
        return f"what {given!r} is for is not clear; options begin with --, and `--help` lists them"
    name = given.split("=")[0]
    near = difflib.get_close_matches(name.replace("_", "-"), list(_option_names(options)), n=1, cutoff=0.5)
    return f"there is no option {name}; " + (f"did you mean {near[0]}?" if near else "`--help` lists them")


def refuse_given(options: Any, names: Sequence[str], why: str) -> None:
    """Checks that options that mean nothing here are left out.

    Raises:
        ValueError: one of these names is given; `why` says what is wrong with that.
    """
    for name in names:
        if getattr(options, name) != getattr(type(options), name):
            raise ValueError(f"--{name.replace('_', '-')} {why}")


def key_values(pairs: Sequence[str]) -> dict[str, Any]:
    """Reads `key=value` pairs whose values are JSON where that makes sense and strings otherwise.

    Raises:
        ValueError: a pair has no equals sign.
    """
    import json

    read: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"an environment's option is written key=value, but {pair!r} was given")
        try:
            read[key.replace("-", "_")] = json.loads(value)
        except ValueError:
            python = {"True": True, "False": False, "None": None}
            read[key.replace("-", "_")] = python.get(value, value)
    return read


def _option_names(options: Any, prefix: str = "--") -> Iterator[str]:
    for field in dataclasses.fields(options):
        name = prefix + field.name.replace("_", "-")
        if dataclasses.is_dataclass(field.type):
            yield from _option_names(field.type, f"{name}.")
        else:
            yield name


def _sentence(complaint: str) -> str:
    """Takes the message out of the frame that tyro draws around it."""
    lines = [re.sub(r"^[\s│|]+|[\s│|]+$", "", line) for line in complaint.splitlines()]
    rules = [i for i, line in enumerate(lines) if re.fullmatch(r"[-─╭╮╰╯]{5,}.*", line)]
    begin = rules[0] + 1 if rules else 0
    end = rules[1] if len(rules) > 1 else len(lines)
    words = " ".join(line for line in lines[begin:end] if line)
    words = re.sub(r"For full helptext.*", "", words).strip()
    if missing := re.match(r"Missing from .*?: +(--\S+)", words):
        return f"{missing.group(1)} is missing; `--help` says what it is"
    words = words.replace("Error parsing ", "", 1)
    if checked := re.match(r"Options: (--.*)", words):  # by the dataclass itself
        return checked.group(1)
    if mistyped := re.match(
        r"(--\S+): (?:no type matching \{None\}\||.*for |could not convert string to )(\w+).*?'(.*?)'", words
    ):
        option, kind, given = mistyped.groups()
        return f"{option} is {given!r}, but a number of kind {kind.lower()} is wanted"
    return f"{words}; `--help` says what is wanted"
