"""Saved networks: exact round trips for every network, new heads and stems, and what is refused."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from palestra.networks import NETWORKS, create, network_class
from palestra.networks.pretrained import from_pretrained, load_into, read_config, read_weights, save_pretrained

SIZES = {"lenet5": (28, 28), "lenet5_full": (28, 28), "conv-autoencoder": (40, 40), "nature": (40, 40)}


OF_EACH_CLASS = {entry.attribute: name for name, entry in reversed(NETWORKS.items())}.values()  # the smallest, mostly


def sample(name: str, num_classes: int | None) -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(1)
    rank = network_class(name).input_rank
    size = {"image_size": SIZES.get(name, (32, 32))} if rank == 3 else {}
    shape = {1: (4,), 2: (7, 4), 3: (4, *SIZES.get(name, (32, 32)))}[rank]
    return create(name, in_channels=4, num_classes=num_classes, **size).eval(), torch.rand(3, *shape)


@pytest.mark.parametrize("name", [name for name in OF_EACH_CLASS if name != "multitask"])
@pytest.mark.parametrize("num_classes", [None, 5])
def test_the_round_trip_is_exact(name: str, num_classes: int | None, tmp_path: Path) -> None:
    network, x = sample(name, num_classes)
    copy = from_pretrained(save_pretrained(network, tmp_path / "net", data="made up")).eval()
    assert copy.config == json.loads(json.dumps(network.config))
    assert all(
        torch.equal(a, b) for a, b in zip(network.state_dict().values(), copy.state_dict().values(), strict=True)
    )
    assert torch.equal(network(x), copy(x))
    assert read_config(tmp_path / "net")["about"] == {"data": "made up"}


def test_a_new_head_begins_anew_and_the_trunk_is_kept(tmp_path: Path) -> None:
    network, x = sample("nature", 5)
    save_pretrained(network, tmp_path)
    other = from_pretrained(tmp_path, num_classes=3)
    assert other(x).shape == (3, 3)
    assert torch.equal(other.features(x), network.features(x))


def test_a_stem_of_other_channels_answers_equal_channels_alike(tmp_path: Path) -> None:
    network, _ = sample("nature", 5)
    save_pretrained(network, tmp_path)
    grey = torch.rand(2, 1, 40, 40)
    for channels in (1, 3):
        other = from_pretrained(tmp_path, in_channels=channels)
        torch.testing.assert_close(other(grey.expand(-1, channels, -1, -1)), network(grey.expand(-1, 4, -1, -1)))


def test_mean_and_spread_follow_the_channels(tmp_path: Path) -> None:
    network = create("nature", in_channels=3, image_size=(36, 36), mean=[0.2, 0.3, 0.4], std=[0.1, 0.2, 0.3])
    save_pretrained(network, tmp_path)
    other = from_pretrained(tmp_path, in_channels=1)
    assert other.pixels.mean.flatten().tolist() == pytest.approx([0.3])
    assert other(torch.rand(2, 1, 36, 36)).shape == (2, 512)


def test_weights_of_another_network_are_refused_and_both_are_named(tmp_path: Path) -> None:
    save_pretrained(create("mlp", in_channels=4, num_classes=2), tmp_path)
    with pytest.raises(ValueError, match=r"are of a mlp, but the network is a nature: .* is missing"):
        load_into(create("nature", in_channels=4), tmp_path)
    with pytest.raises(ValueError, match=r"features.0.bias is \[256\], not \[8\]"):
        load_into(create("mlp", in_channels=4, num_classes=2, hidden=(8, 256)), tmp_path)


def test_damage_is_said_in_a_sentence(tmp_path: Path) -> None:
    folder = save_pretrained(create("mlp", in_channels=4), tmp_path / "net")
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:100])
    with pytest.raises(ValueError, match=r"model\.safetensors is damaged"):
        from_pretrained(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json is damaged"):
        from_pretrained(folder)
    with pytest.raises(ValueError, match="no saved network: there is no such folder"):
        from_pretrained(tmp_path / "none")


def test_torch_files_are_read_without_running_them(tmp_path: Path) -> None:
    network = create("mlp", in_channels=4)
    torch.save(network.state_dict(), tmp_path / "plain.pth")
    assert read_weights(tmp_path / "plain.pth").keys() == network.state_dict().keys()
    torch.save(network, tmp_path / "whole.pth")  # a pickled object, which could run code when it is read
    with pytest.raises(ValueError, match="can be read safely"):
        read_weights(tmp_path / "whole.pth")
    torch.save({"epoch": 3}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="save a state_dict"):
        read_weights(tmp_path / "other.pth")


def test_a_file_of_weights_serves_as_pretrained(tmp_path: Path) -> None:
    network, x = sample("nature", 5)
    save_file(dict(network.state_dict()), tmp_path / "weights.safetensors")
    other = create(
        "nature", in_channels=4, num_classes=5, image_size=(40, 40), pretrained=tmp_path / "weights.safetensors"
    )
    assert torch.equal(other(x), network(x))


def test_only_created_networks_are_saved(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can be saved if"):
        save_pretrained(nn.Linear(2, 2), tmp_path)


def test_a_network_takes_the_encoder_of_an_autoencoder_made_of_it(tmp_path: Path) -> None:
    whole = create("conv-autoencoder", in_channels=1, image_size=(40, 40), encoder="nature")
    save_pretrained(whole, tmp_path)
    network = create("nature", in_channels=1, num_classes=3, image_size=(40, 40), pretrained=tmp_path)
    x = torch.rand(2, 1, 40, 40)
    assert torch.equal(network.features(x), whole.encoder.features(x))
    with pytest.raises(ValueError, match="are of a conv-autoencoder, but the network is a lenet5"):
        create("lenet5", in_channels=1, num_classes=3, image_size=(28, 28), pretrained=tmp_path)
