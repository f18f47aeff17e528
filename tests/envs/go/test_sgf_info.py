"""What roots say, as FF[4] and as servers write it."""

import pytest

from palestra.envs.go.sgf import parse
from palestra.envs.go.sgf_info import handicap_of, komi_of, result_of, rules_of, size_of


@pytest.mark.parametrize(
    ("given", "size"),
    [("", (19, 19)), ("SZ[9]", (9, 9)), ("SZ[9:13]", (9, 13)), ("SZ[ 52 ]", (52, 52)), ("SZ[13x13]", (13, 13))],
)
def test_size(given: str, size: tuple[int, int]) -> None:
    assert size_of(parse(f"(;{given})")[0]) == size  # FF[4], SZ: columns first


@pytest.mark.parametrize("given", ["", "0", "53", "-9", "9:", "9:53", "nine", "99999999999999999999", "\u0669"])
def test_no_size(given: str) -> None:
    with pytest.raises(ValueError, match=r"SZ is .* but one number from 1 to 52 or two"):
        size_of(parse(f"(;SZ[{given}])")[0])


@pytest.mark.parametrize(
    ("given", "komi"),
    [
        ("", None),
        ("KM[]", None),
        ("KM[Fox]", None),
        ("KM[0]", 0.0),
        ("KM[7]", 7.0),
        ("KM[6.5]", 6.5),
        ("KM[6,5]", 6.5),
        ("KM[6.5 points]", 6.5),
        ("KM[-5.5]", -5.5),
        ("KM[.5]", 0.5),
        # Chinese servers: hundredths, and stones for points; the pairs that KataGo knows (pull request 1118)
        ("KM[550]", 5.5),
        ("KM[275]", 5.5),
        ("KM[325]", 6.5),
        ("KM[650]", 6.5),
        ("KM[375]", 7.5),
        ("KM[750]", 7.5),
        ("KM[350]", 7.0),
        ("KM[700]", 7.0),
        ("KM[3.75]", 7.5),
        ("KM[3.5]", 3.5),
        ("AP[foxwq]KM[50]", 0.5),
        ("KM[50]", 50.0),
        ("KM[20000]", None),
        ("KM[999999999999]", None),
    ],
)
def test_komi(given: str, komi: float | None) -> None:
    assert komi_of(parse(f"(;{given})")[0]) == komi


@pytest.mark.parametrize(
    ("given", "handicap"), [("", 0), ("HA[]", 0), ("HA[0]", 0), ("HA[1]", 0), ("HA[2]", 2), ("HA[x]", 0)]
)
def test_handicap(given: str, handicap: int) -> None:
    assert handicap_of(parse(f"(;{given})")[0]) == handicap


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ("", ""),
        ("RU[Chinese]", "chinese"),
        ("RU[japanese rules]", "japanese"),
        ("RU[AGA]", "aga"),
        ("RU[Tromp-Taylor]", "tromp-taylor"),
        ("RU[NZ]", "NZ"),
    ],
)
def test_rules(given: str, rules: str) -> None:
    assert rules_of(parse(f"(;{given})")[0]) == rules


@pytest.mark.parametrize(
    ("given", "result"),
    [  # FF[4], RE, then what is seen besides
        *((same, same) for same in ("B+3.5", "W+0.5", "W+64", "B+R", "W+T", "B+F", "W+", "0", "Void", "?")),
        ("B+Resign", "B+R"),
        ("W+Time", "W+T"),
        ("W+Forfeit", "W+F"),
        ("Draw", "0"),
        ("Jigo", "0"),
        ("b+r", "B+R"),
        ("White+3.50", "W+3.5"),
        ("W + 2,5 points", "W+2.5"),
        ("", "?"),
        ("unfinished", "?"),
        ("B+much", "B+"),
    ],
)
def test_result(given: str, result: str) -> None:
    assert result_of(parse(f"(;RE[{given}])")[0]) == result
    assert result_of(parse(f"(;RE[{result}])")[0]) == result
