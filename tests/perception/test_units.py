import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor, nn

from palestra.networks import create
from palestra.perception.units import Box, feature_map, features, first_filters, receptive_fields, strongest_patches
from tests.perception.toys import Shapes, bars, trained


class Branches(nn.Module):
    """Branches of other sizes, a pool that rounds up, dilation, strides, and a path around."""

    stages = ("join", "pool", "last")

    def __init__(self) -> None:
        super().__init__()
        self.small, self.large = nn.Conv2d(1, 2, 1), nn.Conv2d(1, 2, 5, padding=2, dilation=1)
        self.dilated = nn.Conv2d(1, 4, 3, padding=2, dilation=2)
        self.join = nn.Identity()
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.last = nn.Conv2d(4, 3, (3, 1), stride=(1, 2))

    def forward(self, x: Tensor) -> Tensor:
        out = self.join(torch.cat([self.small(x), self.large(x)], 1) + self.dilated(x))
        out = self.last(self.pool(out))
        return out.mean((2, 3))


def seen(network: nn.Module, stage: str, shape: tuple[int, ...], place: tuple[int, int]) -> Box:
    """Perturbs one pixel after the other, upwards and far, and looks which ones move the place."""
    kept: list[Tensor] = []
    handle = network.get_submodule(stage).register_forward_hook(lambda _m, _i, out: kept.append(out))
    pixels = torch.cat([torch.zeros(1, shape[1] * shape[2]), 100.0 * torch.eye(shape[1] * shape[2])])
    with torch.no_grad():
        network(pixels.view(-1, *shape))
    handle.remove()
    answer = kept[0][:, :, *place]
    rows, columns = (answer[1:] != answer[0]).any(1).view(shape[1:]).nonzero(as_tuple=True)
    return Box(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)


@pytest.mark.parametrize("stage", ["join", "pool", "last"])
@pytest.mark.parametrize("corner", ["first", "middle", "last"])
def test_receptive_fields_are_those_that_perturbation_finds(stage: str, corner: str) -> None:
    torch.manual_seed(0)
    network = Branches().double().eval()
    for parameter in network.parameters():
        parameter.data.abs_()  # so that no change is lost on the way
    shape = (1, 17, 14)
    size = {"join": (17, 14), "pool": (8, 7), "last": (6, 4)}[stage]
    place = {"first": (0, 0), "middle": (size[0] // 2, size[1] // 2), "last": (size[0] - 1, size[1] - 1)}[corner]
    network.float()
    (box,) = receptive_fields(network, stage, shape, [place])
    assert box == seen(network, stage, shape, place)


def test_receptive_fields_of_the_nature_network_are_the_published_ones() -> None:
    """Filters of 8, 4 and 3 pixels at strides 4, 2 and 1 see 8, 20 and 36 pixels, 4, 8 and 8 apart."""
    network = create("nature", in_channels=4, num_classes=6)
    for stage, size, jump in (("features.1", 8, 4), ("features.3", 20, 8), ("features.5", 36, 8)):
        near, far = receptive_fields(network, stage, (4, 84, 84), [(0, 0), (2, 3)])
        assert near == Box(0, 0, size, size)
        assert far == Box(2 * jump, 3 * jump, 2 * jump + size, 3 * jump + size)


def test_a_unit_without_weights_still_has_its_field() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 3))
    nn.init.zeros_(network[0].weight)  # type: ignore[arg-type]
    nn.init.constant_(network[0].bias, -1.0)  # type: ignore[arg-type]
    assert receptive_fields(network, "2", (1, 9, 9), [(1, 2)], 1) == [Box(1, 2, 6, 7)]


def test_groups_see_only_their_own_channel_and_the_rest_of_it() -> None:
    network = nn.Sequential(nn.Conv2d(2, 2, 3, groups=2))
    assert receptive_fields(network, "0", (2, 5, 5), [(0, 0)], 1) == [Box(0, 0, 3, 3)]


