"""The package on systems without some modules of Unix."""

import subprocess
import sys

CODE = """
import sys
for name in ("fcntl", "resource", "termios", "pwd", "grp"):
    sys.modules[name] = None
import shared.observability as obs
for name in obs.__all__:
    getattr(obs, name)
obs.configure_logging("INFO", output=sys.argv[1], rotate="1 MB")
obs.get_logger("x").info("m")
obs.configure_logging("INFO", output=sys.argv[1])
assert open(sys.argv[1]).read().count("\\n") == 1
with obs.measure_memory("m"):
    pass
usage = obs.get_memory_usage()
print(usage.rss >= 0)
"""


def test_without_the_modules_of_unix(tmp_path):
    command = [sys.executable, "-c", CODE, str(tmp_path / "app.log")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stdout == "True\n", run.stderr
