import pytest

from palestra.cli.progress import Progress, duration


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (61, "1 min 01 s"), (3600, "1 h 00 min"), (7384, "2 h 03 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_plain_lines_go_to_stderr_and_not_too_often(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("palestra.cli.progress.time.monotonic", lambda: clock[0])
    with Progress("work", 1000) as progress:
        for done in range(0, 1001, 10):
            clock[0] += 0.25
            progress.update(done, "return 5")
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == ""
    assert len(lines) == 2  # 25 seconds, one line in ten
    assert lines[0] == "work: 390 of 1,000, 39/s, 16 s left, return 5"
