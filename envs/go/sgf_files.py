"""Collections of SGF games in files, folders and archives, read one game at a time, and written.

A file is cut into games before they are parsed, so that a damaged one costs itself only. FF[4] allows the properties
GM, FF, SZ, CA and AP in a root alone: where a node begins with one of them, a new game begins, even if the last one was
not closed. Only one game is held in memory; time grows linearly with the file, whatever is in it.
"""

import codecs
import gzip
import lzma
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from palestra.envs.go.sgf import Node, dump, parse_game
from palestra.envs.go.sgf_encoding import DOUBLE, codec_of, decode, is_utf8

CHUNK = 1 << 16  # bytes read at once, at least
LIMIT = 1 << 26  # bytes of a game; none that people made comes near
HEAD = 4096  # bytes of a game in which its CA is looked for
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")

Report = Callable[[str], object]
Reader = Callable[[int], bytes]
Opener = Callable[[], AbstractContextManager[Any]]

_ROOT = rb"\s*+;\s*+(?:%s)\s*+\[" % b"|".join(
    b"%c[a-z]*+%c[a-z]*+" % (*name,) for name in (b"GM", b"FF", b"SZ", b"CA", b"AP")
)
_START = re.compile(rb"\(" + _ROOT)
_GAME = re.compile(rb"\(\s*+;")
_STRAY = re.compile(rb";\s*+[A-Z]++\s*+\[")
# The inside of a value; "(;GM[1]" in it, unescaped, means that the value was never closed.
_ROOT_IN_VALUE = rb"\((?!" + _ROOT + rb"[^\[\]\\(;]{0,40}\])"
_INSIDE = rb"[^\]\\(]*+(?:(?:\\.|" + _ROOT_IN_VALUE + rb")[^\]\\(]*+)*+"
_PAIRS = rb"(?:[^\]\\(%s]++|[%s].|\\(?:[%s].|.)|" + _ROOT_IN_VALUE + rb")*+"
_GB, _SJIS = rb"\x81-\xfe", rb"\x81-\x9f\xe0-\xfc"
_VALUES = {
    "": _INSIDE,
    **{codec: _PAIRS.replace(b"%s", _SJIS if codec == "cp932" else _GB) for codec in DOUBLE},
}
_RUN = {k: re.compile(rb"[^()\[]*+(?:\[" + v + rb"\][^()\[]*+)*+", re.DOTALL) for k, v in _VALUES.items()}
_OPEN = {k: re.compile(rb"\[" + v, re.DOTALL) for k, v in _VALUES.items()}
_CA = [
    re.compile(
        rb"\(\s*+;\s*+(?:[A-Za-z0-9]++\s*+(?:\[" + v + rb"\]\s*+)++)*?C[a-z]*+A[a-z]*+\s*+\[([^\]\\]{0,40})\]",
        re.DOTALL,
    )
    for v in (_INSIDE, _VALUES["gb18030"])
]


class _Buffer:
    """The part of a file that is being looked at: `data[start:]`, which begins at `line` and `column`."""

    def __init__(self, read: Reader) -> None:
        self.read, self.data, self.start = read, b"", 0
        self.line = self.column = 1
        self.ended = False

    def more(self) -> bool:
        """Reads as much again as is there, so that what is looked at twice stays linear; says whether there was any."""
        if not self.ended:
            self.data = self.data[self.start :]
            self.start = 0
            chunk = self.read(max(CHUNK, len(self.data)))
            self.data += chunk
            self.ended = not chunk
        return not self.ended

    def ahead(self, count: int, at: int = 0) -> None:
        """Sees to it that `count` bytes behind the offset `at` are there, unless the file ends before."""
        while len(self.data) - self.start - at < count and self.more():
            pass

    def skip(self, count: int) -> bytes:
        """Goes on by `count` bytes and returns them."""
        gone = self.data[self.start : self.start + count]
        self.start += count
        breaks = gone.count(b"\n")
        self.line += breaks
        self.column = count - gone.rfind(b"\n") if breaks else self.column + count
        return gone


