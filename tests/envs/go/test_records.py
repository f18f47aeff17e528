"""Records: what a game tree says was played, and whether the rules allow it."""

import importlib.util
import itertools
import os
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palestra.envs.go.position import IllegalMoveError
from palestra.envs.go.records import (
    GameRecord,
    Setup,
    Tally,
    record_of,
    replay,
    replay_all,
    rules_for,
    tree_of,
    write_record,
)
from palestra.envs.go.rules import Rules, rules_named
from palestra.envs.go.sgf import dump, parse
from palestra.envs.go.sgf_files import read_games

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "sgf.py"
# The games of the shared collection that repeat a position, and the move that first does so. A replay that keeps every
# board in a set, written apart from the engine, found just these: 13 by position, 4 by position and player to move.
POSITIONAL = {75: 54, 121: 76, 160: 61, 205: 66, 216: 60, 276: 72, 322: 84, 335: 74, 398: 73, 414: 68}
POSITIONAL |= {473: 76, 3633: 87, 4063: 93}
SITUATIONAL = {216: 91, 322: 86, 3633: 87, 4063: 93}


def record(text: str) -> GameRecord:
    return record_of(parse(text)[0], "f#1")


def stones(board: np.ndarray[tuple[int, int], np.dtype[np.int8]]) -> str:
    return "/".join("".join(".XO"[point] for point in row) for row in board)


def test_a_game() -> None:
    found = record(
        "(;GM[1]FF[4]SZ[5]KM[7.5]RU[Chinese]PB[A \\] B]PW[C]BR[3d]WR[1k]DT[2020-02-03]RE[B+R]"
        ";B[ca](;W[ac];B[];W[tt])(;W[ee]))"
    )
    assert found == GameRecord(
        5,
        ((1, 2), (2, 10), (1, 25), (2, 25)),  # row 0 on top; the main line only
        komi=7.5,
        rules="chinese",
        result="B+R",
        black_player="A ] B",
        white_player="C",
        black_rank="3d",
        white_rank="1k",
        date="2020-02-03",
        source="f#1",
    )
    assert (found.to_move, found.winner) == (1, 1)
    assert (record("(;RE[0])").winner, record("(;RE[Void])").winner, record("(;RE[W+3])").winner) == (0, 0, 2)


def test_setup_at_the_beginning_and_in_the_middle() -> None:
    found = record("(;SZ[5]AB[aa:ba][ee]AW[ca]PL[W];W[bb];B[cc]AE[aa]AW[dd];;PL[B]AB[de])")
    assert found.setups == (
        Setup(0, black=(0, 1, 24), white=(2,), to_move=2),
        Setup(1, white=(18,), empty=(0,)),  # in the node of a move: before the move
        Setup(2, black=(23,), to_move=1),
    )
    assert found.moves == ((2, 6), (1, 12))
    position = replay(found)
    assert stones(position.board) == ".XO../.O.../..X../...O./...XX"
    assert position.to_move == 1
    assert record("(;SZ[5]AB[aa];PL[W])").setups == (Setup(0, black=(0,)), Setup(0, to_move=2))
    assert record("(;SZ[5]AB[aa];PL[W])").to_move == 2