def test_the_strongest_patches_hold_what_a_unit_looks_for() -> None:
    """A filter that is a bar of three pixels answers most where such a bar was put."""
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    bar = torch.tensor([[-1.0, -1, -1], [1, 1, 1], [-1, -1, -1]])
    with torch.no_grad():
        network[0].weight[1, 0], network[0].bias[1] = bar, 0.0  # type: ignore[index, operator]
    images = 0.1 * torch.rand(6, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    images[4, 0, 5, 2:5] = 1.0
    images[2, 0, 9, 6:9] = 0.8
    first, second, third = strongest_patches(network, images, "1", 1, count=3)
    assert (first.image, first.box) == (4, Box(4, 2, 7, 5))
    assert (second.image, second.box) == (2, Box(8, 6, 11, 9))
    assert first.activation > second.activation > third.activation
    patch = first.box.cut(images[4])
    assert patch.shape == (1, 3, 3)
    torch.testing.assert_close(torch.tensor(first.activation), (patch[0] * bar).sum())


def test_a_patch_alone_excites_the_unit_as_much() -> None:
    network, (x, _, _) = trained(), bars(200, seed=3)
    for patch in strongest_patches(network, x, "relu2", 5, count=4):
        alone = torch.zeros(1, 1, 20, 20)
        box = patch.box
        alone[0, :, box.top : box.bottom, box.left : box.right] = box.cut(x[patch.image])
        with torch.no_grad():
            maps = network.relu2(network.conv2(network.pool(network.relu1(network.conv1(alone)))))
        assert float(maps[0, 5].max()) >= patch.activation - 1e-4


def test_patches_of_vectors_are_whole_samples() -> None:
    network = create("mlp", in_channels=5, num_classes=2, hidden=[8])
    patches = strongest_patches(network, torch.rand(20, 5), "features.1", 0, count=3)
    assert [patch.box for patch in patches] == [Box(0, 0, 1, 5)] * 3


def test_the_first_filters_are_the_first_weights() -> None:
    network = create("nature", in_channels=4, num_classes=6)
    assert torch.equal(first_filters(network), network.get_submodule("features.0").weight)
    assert first_filters(create("mlp", in_channels=5, num_classes=2)).shape == (256, 5)
    with pytest.raises(ValueError, match="has no filters"):
        first_filters(nn.ReLU())


def test_features_are_what_the_last_linear_layer_reads() -> None:
    network, (x, _, _) = trained(), bars(200, seed=3)
    with torch.no_grad():
        inner = network.most(network.relu2(network.conv2(network.pool(network.relu1(network.conv1(x)))))).flatten(1)
    torch.testing.assert_close(features(network, x), inner)
    assert features(network, x, "relu1").shape == (200, 8)


@pytest.mark.parametrize("kind", ["pca", "tsne"])
def test_the_map_of_features_separates_the_classes(kind: str) -> None:
    """The nearest neighbour in the plane is of the same class; in the pixels' plane by PCA it rarely is."""
    x, y, _ = bars(120, seed=7)

    def right(points: Tensor) -> float:
        distance = torch.cdist(points, points).fill_diagonal_(torch.inf)
        return float((y[distance.argmin(1)] == y).float().mean())

    points = torch.from_numpy(feature_map(features(trained(), x), kind))
    assert points.shape == (120, 2)
    assert right(points.float()) > 0.95
    assert right(torch.from_numpy(feature_map(x.flatten(1), "pca")).float()) < 0.7


def test_pca_is_that_of_scikit_learn_and_maps_are_the_same_each_time() -> None:
    points = torch.rand(30, 6, generator=torch.Generator().manual_seed(0))
    expected = torch.from_numpy(PCA(2).fit_transform(points.double().numpy())).abs()
    torch.testing.assert_close(torch.from_numpy(feature_map(points)).abs(), expected)
    assert (feature_map(points, "tsne", seed=3) == feature_map(points, "tsne", seed=3)).all()


def test_what_is_wrong_is_said() -> None:
    network, x = Shapes(), bars(4)[0]
    with pytest.raises(ValueError, match="units 0 to 15, but 16"):
        strongest_patches(network, x, "relu2", 16)
    with pytest.raises(ValueError, match="its stages are relu1, pool, relu2"):
        strongest_patches(network, x, "relu3", 0)
    with pytest.raises(ValueError, match="not maps"):
        receptive_fields(network, "head", (1, 20, 20), [(0, 0)])
    with pytest.raises(ValueError, match="without a place"):
        receptive_fields(network, "relu2", (1, 20, 20), [(10, 0)])
    with pytest.raises(ValueError, match="pca or tsne"):
        feature_map(torch.rand(9, 3), "umap")
    with pytest.raises(ValueError, match="at least 4"):
        feature_map(torch.rand(3, 3))
