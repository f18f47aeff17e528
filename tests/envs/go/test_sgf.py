"""The SGF grammar: what FF[4] (red-bean.com/sgf) says, what files in the wild do, and bytes that are no SGF at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palestra.envs.go.sgf import (
    Node,
    compose,
    dump,
    escape,
    main_line,
    parse,
    parse_game,
    read_move,
    read_point,
    read_points,
    read_simple,
    read_text,
    write_point,
)

Tree = tuple[dict[str, list[str]], list["Tree"]]
FIXED = settings(deadline=None, derandomize=True)


def tree(node: Node) -> Tree:
    return node.properties, [tree(child) for child in node.children]


def order(root: Node) -> str:
    """The comments of a tree in the order of the file."""
    waiting, seen = [root], ""
    while waiting:
        node = waiting.pop()
        seen += node.text("C")
        waiting += reversed(node.children)
    return seen


def test_tree_of_the_specification() -> None:
    # FF[4], section 1: the tree (root(ab(c)(de))(f(ghi)(j))), and its order in the file
    [root] = parse("(;FF[4]C[root](;C[a];C[b](;C[c])\n(;C[d];C[e]))\n(;C[f](;C[g];C[h];C[i])\n(;C[j])))")
    assert order(root) == "rootabcdefghij"
    assert [node.text("C") for node in main_line(root)] == ["root", "a", "b", "c"]
    assert [len(node.children) for node in (root, root.children[0], root.children[1])] == [2, 1, 2]


def test_text_of_the_specification() -> None:
    # FF[4], section 3.2: the example of a Text value, with what it means there
    value = (
        "Meijin NR: yeah, k4 is won\\\nderful\nsweat NR: thank you! :\\)\ndada NR: yup.\n"
        "jansteen NR: Can anyone\\\n explain [me\\] k4?"
    )
    meant = (
        "Meijin NR: yeah, k4 is wonderful\nsweat NR: thank you! :)\ndada NR: yup.\n"
        "jansteen NR: Can anyone explain [me] k4?"
    )
    assert read_text(value) == meant
    assert read_simple(value) == meant.replace("\n", " ")
    assert parse(f"(;C[{value}])")[0].text("C") == meant


@pytest.mark.parametrize(
    ("value", "text", "simple"),
    [  # sections 3.2 and 3.3; the same values went through sgfmill 1.1.1, which gives these texts
        ("a\\\r\nb\\\n\rc\\\rd", "abcd", "abcd"),
        ("a\r\nb\n\rc\rd\n\ne", "a\nb\nc\nd\n\ne", "a b c d  e"),
        ("tab\there\vx\fy\\\tz", "tab here x y z", "tab here x y z"),
        ("\\\\ \\] \\: \\a", "\\ ] : a", "\\ ] : a"),
        ("a\\\\\nb", "a\\\nb", "a\\ b"),
        ("", "", ""),
    ],
)
def test_escapes_and_line_breaks(value: str, text: str, simple: str) -> None:
    assert (read_text(value), read_simple(value)) == (text, simple)


@pytest.mark.parametrize(
    ("value", "parts"),
    [  # section 3.5; as sgfmill 1.1.1 splits them, which has None where there is no colon
        ("aa:bb", ("aa", "bb")),
        ("a\\:b:c", ("a\\:b", "c")),
        ("a\\\\:b", ("a\\\\", "b")),
        ("ab", ("ab", "")),
        (":x", ("", "x")),
        ("x:", ("x", "")),
        ("a:b:c", ("a", "b:c")),
    ],
)
def test_composed_values(value: str, parts: tuple[str, str]) -> None:
    assert compose(value) == parts


@pytest.mark.parametrize(
    ("text", "trees"),
    [  # the first four as sgfmill 1.1.1 reads them
        (
            "(;B[aa](;W[bb];B[cc])(;W[dd]))",
            [({"B": ["aa"]}, [({"W": ["bb"]}, [({"B": ["cc"]}, [])]), ({"W": ["dd"]}, [])])],
        ),
        ("(;CoPyright[x]AB[aa][bb]AB[cc])", [({"CP": ["x"], "AB": ["aa", "bb", "cc"]}, [])]),
        ("junk(;)", [({}, [])]),
        (" ( ; B [aa] \n [bb] ) ", [({"B": ["aa", "bb"]}, [])]),
        (
            "From: a\nSubject: b [c]\n\n(;C[d])--\n(;XYZ9[e\\]()];;)",
            [({"C": ["d"]}, []), ({"XYZ9": ["e\\]()"]}, [({}, [({}, [])])])],
        ),
        ("((;C[a]))", [({"C": ["a"]}, [])]),
        ("\ufeff(;C[\u4e16])", [({"C": ["\u4e16"]}, [])]),
    ],
)
def test_what_is_read(text: str, trees: list[Tree]) -> None:
    assert [tree(root) for root in parse(text)] == trees


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no game"),
        ("(B[aa])", "no game"),
        ("\n (;C[a]", "line 2, column 8: the game is not closed"),
        ("(;C[a\\])", "line 1, column 3: a value is not closed"),
        ("(;C[a][b)", "line 1, column 7: a value is not closed"),
        ("(;C[a]\n;B)", "line 2, column 2: the property B has no value"),
        ("(;C[a]\r;B)", "line 2, column 2: the property B has no value"),
        ("(;[a])", "line 1, column 3: a value stands there without the name"),
        ("(;C[a];[b])", "line 1, column 8: a value stands there without the name"),
        ("(;b[aa])", "line 1, column 3: the property b does not begin with a capital letter"),
        ("(;a1B[aa])", "line 1, column 3: the property a1B does not begin with a capital letter"),
        ("(;C[a](B[aa]))", r"line 1, column 8: 'B' stands after '\(', where ';' is wanted"),
        ("(;C[a]())", r"line 1, column 8: '\)' stands after '\(', where ';' is wanted"),
        ("(;C[a](;B[aa])W[bb])", r"line 1, column 15: 'W' stands after '\)', where '\(' or '\)' is wanted"),
        ("(;C[a](;B[aa]);W[bb])", r"line 1, column 15: ';' stands after '\)'"),
        ("(;C[a]*)", r"line 1, column 7: '\*' stands there"),
        ("(;C[a]);B[aa])", r"line 1, column 8: a node stands outside of any game; is there a '\)' too many"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


def test_a_game_begins_at_its_bracket() -> None:
    assert parse_game("xx(;C[a])yy", 2)[1] == 9
    with pytest.raises(ValueError, match="line 7, column 5"):
        parse_game(";C[a]", 0, (7, 4))


NAMES = st.from_regex(r"[A-Z][A-Z0-9]{0,3}", fullmatch=True)
VALUES = st.one_of(st.sampled_from(["aa", "tt", "", "a:b"]), st.text(max_size=12).map(escape))
PROPERTIES = st.dictionaries(NAMES, st.lists(VALUES, min_size=1, max_size=3), max_size=3)
TREES = st.recursive(
    st.builds(Node, PROPERTIES), lambda below: st.builds(Node, PROPERTIES, st.lists(below, max_size=3)), max_leaves=12
)


@settings(FIXED, max_examples=100)
@given(st.lists(TREES, min_size=1, max_size=3))
def test_what_is_written_is_read(roots: list[Node]) -> None:
    assert [tree(root) for root in parse(dump(roots))] == [tree(root) for root in roots]


@settings(FIXED, max_examples=300)
@given(st.text())
def test_any_text_is_a_value(text: str) -> None:
    meant = text.replace("\r\n", "\n").replace("\n\r", "\n").replace("\r", "\n")
    for blank in "\t\v\f":
        meant = meant.replace(blank, " ")
    if "\r" not in text:  # else how breaks pair up is another matter
        assert read_text(escape(text)) == meant
    assert compose(f"{escape(text, composed=True)}:{escape(text)}") == (escape(text, composed=True), escape(text))


@settings(FIXED, max_examples=1000)
@given(st.text("();[]\\:ABab \n\r1\u4e16", max_size=40))
def test_brackets_in_any_order_are_read_or_refused(text: str) -> None:
    text = f"(;{text}"
    try:
        roots = parse(text)
    except ValueError as error:
        said = str(error)
    else:
        said = ""
        assert [tree(root) for root in parse(dump(roots))] == [tree(root) for root in roots]
    assert not said or "no game" in said or said.startswith("line ")


@pytest.mark.parametrize("piece", ["(;", "(", "(;B[aa]", ";", "[", "C[", "\\]", "(;C[", "( ", "[a]", "a", "\n", "(;)"])
@pytest.mark.parametrize("start", ["", "(;", "(;C[", "(;C"])
def test_long_inputs_end(start: str, piece: str) -> None:
    # A quadratic reader would take hours for these, a recursive one would overflow at a thousandth.
    text = start + piece * 30_000
    try:
        roots = parse(text)
    except ValueError:
        return
    assert dump(roots)


def test_a_million_brackets() -> None:
    deep = 500_000
    [root] = parse("(;" * deep + ")" * deep)
    assert sum(1 for _ in main_line(root)) == deep
    assert dump([root]) == f"({';' * deep})\n"  # one line of play, however many brackets were around it
    assert repr(root) == "Node({}, 1 children)"
    with pytest.raises(ValueError, match="column 200001: the game is not closed"):
        parse("(;" * 100_000)


def test_a_property_of_ten_megabytes() -> None:
    text = "\\]\n)(;x" * 1_500_000
    [root] = parse(f"(;C[{text}])")
    assert root.properties["C"][0] == text
    assert len(dump([root])) == len(text) + 7


def test_points() -> None:
    assert read_point("ca", 9, 13) == (0, 2)  # column first, row second; both from the top left
    assert read_point("am", 9, 13) == (12, 0)
    assert read_point("zA", 52, 52) == (26, 25)  # capitals are 27 to 52
    assert write_point(26, 25) == "zA"
    for value in ("ma", "a", "aaa", "a1", "", "\u00e4a", "aa:bb"):
        with pytest.raises(ValueError, match="is no point of a board of 9x13; two letters from aa to im are wanted"):
            read_point(value, 9, 13)


def test_passes() -> None:
    # FF[4], Go, "Move, Point & Stone type": no letters, or tt on boards up to 19x19
    assert read_move("", 19, 19) is None
    assert read_move("tt", 9, 9) is None
    assert read_move("tt", 19, 19) is None
    assert read_move("tt", 20, 20) == (19, 19)


def test_compressed_lists_of_points() -> None:
    # FF[4], section 3.5.1: a rectangle from the upper left to the lower right corner
    assert read_points(["ab:bc", "ia"], 9, 9) == [(0, 8), (1, 0), (1, 1), (2, 0), (2, 1)]
    assert read_points(["bc:ab"], 9, 9) == read_points(["ab:bc"], 9, 9)
    assert len(read_points(["aa:ZZ"] * 10_000, 52, 52)) == 52 * 52
    with pytest.raises(ValueError, match="'jj' is no point"):
        read_points(["aa:jj"], 9, 9)


@pytest.mark.parametrize(
    "properties", [{"c": ["a"]}, {"": ["a"]}, {"C": []}, {"C": ["a]"]}, {"C": ["a\\"]}, {"C1-": ["a"]}]
)
def test_what_cannot_be_written_is_refused(properties: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match=r"wanted|use escape"):
        dump([Node({}, [Node(properties)])])
