"""Collections: every game on its own, from files, folders and archives, whatever is wrong with its neighbours."""

import gzip
import io
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palestra.envs.go import sgf_files
from palestra.envs.go.sgf import Node, dump, parse
from palestra.envs.go.sgf_files import read_games, split, write_games

GOOD = b"(;GM[1]SZ[9];B[aa];W[bb])"


def games(data: bytes) -> tuple[list[str], list[str]]:
    """The games of a file as text, and what was reported."""
    reports: list[str] = []
    return [dump([root]).strip() for _, root in read_games(io.BytesIO(data), reports.append)], reports


@pytest.mark.parametrize(
    ("damaged", "number", "said"),
    [  # a damaged game, and where it is found to be one
        (b"(;GM[1];B[aa]", 2, "line 3, column 1: the game is not closed"),
        (b"(;GM[1]C[aa;B[bb", 2, "line 2, column 8: a value is not closed"),
        (b"(;GM[1]C[aa", 2, "line 2, column 8: a value is not closed"),
        (b"(;GM[1];B[aa])\n;W[bb])", 2, "line 4, column 1: moves stand outside of any game before here"),
        (b"(;GM[1]*)", 2, "line 2, column 8: '*' stands there"),
        (b"(;GM[1]()", 2, "line 2, column 9: ')' stands after '('"),
        (b"(;GM[1];)B[aa](;GM[1]", 3, "line 3, column 1: the game is not closed"),
    ],
)
def test_a_damaged_game_is_named_and_the_rest_goes_on(damaged: bytes, number: int, said: str) -> None:
    read, reports = games(b"\n".join([GOOD, damaged, GOOD, GOOD]))
    assert read.count(GOOD.decode()) == 3
    assert len(reports) == 1
    assert reports[0].startswith(f"games#{number}: {said}")


def test_a_collection_without_a_report_ends_at_the_first_damage() -> None:
    found = read_games(io.BytesIO(GOOD + b"(;GM[1]*)" + GOOD))
    assert next(found)[0] == "games#1"
    with pytest.raises(ValueError, match=r"games#2: line 1, column 33: '\*' stands there"):
        next(found)


def test_numbers_and_places_of_games() -> None:
    data = b"mail\n\n" + GOOD + b"\r\n(;C[a\nb]" + b")  (;C[\n[" + b"]*)"
    found, reports = [], []
    for source, _ in read_games(io.BytesIO(data), reports.append):
        found.append(source)
    assert found == ["games#1", "games#2"]
    assert reports == ["games#3: line 6, column 3: '*' stands there, where a property, ';', '(' or ')' is wanted"]


def test_text_in_a_value_is_no_game() -> None:
    text = b"(;C[see (;GM[1\\]C[x\\]) and :-) (;)];B[aa])"
    assert games(text) == ([text.decode()], [])


@pytest.mark.parametrize(
    ("text", "encoding", "named"),
    [
        ("金昞俊 朴埈奭", "gb18030", "GBK"),  # with bytes that look like a backslash and like brackets
        ("本因坊", "big5hkscs", "Big5"),
        ("ｱ本因坊 ソ表", "cp932", "Shift_JIS"),
        ("조훈현", "cp949", "EUC-KR"),
        ("趙治勲", "euc_jp", "EUC-JP"),
        ("Müller", "latin-1", "ISO-8859-1"),
        ("Müller 世界", "utf-8", "UTF-8"),
    ],
)
def test_encodings(text: str, encoding: str, named: str) -> None:
    one = f"(;GM[1]PB[{text}]CA[{named}];B[aa]C[{text}])"
    plain = "(;C[Müller];B[bb])"
    data = one.encode(encoding) + plain.encode() + one.encode(encoding)
    assert games(data) == ([one, plain, one], [])


def test_encodings_that_are_wrong_or_unknown_are_remarked_on() -> None:
    text = "(;CA[GB2312]C[世界])"
    read, reports = games(text.encode() + "(;CA[klingon]C[é])".encode("latin-1"))
    assert read == [text, "(;CA[klingon]C[é])"]
    assert ["games#1" in reports[0], "games#2" in reports[1]] == [True, True]
    assert "was read as utf-8" in reports[0]
    assert "is unknown; the game was read as latin-1" in reports[1]
    assert [dump([root]).strip() for _, root in read_games(io.BytesIO(text.encode()))] == [text]  # no damage


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_marks_of_unicode(encoding: str) -> None:
    text = "(;C[世界 \U0001f600]CA[latin-1];B[aa])"
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    read, _ = games((mark + text).encode(encoding))
    assert read == [text]


