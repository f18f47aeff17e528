"""The command `palestra`: picks a command, and turns what users get wrong into one sentence and exit status 2."""

import difflib
import importlib
import os
import sys
from collections.abc import Sequence

SETTINGS = {  # of libraries, for the environment variables that they read when they are loaded
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",  # its greeting would stand in stdout
    "SDL_VIDEODRIVER": "dummy",  # pictures are drawn in memory; there may be no screen
    "GOMP_SPINCOUNT": "20000",  # threads that wait for each other give way soon: steadier on a busy machine
}
COMMANDS = {
    "agents": "list the agents",
    "envs": "list the environments",
    "networks": "list the networks",
    "train": "train an agent in an environment",
    "evaluate": "measure a trained agent: mean, interval, and random and optimal beside it",
    "fit": "fit a network to images: classify them, or learn their features",
    "predict": "say what is on images",
    "sample": "draw samples of a generative model",
    "explain": "show what a network looks at, in images or in an episode",
    "watch": "watch an episode, as a video or in the terminal",
    "play": "play a game against an agent in the terminal",
    "gtp": "an engine for Go GUIs and servers: the Go Text Protocol",
    "match": "play two players against each other: score, interval, Elo",
    "self-play": "let a policy network play games against itself, for others to learn from",
    "compare": "draw the learning curves of several runs in one picture",
    "doctor": "say what is installed, what would fail and how to mend it",
}
EXTRAS = {"ray": "scale", "torchvision": "vision", "timm": "vision", "cffi": "bench"}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status: 0, 2 for what the user can mend, 130 when interrupted."""
    args = list(sys.argv[1:] if argv is None else argv)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    if not args or args[0] in ("-h", "--help", "help"):
        print(_help())
        return 0
    if args[0] in ("-V", "--version"):
        print(_version())
        return 0
    try:
        return _run(args[0], args[1:])
    except BrokenPipeError:  # whoever read the output has enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ValueError, OSError, MemoryError, ModuleNotFoundError) as error:
        if os.environ.get("PALESTRA_TRACEBACK"):
            raise
        print(f"palestra: {_sentence(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("palestra: interrupted", file=sys.stderr)
        return 130


def _run(command: str, args: list[str]) -> int:
    if command not in COMMANDS:
        near = difflib.get_close_matches(command, COMMANDS, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else "`palestra --help` lists them"
        raise ValueError(f"there is no command {command!r}; {hint}")
    status: int = importlib.import_module(f"palestra.cli.{command.replace('-', '_')}").main(args)
    return status


def _sentence(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "").split(".")[0]
        extra = f"palestra[{EXTRAS[package]}]" if package in EXTRAS else package
        return f"this needs the package {package}, which is not installed; pip install '{extra}' brings it"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return f"there is not enough memory ({error}); a smaller --agent.buffer-size or --num-envs may help"
    return " ".join(str(error).split())


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {what}" for name, what in COMMANDS.items()]
    return "\n".join(["usage: palestra COMMAND [OPTIONS]", "", *lines, "", "`palestra COMMAND --help` says more."])


def _version() -> str:
    from importlib.metadata import version

    return f"palestra {version('palestra')}"
