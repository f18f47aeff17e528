"""Published weights: downloads, checksums, old names, normalisation, and what is said where something fails."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from palestra.networks import create, weights
from palestra.networks.pretrained import from_pretrained, load_into, save_pretrained
from palestra.networks.weights import Published, download, modern_names, network_transforms, resize_and_crop

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
Publish = Callable[..., Path]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Puts a network's weights where the published ones come from; downloads go to an empty cache."""
    server = tmp_path / "server"
    server.mkdir()
    monkeypatch.setattr(weights, "SERVER", f"{server.as_uri()}/")
    monkeypatch.setenv("PALESTRA_CACHE", str(tmp_path / "cache"))

    def put(name: str, state: dict[str, Tensor]) -> Path:
        torch.save(state, server / "file")
        prefix = hashlib.sha256((server / "file").read_bytes()).hexdigest()[:8]
        path = server / f"{name}-{prefix}.pth"
        (server / "file").rename(path)
        monkeypatch.setitem(weights.PUBLISHED, name, weights.PUBLISHED[name]._replace(file=path.name))
        return path

    return put


@pytest.fixture
def http(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Serves a folder on this machine: the folder and its address."""
    folder = tmp_path / "http"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def resnet(**options: Any) -> nn.Module:
    return create("resnet18", **{"in_channels": 3, "num_classes": 1000, **options}).eval()


def test_published_weights_are_downloaded_once_and_set_the_normalisation(publish: Publish, tmp_path: Path) -> None:
    torch.manual_seed(0)
    source = resnet()
    file = publish("resnet18", source.state_dict())
    network = resnet(pretrained=True)
    x = torch.rand(2, 3, 64, 64)
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    torch.testing.assert_close(network(x), source((x - mean) / std))
    assert [path.name for path in (tmp_path / "cache" / "weights").iterdir()] == [file.name]
    file.unlink()
    torch.testing.assert_close(resnet(pretrained=True)(x), network(x))
    again = from_pretrained(save_pretrained(network, tmp_path / "saved")).eval()
    torch.testing.assert_close(again(x), network(x))


def test_a_file_fetched_by_hand_is_the_same_as_the_download(publish: Publish) -> None:
    path = publish("resnet18", resnet().state_dict())
    by_hand, downloaded = resnet(pretrained=path), resnet(pretrained=True)
    x = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(by_hand(x), downloaded(x))
    assert by_hand.config == downloaded.config


def test_own_normalisation_heads_and_channels(publish: Publish) -> None:
    path = publish("resnet18", resnet().state_dict())
    network = resnet(pretrained=path, mean=(0.1, 0.2, 0.3), std=(1.0, 1.0, 1.0), num_classes=4)
    assert network.pixels.mean.flatten().tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert network.fc.out_features == 4
    grey = resnet(pretrained=path, in_channels=1)
    assert grey.pixels.mean.flatten().tolist() == pytest.approx([sum(MEAN) / 3])
    assert grey.config["std"] == pytest.approx([sum(STD) / 3])


def test_vision_library_turns_images_of_googlenet_back_to_halves() -> None:
    # Its transform_input computes x * std / 0.5 + (mean - 0.5) / 0.5 of normalised images x: (pixels - 0.5) / 0.5.
    x = torch.rand(3, 5, 5)
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    turned = (x - mean) / std * (std / 0.5) + (mean - 0.5) / 0.5
    entry = network_transforms("googlenet")
    mine = (x - torch.tensor(entry.mean)[:, None, None]) / torch.tensor(entry.std)[:, None, None]
    torch.testing.assert_close(mine, turned)


def test_old_names_of_dense_layers_and_missing_counters() -> None:
    torch.manual_seed(0)
    network = create("densenet121", in_channels=1, num_classes=3, image_size=(8, 8))
    old: dict[str, Tensor] = {}
    for name, value in network.state_dict().items():
        for part in ("norm1", "norm2", "conv1", "conv2"):
            name = name.replace(f".{part}.", f".{part[:-1]}.{part[-1]}.") if "denselayer" in name else name
        if "num_batches_tracked" not in name:
            old[name] = value
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    found = modern_names(old, network.state_dict())
    assert found.keys() == network.state_dict().keys()
    for name, value in network.state_dict().items():
        torch.testing.assert_close(found[name], value)


def test_no_weights_are_published_or_fit(publish: Publish) -> None:
    with pytest.raises(ValueError, match="no published weights of alexnet, only of alexnet_owt, vgg11"):
        create("alexnet", in_channels=1, num_classes=2, image_size=(28, 28), pretrained=True)
    with pytest.raises(
        ValueError, match=r"resnet18-\w{8}.pth is not for the small variant of resnet18; take small=False"
    ):
        resnet(image_size=(32, 32), pretrained=True)
    with pytest.raises(ValueError, match="no published weights of 'resnet19'"):
        network_transforms("resnet19")
    path = publish("resnet18", resnet().state_dict())
    with pytest.raises(ValueError, match=r"but the network is a resnet34: layer1.2.bn1.bias is missing"):
        load_into(create("resnet34", in_channels=3), path)


def test_batch_normalised_vgg_has_weights_of_its_own(publish: Publish) -> None:
    options = {"in_channels": 3, "image_size": (32, 32), "small": False, "hidden": 4}
    source = create("vgg11", batch_norm=True, **options)
    publish("vgg11_bn", source.state_dict())
    network = create("vgg11", batch_norm=True, pretrained=True, **options)
    torch.testing.assert_close(network.features[0].weight, source.features[0].weight)


def test_download_over_http(http: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, address = http
    content = bytes(range(256)) * 9000
    (folder / "x.pth").write_bytes(content)
    path = tmp_path / "deep" / "x.pth"
    download(f"{address}x.pth", path, hashlib.sha256(content).hexdigest()[:8])
    assert path.read_bytes() == content
    assert capsys.readouterr().err == "downloading x.pth, 2.3 MB\n"
    with pytest.raises(ValueError, match=r"cannot be downloaded \(HTTP Error 404: File not found\)|\(File not found\)"):
        download(f"{address}y.pth", tmp_path / "y.pth", "")
    assert {p.name for p in tmp_path.iterdir()} == {"http", "deep"}


def test_damaged_downloads_are_not_kept(http: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = http
    (folder / "x.pth").write_bytes(b"half of a file")
    with pytest.raises(
        ValueError, match=r"x.pth gave a file with SHA-256 \w{8}\.\.\., not 01234567\.\.\.; try again, or"
    ):
        download(f"{address}x.pth", tmp_path / "cache" / "x.pth", "01234567")
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_unreachable_server_says_which_file_to_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALESTRA_CACHE", str(tmp_path))
    monkeypatch.setattr(weights, "SERVER", "http://127.0.0.1:9/")  # the port where nothing answers
    with pytest.raises(ValueError, match=r"fetch http://127.0.0.1:9/resnet18-f37072fd.pth in another way and give its"):
        resnet(pretrained=True)
    assert list((tmp_path / "weights").iterdir()) == []


@pytest.mark.parametrize("size", [(300, 400), (256, 256), (90, 57)])
def test_images_are_resized_and_cropped(size: tuple[int, int]) -> None:
    entry = Published("x-0.pth", resize=64, crop=56)
    x = torch.zeros(1, 3, *size, dtype=torch.uint8)
    x[..., size[0] // 2 - 5 : size[0] // 2 + 5, size[1] // 2 - 5 : size[1] // 2 + 5] = 200
    found = resize_and_crop(x, entry)
    assert found.shape == (1, 3, 56, 56)
    assert found.dtype == torch.uint8
    centre = (found[0, 0].float() * torch.arange(56)).sum() / found[0, 0].float().sum()
    assert float(centre) == pytest.approx(27.5, abs=0.6)
