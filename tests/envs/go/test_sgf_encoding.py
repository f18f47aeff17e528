"""What CA names, and bytes that are something else."""

import pytest

from palestra.envs.go.sgf_encoding import CODECS, DOUBLE, codec_of, decode, is_utf8


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("utf8", "utf-8"),
        ("ISO-8859-1", "iso8859_1"),
        ("Latin1", "iso8859_1"),
        ("GB2312", "gb18030"),
        ("gbk", "gb18030"),
        ("Shift_JIS", "cp932"),
        ("SJIS", "cp932"),
        ("EUC-KR", "cp949"),
        ("ks_c_5601-1987", "cp949"),
        ("Big5", "big5hkscs"),
        ("windows-1251", "cp1251"),
        ("EUC-JP", "euc_jp"),
        ("", ""),
        ("zlib", ""),  # Python has codecs that are no encodings of text
        ("rot13", ""),
        ("UTF-16", ""),  # no structure in ASCII
        ("klingon", ""),
    ],
)
def test_names(name: str, codec: str) -> None:
    assert codec_of(name) == codec


@pytest.mark.parametrize("codec", CODECS)
def test_codecs_exist_and_hold_ascii(codec: str) -> None:
    text = "".join(map(chr, range(128)))
    assert text.encode(codec) == text.encode()


def test_double_bytes_may_end_like_a_bracket() -> None:
    # which is why values in these encodings are cut by characters
    assert [("昞".encode("gb18030")[1:]), "因".encode("big5hkscs")[1:], "ソ".encode("cp932")[1:]] == [
        b"\\",
        b"]",
        b"\\",
    ]
    assert set(DOUBLE) < set(CODECS)


@pytest.mark.parametrize(
    ("data", "named", "codec", "text", "remark"),
    [
        ("é".encode(), "", "", "é", ""),
        ("é".encode("latin-1"), "", "", "é", ""),  # FF[4], "CA": the default
        ("世界".encode("gbk"), "GB2312", "gb18030", "世界", ""),
        ("世界".encode(), "GB2312", "utf-8", "世界", "which these bytes are not; the game was read as utf-8"),
        ("é".encode(), "US-ASCII", "utf-8", "é", ""),
        ("世é".encode(), "EUC-KR", "cp949", "世é", "which these bytes are not; the game was read as utf-8"),
        ("é".encode("latin-1"), "klingon", "", "é", "which is unknown; the game was read as latin-1"),
        (b"abc", "klingon", "", "abc", "which is unknown; the game was read as utf-8"),
        (b"a\xff", "UTF-8", "utf-8", "a\ufffd", "some bytes are not 'UTF-8'"),
        (b"a\xff", "", "utf-8", "a\ufffd", "some bytes are not 'utf-8'"),
    ],
)
def test_decoding(data: bytes, named: str, codec: str, text: str, remark: str) -> None:
    found, said = decode(data, named, codec)
    assert found == text
    assert remark in said
    assert bool(remark) == bool(said)


def test_utf8_is_known_by_its_asian_letters() -> None:
    text = "世界".encode()
    assert is_utf8(text)
    assert is_utf8(text[:-1])  # cut in a letter
    assert is_utf8(text[:-2])
    assert not is_utf8(b"abc")
    assert not is_utf8("世界".encode("gb18030"))
    assert not is_utf8("\u00e9".encode())  # two bytes, which GBK may have too
