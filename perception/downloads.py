"""MNIST, Fashion-MNIST and CIFAR-10 from the files in which they were published, downloaded where they are not at hand.

Files are looked for in `$PALESTRA_DATA/NAME` and then in the user's cache (`$XDG_CACHE_HOME/palestra/NAME`), packed or
unpacked. A download goes to the first of these that can be written, under another name until its SHA-256 is the known
one. Formats: IDX (LeCun, Cortes and Burges, "The MNIST database", 1998) and CIFAR-10's binary version (Krizhevsky,
"Learning multiple layers of features from tiny images", 2009), whose records are a label and 3 planes of 32 x 32.
"""

import gzip
import hashlib
import http.client
import math
import os
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import numpy as np
from numpy.typing import NDArray

from palestra.perception.data import Bytes, Images

TIMEOUT = 30  # seconds without an answer
BLOCK = 1 << 20  # bytes read at a time
CIFAR_SHAPE = (3, 32, 32)
DIGITS = tuple("0123456789")
CLOTHES = (
    *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True)
class Published:
    """Data as it was published: where, which files with which SHA-256 a part has, its classes and numbers of images."""

    mirrors: tuple[str, ...]
    files: Mapping[str, str]  # name -> SHA-256
    parts: Mapping[str, tuple[str, ...]]  # part -> names of its files
    classes: tuple[str, ...]
    counts: Mapping[str, int]  # part -> images
    read: Callable[[list[Path], str], tuple[Bytes, NDArray[Any]]]  # its files and part -> pixels, labels


def published(name: str, part: str, *, download: bool = True) -> Images:
    """Loads a part, `train`, `test` or `all`, of published data; `download=False` takes only what is at hand.

    Raises:
        ValueError: files are missing and cannot be downloaded (which go where is said), or one is damaged.
    """
    data = PUBLISHED[name]
    loaded = [_load(name, data, one, download) for one in (("train", "test") if part == "all" else (part,))]
    pixels, labels = (np.concatenate(arrays) for arrays in zip(*loaded, strict=True))
    return Images(pixels, labels, data.classes, name=name)


def _load(name: str, data: Published, part: str, download: bool) -> tuple[Bytes, NDArray[Any]]:
    paths = [find(name, data, file, download) for file in data.parts[part]]
    pixels, labels = data.read(paths, part)
    for given in (len(pixels), len(labels)):
        if given != data.counts[part]:
            raise ValueError(f"{paths[0].parent} holds {given} images or labels, but {name} has {data.counts[part]}")
    return pixels, labels


def find(name: str, data: Published, file: str, download: bool = True) -> Path:
    """Returns the path of a file, packed or not, downloading it where it is not at hand.

    Raises:
        ValueError: it is missing and cannot be downloaded; what goes where is said.
    """
    folders = data_folders(name)
    unpacked = file.removesuffix(".gz") if not file.endswith(".tar.gz") else "cifar-10-batches-bin"
    for folder in folders:
        for path in (folder / unpacked, folder / file):
            if path.exists():
                return path
    failures = ["and is not to be downloaded"]
    if download:
        folder = _writable(folders)
        urls = [f"{mirror}{file}" for mirror in data.mirrors]
        fetched, failures = fetch(urls, data.files[file], folder / file)
        if fetched is not None:
            return fetched
    raise ValueError(
        f"{name} is not at hand ({'; '.join(failures)}): put {', '.join(data.files)} into {folders[0]}, "
        f"or set PALESTRA_DATA to the folder that holds {name}"
    )