def test_folders_and_archives(tmp_path: Path) -> None:
    folder = tmp_path / "games"
    (folder / "b").mkdir(parents=True)
    (folder / "a.sgf").write_bytes(GOOD + GOOD)
    (folder / "b" / "c.SGF").write_bytes(GOOD)
    (folder / "b" / "notes.txt").write_bytes(b"(;nonsense")
    (folder / "d.sgf.gz").write_bytes(gzip.compress(GOOD))
    with zipfile.ZipFile(folder / "e.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/1.sgf", GOOD)
        archive.writestr("readme", "(;")
    with tarfile.open(folder / "f.tar.gz", "w:gz") as tar:
        tar.add(folder / "a.sgf", "y/2.sgf")
    names = [
        "a.sgf#1",
        "a.sgf#2",
        "d.sgf.gz#1",
        "e.zip/x/1.sgf#1",
        "f.tar.gz/y/2.sgf#1",
        "f.tar.gz/y/2.sgf#2",
        "b/c.SGF#1",
    ]
    assert [source for source, _ in read_games(folder)] == [f"{folder}/{name}" for name in names]
    assert [source for source, _ in read_games(str(folder / "e.zip"))] == [f"{folder}/e.zip/x/1.sgf#1"]


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no archive")
    (tmp_path / "b.tar").write_bytes(b"no archive")
    (tmp_path / "c.sgf.gz").write_bytes(gzip.compress(GOOD * 1000)[:-20])
    (tmp_path / "d.sgf").write_bytes(b"")
    (tmp_path / "e.sgf").write_bytes(GOOD)
    reports: list[str] = []
    assert [source for source, _ in read_games(tmp_path, reports.append)][-1] == f"{tmp_path}/e.sgf#1"
    assert [report.split(": ")[0] for report in reports] == [
        str(tmp_path / n) for n in ("a.zip", "b.tar", "c.sgf.gz", "d.sgf")
    ]
    assert "there is no game in it" in reports[3]
    with pytest.raises(ValueError, match="there is no file or folder"):
        read_games(tmp_path / "absent.sgf")


def test_memory_is_that_of_a_game(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sgf_files, "CHUNK", 1000)
    data = GOOD * 8_000
    tracemalloc.start()
    count = sum(1 for _ in read_games(io.BytesIO(data)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 8_000
    assert peak < len(data) // 2  # a few times HEAD


@pytest.mark.parametrize("start", [b"(;GM[1]C[", b"(;GM[1]", b"("])
def test_a_game_too_long_is_left_out(start: bytes) -> None:
    long = start + b";B[aa](;C[x])" * 100_000
    pieces = list(split(io.BytesIO(GOOD + long + b"\n" + GOOD).read, 500_000))
    assert [piece.text.encode() for piece in pieces if piece.text] == [GOOD, GOOD]
    assert [piece.remark for piece in pieces if not piece.text] == ["the game has more than 500000 bytes"]


@pytest.mark.parametrize(
    "piece",
    [
        b"(;GM[1]C[",
        b"(;GM[1]",
        b"(;",
        b"( ",
        b"[",
        b"\\",
        b"\x81",
        b"(;CA[gbk]C[\x81",
        b"(;GM[1];B[aa])",
        b")",
        b";B[aa]",
    ],
)
def test_long_inputs_end(piece: bytes) -> None:
    for data in (piece * 2_000, b"(;" + piece * 2_000, b"(;C[" + piece * 2_000, b"(;CA[gbk]C[" + piece * 2_000):
        games(data)


@settings(deadline=None, derandomize=True, max_examples=500)
@given(st.one_of(st.binary(max_size=60), st.text("();[]\\:BGMC1 \n世", max_size=40).map(str.encode)), st.integers(1, 7))
def test_chunks_do_not_matter(data: bytes, chunk: int) -> None:
    data = b"(;" + data
    file = io.BytesIO(data)
    assert list(split(lambda count: file.read(min(count, chunk)))) == list(split(io.BytesIO(data).read))


def test_the_reader_agrees_with_the_parser_on_good_files() -> None:
    text = "(;FF[4]C[root](;C[a];C[b](;C[c])\n(;C[d];C[e]))\n(;C[f](;C[g];C[h];C[i])\n(;C[j])))\n(;C[)(])"
    assert games(text.encode())[0] == [dump([root]).strip() for root in parse(text)]


def test_writing(tmp_path: Path) -> None:
    path = tmp_path / "games.sgf"
    root = Node({"FF": ["4"], "CA": ["GBK"], "C": ["世界"]})
    write_games(path, [root, Node({"C": ["a\r\nb"]})])
    write_games(path, [Node({"C": ["é"]})], append=True)
    assert path.read_bytes() == "(;FF[4]CA[UTF-8]C[世界])\n(;C[a\r\nb])\n(;C[é]CA[UTF-8])\n".encode()
    assert root.properties["CA"] == ["GBK"]  # the tree is left as it was
    assert len(list(read_games(path))) == 3
