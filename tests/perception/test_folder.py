"""Folders of images: classes, sizes, colours, damaged files, and folders that stay on the disk."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from palestra.perception.data import Images, load_images
from palestra.perception.folder import read_image

SIZE = (6, 9)  # height and width


def picture(seed: int, shape: tuple[int, ...] = (*SIZE, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Two classes with three images each, and files that are no images."""
    root = tmp_path / "pets"
    for i in range(3):
        save(root / "dog" / f"{i}.png", picture(i))
        save(root / "cat" / "more" / f"{i}.PNG", picture(10 + i))
    (root / "cat" / "notes.txt").write_text("no image")
    (root / "cat" / ".hidden.png").write_text("no image")
    (root / ".cache").mkdir()
    (root / "readme.md").write_text("no image")
    return root


@pytest.mark.parametrize("lazy", [True, False, None])
def test_classes_are_sub_folders_in_order(pets: Path, lazy: bool | None) -> None:
    data = load_images(str(pets), lazy=lazy)
    assert data.classes == ("cat", "dog")
    assert data.labels is not None
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert isinstance(data.pixels, torch.Tensor) == (not lazy)
    x, y = data[torch.tensor([5, 0])]
    assert y.tolist() == [1, 0]
    np.testing.assert_array_equal(x[0], picture(2).transpose(2, 0, 1))
    np.testing.assert_array_equal(x[1], picture(10).transpose(2, 0, 1))
    assert torch.equal(data[5][0], x[0])
    assert torch.equal(data[4:][0][1], x[0])


def test_lazy_folders_are_read_when_they_are_asked_for(pets: Path) -> None:
    lazy = load_images(str(pets), lazy=True)
    rest, held_out = lazy.split(0.5, seed=0)
    assert held_out.image_size == SIZE
    save(pets / "dog" / "1.png", picture(99))
    expected = load_images(str(pets))
    assert torch.equal(lazy[torch.arange(6)][0], expected.pixels)
    assert torch.equal(rest[torch.arange(3)][0], expected.split(0.5, seed=0)[0].pixels)
    assert lazy.mean_std() == expected.mean_std()


def test_images_without_classes(tmp_path: Path) -> None:
    for i in (1, 0):
        save(tmp_path / "loose" / f"{i}.png", picture(i))
    data = load_images(str(tmp_path / "loose"))
    assert data.labels is None
    np.testing.assert_array_equal(data.pixels[1], picture(1).transpose(2, 0, 1))


def test_grey_and_colours(tmp_path: Path) -> None:
    grey = picture(0, SIZE)
    save(tmp_path / "a" / "grey.png", grey)
    assert load_images(str(tmp_path)).in_channels == 1
    np.testing.assert_array_equal(load_images(str(tmp_path)).pixels[0, 0], grey)
    save(tmp_path / "b" / "colour.png", picture(1))
    with pytest.raises(ValueError, match=r"two kinds: .*grey.png is grey, .*colour.png is of colours; channels=1 or 3"):
        load_images(str(tmp_path))
    coloured = load_images(str(tmp_path), channels=3)
    np.testing.assert_array_equal(coloured.pixels[0], np.stack([grey] * 3))
    assert load_images(str(tmp_path), channels=1).in_channels == 1


def test_deep_greys_keep_their_upper_bits(tmp_path: Path) -> None:
    deep = np.array([[0, 255, 256], [1000, 32768, 65535]], np.uint16)
    path = save(tmp_path / "deep.png", deep)
    np.testing.assert_array_equal(read_image(path, 1)[0], deep >> 8)


def test_cameras_that_were_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    (tmp_path / "a").mkdir()
    Image.fromarray(picture(0)).save(tmp_path / "a" / "x.png", exif=exif)
    data = load_images(str(tmp_path))
    assert data.image_size == SIZE[::-1]
    np.testing.assert_array_equal(data.pixels[0], np.rot90(picture(0), -1).transpose(2, 0, 1))


@pytest.mark.parametrize("size", [4, "4", (4, 4), "4x4"])
def test_sizes(pets: Path, size: int | str | tuple[int, int]) -> None:
    save(pets / "dog" / "wide.png", picture(5, (10, 40, 3)))
    with pytest.raises(ValueError, match=r"different sizes: .*0.PNG is 6 x 9, .*wide.png is 10 x 40; size=HxW"):
        load_images(str(pets))
    assert load_images(str(pets), size=size).pixels.shape == (7, 3, 4, 4)


