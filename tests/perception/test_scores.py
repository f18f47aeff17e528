import pytest
import torch
from torch import nn

from palestra.networks import create
from palestra.perception.attribution import METHODS, attribute
from palestra.perception.scores import OnImages, Unit, input_shape, prepared, score_of
from tests.perception.toys import bars, trained


def test_a_unit_answers_where_it_is_asked() -> None:
    output = torch.arange(24.0).view(2, 3, 2, 2)
    assert Unit("s", 1).response(output).tolist() == [7.0, 19.0]
    assert Unit("s", 1, "mean").response(output).tolist() == [5.5, 17.5]
    assert Unit("s", 1, (0, 1)).response(output).tolist() == [5.0, 17.0]
    assert Unit("s", 2).response(output[:, :, 0, 0]).tolist() == [8.0, 20.0]


def test_a_score_answers_batches_that_repeat_the_samples() -> None:
    x, y, _ = bars(4)
    score = score_of(trained(), x, y)
    torch.testing.assert_close(score(x.repeat(3, 1, 1, 1)), score(x).repeat(3))


def test_the_highest_output_is_the_target_where_none_is_named() -> None:
    x = bars(16)[0]
    torch.testing.assert_close(score_of(trained(), x, None)(x), trained()(x).amax(1))


def test_a_network_with_one_output_a_sample_is_its_own_score() -> None:
    network = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0))
    x = torch.rand(5, 3)
    torch.testing.assert_close(score_of(network, x, None)(x), network(x))


def test_networks_of_create_say_what_they_take() -> None:
    assert input_shape(create("mlp", in_channels=5, num_classes=2)) == (5,)
    assert input_shape(create("nature", in_channels=4, num_classes=2)) == (4, 84, 84)
    assert input_shape(create("nature", in_channels=1, num_classes=2, image_size=(36, 40))) == (1, 36, 40)
    assert input_shape(nn.Linear(3, 2)) is None


def test_inputs_are_copied_and_bytes_come_to_lie_between_0_and_1() -> None:
    x = torch.full((1, 1, 2, 2), 51, dtype=torch.uint8)
    torch.testing.assert_close(prepared(trained(), x), torch.full((1, 1, 2, 2), 0.2))
    floats = torch.rand(1, 3)
    assert prepared(trained(), floats).data_ptr() != floats.data_ptr()
    assert prepared(trained(), torch.ones(2, 3, dtype=torch.int64)).dtype == torch.float32


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["mlp", "lstm"])
def test_networks_on_vectors_and_sequences_are_explained_on_images(name: str, method: str) -> None:
    torch.manual_seed(0)
    inner = create(name, in_channels={"mlp": 64, "lstm": 8}[name], num_classes=3)
    network, x = OnImages(inner), torch.rand(2, 1, 8, 8)
    if method in ("grad-cam", "guided-grad-cam") or (
        name == "lstm" and method in ("guided-backpropagation", "deconvolution")
    ):
        with pytest.raises(ValueError, match=r"wants a stage with maps|cannot be explained"):
            attribute(network, x, method=method)
    else:
        assert attribute(network, x, method=method).shape == (2, 8, 8)


def test_maps_on_images_are_those_of_the_vectors() -> None:
    inner = create("mlp", in_channels=2 * 9, num_classes=3)
    x = torch.rand(2, 2, 3, 3)
    on_images = attribute(OnImages(inner), x, 1, per_channel=True)
    torch.testing.assert_close(on_images.flatten(1), attribute(inner, x.flatten(1), 1, per_channel=True))
