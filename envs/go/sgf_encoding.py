"""The encodings of SGF files: what CA names, and what to do where it is absent, unknown or wrong.

FF[4], section 1 and "CA": names and structure are ASCII, texts are in the encoding that CA names, ISO-8859-1 without
it. Most files without CA are in UTF-8 today, so that is tried first. Escapes are of characters, not of bytes: the
second byte of a character in GBK, Big5 or Shift-JIS may look like a bracket and ends no value.
"""

import codecs
import re
from functools import lru_cache

CODECS = {  # what CA says, small and without signs: Python's name of the widest encoding of that kind
    "gb18030": "gb2312 gbk gb18030 cp936 ms936 windows936 euccn gb231280 gb hz8",
    "big5hkscs": "big5 big5hkscs big5eten",
    "cp950": "cp950 ms950 windows950",
    "cp932": "shiftjis sjis xsjis shiftjisx0213 cp932 ms932 windows31j csshiftjis mskanji windows932",
    "euc_jp": "eucjp ujis xeucjp",
    "cp949": "euckr ksc56011987 ksc5601 ksx1001 cp949 ms949 uhc windows949 korean",
    "utf-8": "utf8 utf 8 unicode utf8bom utf8mb4 ascii usascii",
    "koi8_r": "koi8r koi8",
    "koi8_u": "koi8u",
    "tis_620": "tis620 windows874 cp874",
    **{f"iso8859_{i}": f"iso8859{i} 8859{i} latin{i}" for i in (1, 2, 3, 4, 5, 7, 9, 10, 13, 14, 15)},
    **{f"cp125{i}": f"cp125{i} windows125{i}" for i in range(9)},
}
DOUBLE = ("gb18030", "big5hkscs", "cp950", "cp932")  # a second byte may be [, \ or ]
_NAMES = {name: codec for codec, names in CODECS.items() for name in names.split()}


@lru_cache(maxsize=256)
def codec_of(name: str) -> str:
    """Returns Python's name of the encoding that CA names; empty where none is meant or known."""
    return _NAMES.get(re.sub(r"[\s_.:-]", "", name.lower()), "")


def is_utf8(data: bytes) -> bool:
    """Says whether the first letters beyond ASCII are Asian ones in UTF-8; they may be cut off at the end."""
    run = re.search(rb"[\x80-\xff]+", data)
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(run[0]) if run else ""
    except UnicodeDecodeError:
        return False
    return any(letter > "\u0800" for letter in text)


def decode(data: bytes, named: str, codec: str) -> tuple[str, str]:
    """Returns text and, where what CA names is not what the bytes are, a remark on it.

    `named` is what CA says, empty if it is absent; `codec` is what is tried first, empty if that is not known.
    """
    for guess in dict.fromkeys((codec or "utf-8", "utf-8", codec or "latin-1")):
        try:
            text = data.decode(guess)
        except UnicodeDecodeError:
            continue
        if not named or guess == codec_of(named):
            return text, ""
        what = "which these bytes are not" if codec_of(named) else "which is unknown"
        return text, f"CA names the encoding {named[:40]!r}, {what}; the game was read as {guess}"
    said = repr(named[:40] or codec)
    return data.decode(codec, "replace"), f"some bytes are not {said}, which the file names; U+FFFD stands for them"