def test_handicap() -> None:
    usual = Setup(0, black=(24, 56), to_move=2)
    assert record("(;SZ[9]HA[2];W[ee])").setups == (usual,)  # g7 and c3, as GTP 2, section 4.1.1, has them
    assert record("(;SZ[9]HA[2]AB[aa][bb];W[ee])").setups == (Setup(0, black=(0, 10)),)
    assert record("(;SZ[9]HA[2];B[gc];B[cg];W[ee])").setups == ()  # Black places them himself
    position = replay(record("(;SZ[9]HA[2]RU[Chinese]KM[0.5];W[ee])"))
    assert (position.board == 1).sum() == 2
    assert position.rules.white_bonus == 2.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(;GM[3])", "f#1: GM is '3', but 1, Go, is wanted"),
        ("(;SZ[9:13])", "f#1: the board is 9x13, but a square of 2 to 25 lines is wanted"),
        ("(;SZ[26])", "f#1: the board is 26x26, but a square"),
        ("(;SZ[x])", "f#1: SZ is 'x', but"),
        ("(;SZ[9];B[aa];W[jj])", "f#1: move 2: 'jj' is no point of a board of 9x9"),
        ("(;SZ[9];B[aa][bb])", "f#1: move 1: B has 2 values"),
        ("(;SZ[9]PL[x])", "f#1: move 1: PL is 'x', but B or W is wanted"),
        ("(;SZ[9];B[aa];AB[a])", "f#1: move 2: 'a' is no point"),
    ],
)
def test_what_is_no_record(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        record(text)


MOVES = st.lists(st.tuples(st.sampled_from([1, 2]), st.integers(0, 25)), max_size=8).map(tuple)
POINTS = st.sets(st.integers(0, 24), max_size=3).map(lambda points: tuple(sorted(points)))
TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=6)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.data(), MOVES, TEXT, TEXT)
def test_what_is_written_is_read(data: st.DataObject, moves: tuple[tuple[int, int], ...], name: str, rank: str) -> None:
    setups = data.draw(
        st.lists(
            st.builds(Setup, st.integers(0, len(moves)), POINTS, POINTS, POINTS, st.sampled_from([0, 1, 2])).filter(
                lambda s: s.black or s.white or s.empty or s.to_move
            ),
            max_size=3,
        )
    )
    given_record = GameRecord(
        5,
        moves,
        komi=data.draw(st.sampled_from([None, 0.0, 7.5, -3.5, 6.4])),
        rules=data.draw(st.sampled_from(["", "chinese", "japanese", "aga", "tromp-taylor", "cgos", "NZ"])),
        setups=tuple(sorted(setups, key=lambda setup: setup.before)),
        result=data.draw(st.sampled_from(["?", "0", "B+R", "W+0.5", "Void"])),
        black_player=name,
        white_rank=rank,
    )
    assert record_of(parse(dump([tree_of(given_record)]))[0]) == given_record


def test_a_record_in_a_file(tmp_path: Path) -> None:
    played = GameRecord(9, ((1, 40), (2, 81), (1, 81)), komi=7.0, result="B+74", black_player="é", white_player="w")
    write_record(tmp_path / "a.sgf", played)
    write_record(tmp_path / "a.sgf", played, append=True)
    assert (tmp_path / "a.sgf").read_text().splitlines() == [
        "(;GM[1]FF[4]CA[UTF-8]AP[Palestra]SZ[9]KM[7]PB[é]PW[w]RE[B+74];B[ee];W[];B[])"
    ] * 2
    assert [record_of(root) for _, root in read_games(tmp_path)] == [played, played]
    assert replay(played).score() == 74.0  # 81 points less komi
    with pytest.raises(ValueError, match=r"the move \(1, 82\) is not"):
        write_record(tmp_path / "a.sgf", GameRecord(9, ((1, 82),)))


def test_rules() -> None:
    assert rules_for(record("(;SZ[9]RU[Japanese]KM[6.5])")) == rules_named("japanese", size=9, komi=6.5)
    assert rules_for(record("(;SZ[9]RU[Chinese])")) == rules_named("chinese", size=9)
    assert rules_for(record("(;SZ[9]KM[6.4])")) == Rules(9, 6.5, superko="simple", suicide=True)
    with pytest.raises(ValueError, match="f#1: the board has 9 lines, but the rules are for 19"):
        replay(record("(;SZ[9])"), Rules())


@pytest.mark.parametrize(
    ("moves", "rules", "said"),
    [
        (";B[aa];W[aa]", Rules(5), "f#1: move 2: White A5: a stone is there"),
        (";B[ba];W[ee];B[ab];W[aa]", Rules(5), "f#1: move 4: White A5: it would be suicide"),
        (";B[];W[];B[aa]", Rules(5), "f#1: move 3: Black A5: the game is over by two passes"),
        # a ko at b5 and c5 (Black takes at c5, White back at b5)
        (";B[ba];W[ca];B[ab];W[db];B[bc];W[cc];B[cb];W[bb];B[cb]", Rules(5), "f#1: move 9: Black C4: .*ko"),
    ],
)
def test_illegal_moves_are_named(moves: str, rules: Rules, said: str) -> None:
    with pytest.raises(IllegalMoveError, match=said):
        replay(record(f"(;SZ[5]{moves})"), rules)