def _seek(buffer: _Buffer, wanted: re.Pattern[bytes]) -> tuple[bool, bool]:
    """Goes to the next game; says whether there is one, and whether moves were skipped on the way."""
    stray = False
    while True:
        match = wanted.search(buffer.data, buffer.start)
        last = buffer.data.rfind(b"(", buffer.start)
        end = match.start() if match else last if last >= 0 else len(buffer.data)
        if not match and len(buffer.data) - end > HEAD and buffer.data[end + 1 :].strip():
            end = len(buffer.data)
        stray |= _STRAY.search(buffer.data, buffer.start, end) is not None
        buffer.skip(end - buffer.start)
        if match or not buffer.more():
            return match is not None, stray


def _encoding(buffer: _Buffer) -> tuple[str, str]:
    """Returns what the game's CA says, empty where it has none, and Python's name for it, empty where unknown."""
    buffer.ahead(HEAD)
    end = buffer.start + HEAD
    match = _CA[0].match(buffer.data, buffer.start, end) or _CA[1].match(buffer.data, buffer.start, end)
    named = match[1].decode("latin-1").strip() if match else ""
    return named, codec_of(named)


def _game_length(buffer: _Buffer, codec: str, limit: int) -> int:
    """Returns how many bytes the game at hand has, to its last ')' or to where the next one begins."""
    run, opened = _RUN.get(codec, _RUN[""]), _OPEN.get(codec, _OPEN[""])
    length, depth = 1, 1
    while depth and length <= limit:
        length = run.match(buffer.data, buffer.start + length).end() - buffer.start  # type: ignore[union-attr]
        at = buffer.start + length
        sign = buffer.data[at : at + 1]
        if sign == b"(":
            buffer.ahead(80, length)
            if _START.match(buffer.data, buffer.start + length):
                break
            depth, length = depth + 1, length + 1
        elif sign == b")":
            depth, length = depth - 1, length + 1
        else:  # the end, or a value that is not closed, or not yet
            inside = opened.match(buffer.data, at)
            if inside and inside.end() < len(buffer.data) and buffer.data[inside.end()] == ord("("):
                return inside.end() - buffer.start
            if len(buffer.data) - buffer.start > limit or not buffer.more():
                return len(buffer.data) - buffer.start
    return length


class Piece(NamedTuple):
    """A game as text, or empty where something else than a game was found, and a remark on it."""

    text: str
    remark: str
    origin: tuple[int, int]
    """Line and column in the file, counted from one."""
    is_game: bool = True


def split(read: Reader, limit: int = LIMIT) -> Iterator[Piece]:
    """Cuts a file, given by its `read`, into games; one longer than `limit` bytes has an empty text."""
    buffer = _Buffer(read)
    read_before, wanted = False, _GAME
    buffer.ahead(3)
    utf8 = buffer.data.startswith(codecs.BOM_UTF8)
    while True:
        found, stray = _seek(buffer, wanted)
        if stray and read_before and wanted is _GAME:
            yield Piece(
                "",
                "moves stand outside of any game before here; is there a ')' too many?",
                (buffer.line, buffer.column),
                False,
            )
        if not found:
            return
        read_before, origin = True, (buffer.line, buffer.column)
        named, codec = ("", "utf-8") if utf8 else _encoding(buffer)
        if codec in DOUBLE and is_utf8(buffer.data[buffer.start : buffer.start + HEAD]):
            codec = "utf-8"
        length = _game_length(buffer, codec, limit)
        wanted = _START if length > limit else _GAME
        data = buffer.skip(length)
        if length > limit:
            yield Piece("", f"the game has more than {limit} bytes", origin)
        else:
            yield Piece(*decode(data, named, codec), origin)


def read_games(path: str | Path | BinaryIO, report: Report | None = None) -> Iterator[tuple[str, Node]]:
    """Yields games one by one as "file#number" and the root of their tree, from whatever holds them.

    `path` is a file (.gz too), an archive (.zip, .tar, also compressed) or a folder, searched for .sgf files and
    archives, or a file open in binary mode. `report` is called with a sentence for each game, file or encoding that is
    not as it should be, and the rest goes on; without it, a damaged game or file ends the reading, and remarks on
    encodings are dropped.

    Raises:
        ValueError: there is nothing at `path`; without `report`, a game is damaged, or a file cannot be read.
    """
    if isinstance(path, str | Path) and not os.path.exists(path):
        raise ValueError(f"there is no file or folder {path}; a path to .sgf files is wanted")
    return _read_games(path, report)


