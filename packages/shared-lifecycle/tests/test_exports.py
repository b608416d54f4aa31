"""The public names are what the package promises."""

import subprocess
import sys

import shared.lifecycle as package


def test_all_is_sorted_and_complete():
    assert list(package.__all__) == sorted(package.__all__)
    assert all(hasattr(package, name) for name in package.__all__)


OTHER_SYSTEM = """
import sys, os, socket, importlib
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None  # an import of it raises ImportError, as on Windows
for owner, name in ((os, "fork"), (os, "register_at_fork"), (socket, "AF_UNIX")):
    if hasattr(owner, name):
        delattr(owner, name)
import shared.lifecycle as package
for name in package.__all__:
    getattr(package, name)
print(len(package.__all__) > 5)
"""


def test_every_name_imports_where_there_is_no_fork_and_no_fcntl():
    command = [sys.executable, "-c", OTHER_SYSTEM]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
