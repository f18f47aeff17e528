import numpy as np

from palestra.perception.episode_pictures import CHOSEN, MOST_INPUTS, EpisodePictures, draw_importance


def test_steps_are_pictures_of_one_even_size_that_show_the_step() -> None:
    rng = np.random.default_rng(0)
    games, sights = rng.integers(0, 256, (3, 21, 16, 3), dtype=np.uint8), rng.random((3, 9, 9, 3))
    maps, values = rng.random((3, 9, 9)), np.array([[1.0, 2.0], [2.0, 1.0], [0.0, 0.5]])
    pictures = EpisodePictures(games[0], sights[0], maps, values, ["up", "down"], "values", centred=False)
    drawn = [
        pictures.draw(games[t], sights[t], maps[t], values[t], int(values[t].argmax()), f"step {t}") for t in range(3)
    ]
    assert len({picture.shape for picture in drawn}) == 1
    assert drawn[0].dtype == np.uint8
    assert all(side % 2 == 0 for side in drawn[0].shape[:2])
    assert not np.array_equal(drawn[0], drawn[1])
    again = pictures.draw(games[0], sights[0], maps[0], values[0], 1, "step 0")
    assert np.array_equal(drawn[0], again)  # nothing is left of other steps


def test_bars_are_the_outputs_or_what_they_differ_from_their_mean() -> None:
    values = np.array([[-81.0, -80.0, -85.0]])
    sight, maps = np.zeros((4, 4, 3)), np.ones((1, 4, 4))
    for centred, lengths in ((True, [1.0, 2.0, -3.0]), (False, [-81.0, -80.0, -85.0])):
        pictures = EpisodePictures(None, sight, maps, values, ["a", "b", "c"], "values", centred=centred)
        pictures.draw(None, sight, maps[0], values[0], 1, "")
        assert [bar.get_width() for bar in pictures._bars] == lengths
        colours = [bar.get_facecolor() for bar in pictures._bars]
        assert colours[1] != colours[0] == colours[2]
        assert [label.get_text().split()[-1] for label in pictures._axis.get_yticklabels()] == ["-81", "-80", "-85"]


def test_of_many_inputs_the_most_important_are_drawn() -> None:
    importance = np.tile(np.arange(40.0), (5, 1))
    names = [f"input {i}" for i in range(40)]
    figure = draw_importance(importance, np.zeros((5, 2)), np.array([0, 1, 1, 0, 0]), names, ["a", "b"], "values")
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == names[-MOST_INPUTS:]
    lengths = [bar.get_width() for bar in figure.axes[1].patches]
    assert lengths == list(range(40 - MOST_INPUTS, 40))
    assert CHOSEN.startswith("#")