def data_folders(name: str) -> list[Path]:
    """Returns the folders in which the files of published data are looked for, the first first."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "palestra" / name
    given = os.environ.get("PALESTRA_DATA")
    return [Path(given) / name, cache] if given else [cache]


def fetch(urls: list[str], sha256: str, path: Path) -> tuple[Path | None, list[str]]:
    """Downloads a file from the first address that has it with this checksum; returns None and why, if none does."""
    failures = []
    for url in urls:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".unfinished", delete=False) as out:
            unfinished = Path(out.name)
            try:
                found = _copy(url, out)
                if found == sha256:
                    unfinished.chmod(0o644)
                    unfinished.replace(path)
                    return path, []
                failures.append(f"{urlsplit(url).netloc or url}: the SHA-256 begins with {found[:8]}, not {sha256[:8]}")
            except (OSError, http.client.HTTPException) as error:
                failures.append(f"{urlsplit(url).netloc or url}: {getattr(error, 'reason', error)}")
            finally:
                unfinished.unlink(missing_ok=True)
    return None, failures


def _copy(url: str, out: Any) -> str:
    """Writes what is at an address to a file, and returns its SHA-256."""
    digest = hashlib.sha256()
    with urlopen(url, timeout=TIMEOUT) as response:
        length = int(response.headers.get("Content-Length") or 0)
        print(f"downloading {url}" + (f" ({length / 1e6:.1f} MB)" if length else ""), file=sys.stderr)
        while block := response.read(BLOCK):
            digest.update(block)
            out.write(block)
    out.flush()
    return digest.hexdigest()


def _writable(folders: list[Path]) -> Path:
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise ValueError(f"nothing can be downloaded to {' or '.join(map(str, folders))}: no folder can be written")


def read_idx(path: Path) -> Bytes:
    """Reads an array of bytes in the IDX format, packed by gzip or not.

    Raises:
        ValueError: it is damaged, cut off, or of another format.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            magic = file.read(4)
            if len(magic) < 4 or magic[:3] != b"\0\0\x08" or magic[3] not in (1, 3):
                raise ValueError(
                    f"{path} is no IDX file of labels or images: it begins with {magic.hex() or 'nothing'}"
                )
            head = file.read(4 * magic[3])
            shape = tuple(np.frombuffer(head, ">u4").tolist()) if len(head) == 4 * magic[3] else ()
            content = file.read(math.prod(shape) + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}); delete it, and it is downloaded again") from None
    if len(content) != math.prod(shape):
        raise ValueError(f"{path} is damaged: it should hold {list(shape)} bytes, but has {len(content)}; delete it")
    return np.frombuffer(content, np.uint8).reshape(shape)


def read_mnist(paths: list[Path], part: str) -> tuple[Bytes, NDArray[Any]]:
    """Reads pixels `[N, 1, H, W]` and labels `[N]` from the two IDX files of a part."""
    images, labels = (read_idx(path) for path in paths)
    if images.ndim != 3 or labels.ndim != 1:
        raise ValueError(f"{paths[0]} should hold images and {paths[1]} labels, but they hold other arrays")
    return images[:, None], labels


def read_cifar(paths: list[Path], part: str) -> tuple[Bytes, NDArray[Any]]:
    """Reads pixels `[N, 3, 32, 32]` and labels `[N]` from the archive of the binary version, or from its folder.

    Raises:
        ValueError: a file is missing, damaged or cut off.
    """
    names = ["test_batch.bin"] if part == "test" else [f"data_batch_{i}.bin" for i in range(1, 6)]
    [path] = paths
    try:
        if path.is_dir():
            contents = {name: (path / name).read_bytes() for name in names if (path / name).is_file()}
        else:
            contents = _unpacked(path, names)
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise ValueError(f"{path} is damaged ({error}); delete it, and it is downloaded again") from None
    record = 1 + math.prod(CIFAR_SHAPE)
    for name in names:
        if len(contents.get(name, b"")) % record or not contents.get(name):
            raise ValueError(f"{name} in {path} has {len(contents.get(name, b''))} bytes, but {record} an image wanted")
    records = np.frombuffer(b"".join(contents[name] for name in names), np.uint8).reshape(-1, record)
    return records[:, 1:].reshape(-1, *CIFAR_SHAPE), records[:, 0]


def _unpacked(path: Path, names: list[str]) -> dict[str, bytes]:
    contents = {}
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member) if Path(member.name).name in names and member.isfile() else None
            if file is not None:
                contents[Path(member.name).name] = file.read()
    return contents


def _mnist_like(mirrors: tuple[str, ...], classes: tuple[str, ...], *sha256: str) -> Published:
    names = [f"{part}-{what}.gz" for part in ("train", "t10k") for what in ("images-idx3-ubyte", "labels-idx1-ubyte")]
    parts = {"train": tuple(names[:2]), "test": tuple(names[2:])}
    files = dict(zip(names, sha256, strict=True))
    return Published(mirrors, files, parts, classes, {"train": 60_000, "test": 10_000}, read_mnist)


PUBLISHED: Mapping[str, Published] = MappingProxyType(
    {
        "mnist": _mnist_like(
            (
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
                "http://yann.lecun.com/exdb/mnist/",
            ),
            DIGITS,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
        "fashion-mnist": _mnist_like(
            (
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            ),
            CLOTHES,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
        "cifar10": Published(
            (
                "https://www.cs.toronto.edu/~kriz/",
                "https://cave.cs.toronto.edu/kriz/",
                "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
            ),
            {"cifar-10-binary.tar.gz": "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
            dict.fromkeys(("train", "test"), ("cifar-10-binary.tar.gz",)),
            THINGS,
            {"train": 50_000, "test": 10_000},
            read_cifar,
        ),
    }
)
