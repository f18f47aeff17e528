import subprocess
import sys


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "palestra.cli", "zzzz"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "palestra: there is no command 'zzzz'; `palestra --help` lists them\n"
