"""Encoders: read from names, architectures and folders, frozen, given step sizes of their own, and refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from palestra.agents.encoder import (
    check_options,
    encoder_parameters,
    freeze_encoder,
    has_modes,
    parameter_groups,
    read_encoder,
    set_step_sizes,
)
from palestra.networks import NETWORKS, create
from palestra.networks.pretrained import from_pretrained, save_pretrained

IMAGE = (3, 40, 48)
MLP = {"hidden": (8,)}


def image_network(**options: Any) -> nn.Module:
    torch.manual_seed(0)
    return create("nature", **{"in_channels": 3, "num_classes": 5, "image_size": (40, 48), **options})


def features(network: nn.Module, x: torch.Tensor) -> torch.Tensor:
    network.head = nn.Identity()
    return network.eval()(x).detach()


def made(encoder: str, shape: tuple[int, ...], num_classes: int | None = 4) -> nn.Module:
    plan = read_encoder(encoder, shape, MLP)
    network = plan.make(num_classes)
    plan.load(network)
    return network


def test_auto_is_an_mlp_for_vectors_and_nature_for_images() -> None:
    assert made("auto", (3,)).config == {"network": "mlp", "in_channels": 3, "num_classes": 4, "hidden": (8,)}
    assert made("auto", IMAGE).config == {
        "network": "nature", "in_channels": 3, "num_classes": 4, "image_size": (40, 48),
    }  # fmt: skip
    assert read_encoder("auto", IMAGE, MLP).text == "auto"


@pytest.mark.parametrize("name", ["impala", "lenet5", "resnet18", "mlp"])
def test_networks_of_the_library_are_taken_by_name(name: str) -> None:
    network = made(name, (2, 28, 28)).eval()
    assert network(torch.zeros(2, 2, 28, 28, dtype=torch.uint8)).shape == (2, 4)


def test_an_architecture_may_have_options() -> None:
    text = '{"network": "mlp", "hidden": [5, 6], "activation": "tanh"}'
    network = made(text, (3,))
    assert [tuple(p.shape) for p in network.parameters() if p.dim() == 2] == [(5, 3), (6, 5), (4, 6)]
    assert read_encoder(text, (3,), MLP).text == text


def test_a_classifier_gives_all_but_its_head(tmp_path: Path) -> None:
    saved = image_network()
    save_pretrained(saved, tmp_path / "classifier")
    network = made(str(tmp_path / "classifier"), IMAGE)
    assert network.head.weight.shape == (4, 512)
    x = torch.randint(0, 256, (2, *IMAGE), dtype=torch.uint8)
    assert torch.equal(features(network, x), features(saved, x))


def test_the_folder_of_a_run_is_taken_and_no_longer_needed(tmp_path: Path) -> None:
    options = {"in_channels": 3, "num_classes": 2, "hidden": (7, 5), "activation": "tanh"}
    saved = create("mlp", **options)
    save_pretrained(saved, tmp_path / "run" / "network")
    plan = read_encoder(str(tmp_path / "run"), (3,), MLP)
    again = read_encoder(plan.text, (3,), {"hidden": (99,)})
    assert again.text == plan.text
    assert not again.weights
    assert again.make(4).state_dict().keys() == plan.make(4).state_dict().keys()
    x = torch.randn(6, 3)
    assert torch.equal(features(made(str(tmp_path / "run"), (3,)), x), features(saved, x))


@pytest.mark.skipif("autoencoder" not in NETWORKS, reason="there is no autoencoder")
@pytest.mark.parametrize("kind", ["autoencoder", "conv-autoencoder"])
def test_an_autoencoder_gives_its_encoder(tmp_path: Path, kind: str) -> None:
    if kind not in NETWORKS:
        pytest.skip(f"there is no {kind}")
    options = {"encoder": "nature"} if kind == "conv-autoencoder" else {}
    normal = {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.2, 0.2)}
    autoencoder = create(kind, in_channels=3, image_size=(40, 48), **normal, **options)
    save_pretrained(autoencoder, tmp_path)
    network = made(str(tmp_path), IMAGE)
    x = torch.randint(0, 256, (2, *IMAGE), dtype=torch.uint8)
    torch.testing.assert_close(features(network, x), autoencoder.eval().encoder(x).detach(), rtol=0, atol=0)
    assert not any("decoder" in name for name, _ in network.named_parameters())


def test_another_number_of_planes_keeps_the_answer_to_equal_ones(tmp_path: Path) -> None:
    saved = image_network(mean=(0.2, 0.4, 0.6), std=(0.5, 0.5, 0.5))
    save_pretrained(saved, tmp_path)
    network = made(str(tmp_path), (4, 40, 48))
    gray = torch.rand(2, 1, 40, 48)
    assert network.pixels.mean.flatten().tolist() == pytest.approx([0.4] * 4)
    stem, own = saved.features[0].weight, network.features[0].weight
    assert own.shape == (32, 4, 8, 8)
    torch.testing.assert_close(own.sum(dim=1), stem.sum(dim=1))
    text = read_encoder(str(tmp_path), (4, 40, 48), MLP).text
    assert json.loads(text)["in_channels"] == 4
    assert network(gray.expand(-1, 4, -1, -1)).shape == (2, 4)


def test_frozen_stages_are_constants_and_minus_one_is_the_whole_encoder() -> None:
    network = image_network()
    for num_stages, learnt in ((0, 10), (2, 6), (4, 2), (-1, 2)):
        freeze_encoder(network, num_stages)
        assert sum(p.requires_grad for p in network.parameters()) == learnt  # two a layer: weight and bias
    network = create("resnet18", in_channels=3, num_classes=2, image_size=(32, 32))
    freeze_encoder(network, -1)
    assert {name for name, p in network.named_parameters() if p.requires_grad} == {"fc.weight", "fc.bias"}


def test_groups_have_their_share_of_the_step_size() -> None:
    network = image_network()
    freeze_encoder(network, 1)
    (group,) = parameter_groups(network, encoder_parameters(network), 0.1, None)
    assert len(group["params"]) == 8
    groups = parameter_groups(network, encoder_parameters(network), 0.1, 0.01)
    assert [len(group["params"]) for group in groups] == [2, 6]
    optimizer = torch.optim.Adam(groups, lr=0.1)
    set_step_sizes(optimizer, 0.05)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.05, 0.005])
    freeze_encoder(network, -1)
    with pytest.raises(ValueError, match=r"encoder_lr is 0\.01, but nothing in the encoder is learnt"):
        parameter_groups(network, encoder_parameters(network), 0.1, 0.01)


def test_networks_with_dropout_or_statistics_have_modes() -> None:
    assert not has_modes(image_network())
    assert has_modes(create("resnet18", in_channels=3, image_size=(32, 32)))
    assert has_modes(nn.Sequential(nn.Dropout(0.1)))


def test_global_random_numbers_are_left_alone(tmp_path: Path) -> None:
    save_pretrained(image_network(), tmp_path)
    before = torch.get_rng_state()
    read_encoder(str(tmp_path), IMAGE, MLP)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("encoder", "shape", "sentence"),
    [
        ("natur", IMAGE, "there is no network 'natur'; did you mean nature"),
        ("runs/nothing", IMAGE, "runs/nothing is no saved network: there is no such folder"),
        ("{empty}", IMAGE, r"is no saved network: it has no config\.json and model\.safetensors"),
        ("{cut}", IMAGE, r"model\.safetensors is damaged"),
        ("{broken}", IMAGE, r"config\.json is damaged"),
        ("{nature}", (3,), r"the network 'nature' takes images, but observations have shape \[3\]"),
        ("{nature}", (3, 84, 84), r"nature was made for images of 3 x 40 x 48, but observations are 3 x 84 x 84"),
        ("{mlp}", IMAGE, r"the network 'mlp' takes vectors, but observations have shape \[3, 40, 48\]"),
        ("{mlp}", (4,), "mlp was made for vectors of 3 numbers, but observations have 4"),
        ("lstm", (4,), "the network 'lstm' takes sequences"),
        ("resnet18", (4,), r"the network 'resnet18' takes images, but observations have shape \[4\]"),
        ('{"network": "mlp"', (4,), "is neither a name, a folder nor JSON"),
        ('{"hidden": [3]}', (4,), "must have the name of a network as 'network'"),
        ('{"network": "mlp", "hiden": [3]}', (4,), "the network 'mlp' has no option 'hiden'"),
        ('{"network": "mlp", "in_channels": 5}', (4,), "the encoder was made for vectors of 5 numbers"),
        ("nature", (3, 20, 40), "at least 36 x 36, but are 20 x 40"),
    ],
)
def test_what_cannot_be_taken_is_said_in_one_sentence(
    tmp_path: Path, encoder: str, shape: tuple[int, ...], sentence: str
) -> None:
    for name in ("nature", "cut", "broken"):
        save_pretrained(image_network(), tmp_path / name)
    save_pretrained(create("mlp", in_channels=3, num_classes=2), tmp_path / "mlp")
    (tmp_path / "empty").mkdir()
    weights = tmp_path / "cut" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    (tmp_path / "broken" / "config.json").write_text("{")
    given = str(tmp_path / encoder[1:-1]) if encoder.endswith("}") and encoder[1:-1].isalpha() else encoder
    with pytest.raises(ValueError, match=sentence) as error:
        made(given, shape)
    assert "\n" not in str(error.value)


def test_options_out_of_range_are_said() -> None:
    check_options(1e-5, -1)
    with pytest.raises(ValueError, match=r"encoder_lr must be positive, but is 0; freeze=-1 keeps an encoder constant"):
        check_options(0.0, 0)
    with pytest.raises(ValueError, match="freeze must be a number of stages, or -1 for all of them, but is -2"):
        check_options(None, -2)
    with pytest.raises(ValueError, match=r"9 stages were to be frozen, but nature has 4: features\.1,"):
        freeze_encoder(image_network(), 9)


def test_a_loaded_network_saves_and_loads_again_exactly(tmp_path: Path) -> None:
    save_pretrained(image_network(), tmp_path / "one")
    network = made(str(tmp_path / "one"), IMAGE)
    again = from_pretrained(save_pretrained(network, tmp_path / "two"))
    for name, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)