def _read_games(path: str | Path | BinaryIO, report: Report | None) -> Iterator[tuple[str, Node]]:
    def refuse(sentence: str) -> None:
        if report is None:
            raise ValueError(sentence)
        report(sentence)

    for name, opened in _files(path, refuse):
        number = 0
        with _readable(name, refuse), opened() as file:
            for piece in split(_transcoded(file.read)):
                number += piece.is_game
                source = f"{name}#{number}"
                try:
                    root = _game(piece)
                except ValueError as error:
                    refuse(f"{source}: {error}")
                    continue
                if piece.remark and report is not None:
                    report(f"{source}: {piece.remark}")
                yield source, root
            if not number:
                refuse(f"{name}: there is no game in it, which would begin with '(;'")


def _game(piece: Piece) -> Node:
    where = f"line {piece.origin[0]}, column {piece.origin[1]}"
    if not piece.text:
        raise ValueError(f"{where}: {piece.remark}")
    root, end = parse_game(piece.text, 0, piece.origin)
    if end < len(piece.text):
        raise ValueError(f"{where}: its encoding hides where it ends; {piece.remark}")
    return root


def write_games(path: str | Path, roots: Iterable[Node], append: bool = False) -> None:
    """Writes game trees to a file in UTF-8, which CA then names if there are letters beyond ASCII.

    Raises:
        ValueError: see `dump`; the games before it are written.
    """
    with open(path, "ab" if append else "wb") as file:
        for root in roots:
            text = dump([root])
            if not text.isascii() and codec_of(root.simple("CA")) != "utf-8":
                text = dump([Node({**root.properties, "CA": ["UTF-8"]}, root.children)])
            file.write(text.encode(errors="replace"))


def _files(path: str | Path | BinaryIO, refuse: Report) -> Iterator[tuple[str, Opener]]:
    """Yields the name of each file of games, and what opens it; those in a tar must be read in this order."""
    if not isinstance(path, str | Path):
        yield str(getattr(path, "name", "games")), lambda: nullcontext(path)
        return
    name = str(path).lower()
    if os.path.isdir(path):
        for folder, folders, files in os.walk(path, onerror=lambda error: refuse(f"{path}: {error}")):
            folders.sort()
            for file in sorted(files):
                if file.lower().endswith((".sgf", ".sgf.gz", *ARCHIVES)):
                    yield from _files(os.path.join(folder, file), refuse)
    elif name.endswith(".zip"):
        with _readable(str(path), refuse), zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.filename.lower().endswith(".sgf"):
                    yield f"{path}/{info.filename}", partial(archive.open, info)
    elif name.endswith(ARCHIVES):
        with _readable(str(path), refuse), tarfile.open(path, "r|*") as tar:
            for member in tar:
                member_file = tar.extractfile(member) if member.name.lower().endswith(".sgf") else None
                if member_file is not None:
                    yield f"{path}/{member.name}", partial(nullcontext, member_file)
    else:
        yield str(path), partial(gzip.open if name.endswith(".gz") else open, path, "rb")


@contextmanager
def _readable(name: str, refuse: Report) -> Iterator[None]:
    """Turns what can go wrong while a file is read or unpacked into a report."""
    try:
        yield
    except (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile) as error:
        refuse(f"{name}: it cannot be read to its end: {error or type(error).__name__}")
    except (NotImplementedError, RuntimeError) as error:  # a zip that is encrypted or packed in an unknown way
        refuse(f"{name}: it cannot be unpacked: {error}")


def _transcoded(read: Reader) -> Reader:
    """Returns a `read` that gives UTF-8 for a file which begins with the mark of UTF-16."""
    head = read(2)
    if head not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        waiting = [head]
        return lambda count: waiting.pop() if waiting else read(count)
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    decoder.decode(head)

    def transcode(count: int) -> bytes:
        while chunk := read(count):
            if text := decoder.decode(chunk):
                return text.encode(errors="replace")
        return b""

    waiting = [codecs.BOM_UTF8]
    return lambda count: waiting.pop() if waiting else transcode(count)
