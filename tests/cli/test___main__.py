import shlex
import subprocess
import sys


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "palestra.cli", "zzzz"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "palestra: there is no command 'zzzz'; `palestra --help` lists them\n"


def test_a_reader_that_has_enough_is_no_error() -> None:
    words = f"{shlex.quote(sys.executable)} -m palestra.cli envs | head -n 1"
    done = subprocess.run(words, shell=True, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""