def test_scaling_keeps_the_shape_of_what_is_seen(tmp_path: Path) -> None:
    stripes = np.zeros((8, 24), np.uint8)
    stripes[:, 8:16] = 200  # the middle third
    save(tmp_path / "a" / "x.png", stripes)
    assert (load_images(str(tmp_path), size=8).pixels == 200).all()
    assert (load_images(str(tmp_path), size="4x12").pixels[0, 0, :, [0, 1, 10, 11]] == 0).all()


@pytest.mark.parametrize("size", ["axb", 0, -3, (1, 2, 3), (4, 0), "", "4x"])
def test_wrong_sizes(pets: Path, size: int | str | tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="but a side, a height and a width, or HxW"):
        load_images(str(pets), size=size)


def damaged(pets: Path) -> list[str]:
    """Adds an empty file, one of text, one cut off, one with a wrong bit, and one that says it is immense."""
    whole = (pets / "dog" / "0.png").read_bytes()
    wrong = bytearray(whole)
    wrong[60] ^= 255
    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    immense = whole[:16] + head + struct.pack(">I", zlib.crc32(b"IHDR" + head)) + whole[33:]
    contents = {
        "empty": b"",
        "text": b"hello",
        "cut": whole[: len(whole) // 2],
        "wrong": bytes(wrong),
        "immense": immense,
    }
    for name, content in contents.items():
        (pets / "cat" / f"{name}.png").write_bytes(content)
    return [str(pets / "cat" / f"{name}.png") for name in contents]


def test_damaged_files_are_named_and_refused(pets: Path) -> None:
    damaged(pets)
    with pytest.raises(
        ValueError, match=r"of the 11 images of .* are damaged: .*corrupt='skip' leaves them out"
    ) as error:
        load_images(str(pets))
    for name in ("empty.png cannot be read: it is no image", "immense.png cannot be read: it has more than 89,478,485"):
        assert name in str(error.value)


@pytest.mark.parametrize("name", ["empty", "text", "cut", "wrong", "immense"])
def test_each_damage_is_found(pets: Path, name: str) -> None:
    for path in damaged(pets):
        if Path(path).stem != name:
            Path(path).unlink()
    with pytest.raises(ValueError, match=rf"1 of the 7 images .*{name}.png cannot be read"):
        load_images(str(pets))
    if name in ("cut", "wrong"):  # their heads are whole
        assert len(load_images(str(pets), lazy=True)) == 7


@pytest.mark.parametrize("lazy", [True, False])
def test_damaged_files_are_named_and_skipped(pets: Path, lazy: bool) -> None:
    expected = load_images(str(pets))
    paths = damaged(pets)
    with pytest.warns(UserWarning, match="left out of") as warned:
        data = load_images(str(pets), corrupt="skip", lazy=lazy)
    assert all(path in str(warned[0].message) for path in paths)
    assert data.labels is not None
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert torch.equal(data[torch.arange(6)][0], expected.pixels)


def test_damages_of_lazy_folders_are_named_when_they_are_read(pets: Path) -> None:
    whole = (pets / "dog" / "0.png").read_bytes()
    data: Images = load_images(str(pets), lazy=True)
    (pets / "dog" / "0.png").write_bytes(whole[:-60])
    data[torch.tensor([0, 4])]
    with pytest.raises(ValueError, match=r"dog/0.png cannot be read"):
        data[torch.tensor([0, 3])]
    (pets / "dog" / "0.png").unlink()
    with pytest.raises(ValueError, match=r"dog/0.png cannot be read: .*No such file"):
        data[torch.tensor([3])]


def test_nothing_but_damaged_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(b"hello")
    with pytest.raises(ValueError, match=r"1 of the 1 images"):
        load_images(str(tmp_path), corrupt="skip")


def test_other_programs_are_not_started_by_what_is_called_an_image(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n")
    with pytest.raises(ValueError, match="it is no image"):
        load_images(str(tmp_path))


def test_folders_that_are_refused(pets: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match=r"has no images .* and no sub-folders"):
        load_images(str(tmp_path / "none"))
    save(pets / "loose.png", picture(0))
    with pytest.raises(ValueError, match=r"loose.png lies beside the folders of the classes"):
        load_images(str(pets))
    (pets / "loose.png").unlink()
    (pets / "bird").mkdir()
    with pytest.raises(ValueError, match=r"bird has no images .* remove it"):
        load_images(str(pets))


def test_options_that_are_refused(pets: Path) -> None:
    with pytest.raises(ValueError, match="corrupt is 'keep', but refuse or skip"):
        load_images(str(pets), corrupt="keep")
    with pytest.raises(ValueError, match="channels is 2, but 1"):
        load_images(str(pets), channels=2)