def test_what_ends_a_game_and_what_does_not() -> None:
    passes = record("(;SZ[5];B[aa];W[];B[];W[];B[])")  # a third pass and a fourth, as some rules ask for
    assert replay(passes).over
    many = GameRecord(5, tuple((1 + i % 2, 25 if i % 3 else i // 3) for i in range(0, 60, 3)))
    assert len(replay(many).moves) == 20
    with pytest.raises(IllegalMoveError, match=r"f: move 11: .* the game is over by the cap of 10 moves"):
        replay(GameRecord(5, many.moves, source="f"), Rules(5, max_moves=10))


def test_a_collection_goes_on_after_illegal_and_other_games(tmp_path: Path) -> None:
    path = tmp_path / "c.sgf"
    path.write_text("(;SZ[5];B[aa];W[bb])(;SZ[5];B[aa];W[aa])(;GM[2])(;SZ[5]AB[aa]AW[ba][ab])(;SZ[5]*)(;SZ[5];B[ee])")
    reports: list[str] = []
    tally = Tally()
    played = [found.source for found, _ in replay_all(path, report=reports.append, tally=tally)]
    assert played == [f"{path}#1", f"{path}#6"]
    assert tally == Tally(games=2, moves=3, illegal=1, refused=2)
    assert [report.removeprefix(f"{path}")[:20] for report in reports] == [
        "#2: move 2: White A5",
        "#3: GM is '2', but 1",
        "#4: set-up before mo",
        "#5: line 1, column 8",
    ]


def _benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sgf_benchmark", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FUZZ = _benchmark()


def test_damaged_files_are_read_or_refused() -> None:
    # `python benchmarks/sgf.py --fuzz 1000000` does a million; any error but a ValueError of one line ends this
    refused = [FUZZ.examine(data)[0] for data in itertools.islice(FUZZ.mutants(0), 3000)]
    assert 1500 < sum(refused) < 3000  # some of them are still good


@settings(deadline=None, derandomize=True, max_examples=500)
@given(st.binary(max_size=80), st.sampled_from([b"", b"(;", b"(;C[", b"(;SZ[5];B["]))
def test_any_bytes_are_read_or_refused(data: bytes, start: bytes) -> None:
    FUZZ.examine(start + data)


def test_the_example_of_the_page_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[3] / "docs" / "sgf.md").read_text()
    block = page.split("```python\n")[1].split("```")[0]
    exec(compile(block, "sgf.md", "exec"), {})
    said = [
        line.split("# ")[1]
        for line in block.splitlines()
        if line.startswith("# ") or (")  # " in line and "print" in line)
    ]
    assert capsys.readouterr().out.splitlines() == said


@pytest.mark.slow
@pytest.mark.skipif("PALESTRA_DATA" not in os.environ, reason="PALESTRA_DATA names no folder with go9x9/games.sgf")
def test_the_shared_collection() -> None:
    path = Path(os.environ["PALESTRA_DATA"]) / "go9x9" / "games.sgf"
    reports: list[str] = []
    tally = Tally()
    found = {rules: {} for rules in ("tromp-taylor", "aga")}
    for played, position in replay_all(path, report=reports.append, tally=tally):
        number = int(played.source.split("#")[1])
        assert position.moves == list(played.moves)
        for name, illegal in found.items():
            if number in POSITIONAL or (number % 5 == 0 and name == "tromp-taylor"):
                try:
                    replay(played, rules_named(name, size=9))
                except IllegalMoveError as error:
                    illegal[number] = int(str(error).split(": move ")[1].split(":")[0])
    assert tally == Tally(games=9244, moves=567_608)  # games as data/README.md has them, moves as `grep -o ";[BW]\["`
    assert reports == []
    assert found == {"tromp-taylor": POSITIONAL, "aga": SITUATIONAL}
