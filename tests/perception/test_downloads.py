"""Published files: their formats, their checksums, where they are found, and what is said if they are not."""

import gzip
import hashlib
import io
import os
import struct
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from palestra.perception import downloads
from palestra.perception.data import Images, load_images
from palestra.perception.downloads import PUBLISHED, Published

NAMES = (
    *("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    *("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
)
Bytes = np.ndarray


def idx(array: Bytes) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def random_part(count: int, shape: tuple[int, ...]) -> tuple[Bytes, Bytes]:
    rng = np.random.default_rng(count)
    return rng.integers(0, 256, (count, *shape), np.uint8), rng.integers(0, 10, count).astype(np.uint8)


def archive(parts: dict[str, tuple[Bytes, Bytes]]) -> bytes:
    """Packs files of records, a label and 3072 bytes each, as the archive of CIFAR-10's binary version does."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, (images, labels) in parts.items():
            content = np.concatenate([labels[:, None], images.reshape(len(images), -1)], axis=1).tobytes()
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site with small files in the formats of MNIST and CIFAR-10, and no other data anywhere."""
    site = tmp_path / "site"
    site.mkdir()
    for i, (count, (images, labels)) in enumerate((n, random_part(n, (28, 28))) for n in (20, 10)):
        (site / NAMES[2 * i]).write_bytes(gzip.compress(idx(images)))
        (site / NAMES[2 * i + 1]).write_bytes(gzip.compress(idx(labels)))
        assert len(images) == count
    parts = {f"data_batch_{i}.bin": random_part(i + 2, (3, 32, 32)) for i in range(1, 6)}
    packed = archive({**parts, "test_batch.bin": random_part(10, (3, 32, 32))})
    (site / "cifar-10-binary.tar.gz").write_bytes(packed)
    counts = {"mnist": {"train": 20, "test": 10}, "cifar10": {"train": 3 + 4 + 5 + 6 + 7, "test": 10}}
    small = {name: small_copy(PUBLISHED[name], site, counts[name]) for name in counts}
    monkeypatch.setattr(downloads, "PUBLISHED", small)
    monkeypatch.setenv("PALESTRA_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return site


def small_copy(data: Published, site: Path, counts: dict[str, int]) -> Published:
    files = {name: hashlib.sha256((site / name).read_bytes()).hexdigest() for name in data.files}
    return replace(data, mirrors=((site / "absent").as_uri() + "/", site.as_uri() + "/"), files=files, counts=counts)


def check_mnist(data: Images, count: int) -> None:
    images, labels = random_part(count, (28, 28))
    np.testing.assert_array_equal(data.pixels[:, 0], images)
    np.testing.assert_array_equal(data.labels, labels)


def test_downloads_once_from_the_mirror_that_answers(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check_mnist(load_images("mnist"), 20)
    assert capsys.readouterr().err.count("downloading") == 2
    check_mnist(load_images("mnist", "train"), 20)
    check_mnist(load_images("mnist", "test"), 10)
    assert capsys.readouterr().err.count("downloading") == 2
    assert len(load_images("mnist", "all")) == 30
    assert sorted(os.listdir(os.environ["PALESTRA_DATA"] + "/mnist")) == sorted(NAMES)


def test_cifar_from_its_archive_and_from_its_folder(site: Path, tmp_path: Path) -> None:
    train, test = load_images("cifar10"), load_images("cifar10", "test")
    np.testing.assert_array_equal(
        train.pixels, np.concatenate([random_part(i + 2, (3, 32, 32))[0] for i in range(1, 6)])
    )
    np.testing.assert_array_equal(test.labels, random_part(10, (3, 32, 32))[1])
    assert test.classes[3] == "cat"
    folder = tmp_path / "data" / "cifar10"
    with tarfile.open(folder / "cifar-10-binary.tar.gz") as tar:
        tar.extractall(folder, filter="data")
    (folder / "cifar-10-binary.tar.gz").unlink()
    again = load_images("cifar10", "all", download=False)
    assert torch.equal(again.pixels, torch.cat([train.pixels, test.pixels]))


def test_unpacked_files_and_the_cache_are_found(site: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "palestra" / "mnist"
    folder.mkdir(parents=True)
    for name in NAMES:
        (folder / name.removesuffix(".gz")).write_bytes(gzip.decompress((site / name).read_bytes()))
    check_mnist(load_images("mnist", download=False), 20)
    assert not (tmp_path / "data").exists()


def test_another_checksum_is_refused_and_nothing_is_left(site: Path, tmp_path: Path) -> None:
    (site / NAMES[0]).write_bytes(gzip.compress(idx(np.zeros((20, 28, 28), np.uint8))))
    with pytest.raises(ValueError, match=r"mnist is not at hand .*the SHA-256 begins with .*put train-images.* into"):
        load_images("mnist")
    assert not list((tmp_path / "data" / "mnist").iterdir())


def test_what_is_missing_goes_where_is_said(site: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"put cifar-10-binary.tar.gz into {tmp_path}/data/cifar10, or set PALESTRA"):
        load_images("cifar10", download=False)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda whole: whole[: len(whole) // 2], "is damaged"),
        (lambda whole: b"", "it begins with nothing"),
        (lambda whole: b"not packed", "is damaged"),
        (lambda whole: gzip.compress(b"\0\0\x0d\x03" + bytes(12)), "is no IDX file .*begins with 00000d03"),
        (lambda whole: gzip.compress(b"\0\0\x08\x03\0\0\0\x14"), r"should hold \[\] bytes"),
        (lambda whole: gzip.compress(gzip.decompress(whole)[:-1]), r"should hold \[20, 28, 28\] bytes, but has 15679"),
        (lambda whole: gzip.compress(gzip.decompress(whole) + b"1"), "but has 15681"),
        (lambda whole: gzip.compress(idx(np.zeros(20, np.uint8))), "should hold images and .* labels"),
        (lambda whole: gzip.compress(idx(np.zeros((19, 28, 28), np.uint8))), "holds 19 images .* mnist has 20"),
    ],
)
def test_damaged_idx_files(spoil: Callable[[bytes], bytes], message: str, site: Path, tmp_path: Path) -> None:
    load_images("mnist")
    path = tmp_path / "data" / "mnist" / NAMES[0]
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=message):
        load_images("mnist")


def test_damaged_archives(site: Path, tmp_path: Path) -> None:
    path = tmp_path / "data" / "cifar10" / "cifar-10-binary.tar.gz"
    load_images("cifar10")
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"not packed"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is damaged"):
            load_images("cifar10")
    path.write_bytes(archive({"data_batch_1.bin": random_part(2, (3, 32, 31))}))
    with pytest.raises(ValueError, match=r"data_batch_1.bin .* has 5954 bytes, but 3073 an image wanted"):
        load_images("cifar10")


def test_labels_that_are_no_class(site: Path, tmp_path: Path) -> None:
    load_images("mnist")
    path = tmp_path / "data" / "mnist" / NAMES[1]
    path.write_bytes(gzip.compress(idx(np.full(20, 10, np.uint8))))
    with pytest.raises(ValueError, match="label of image 0 of mnist is 10, but must be from 0 to 9"):
        load_images("mnist")


def test_the_real_images_where_they_are_at_hand() -> None:
    path = Path(os.environ.get("PALESTRA_DATA", "")) / "mnist8k" / "mnist8k.npz"
    if not path.is_file():
        pytest.skip("PALESTRA_DATA has no mnist8k/mnist8k.npz")
    data = load_images(str(path))
    assert data.pixels.shape == (8000, 1, 28, 28)
    mean, std = data.mean_std()
    # The published figures of the training images are 0.1307 and 0.3081; these are 8,000 of the test images.
    assert abs(mean[0] - 0.1307) < 0.003
    assert abs(std[0] - 0.3081) < 0.003
