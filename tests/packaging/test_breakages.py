"""What counts as a broken public name, and what does not."""

import importlib
import re
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

KEEP = "__all__ = ['keep']"
FUNCTION = "def keep(a, b=1): ...\n"
BREAKS = {  # before, after, __all__ after
    "a name gone": (FUNCTION, "", "__all__ = []"),
    "a name still there but no longer public": (FUNCTION, FUNCTION, "__all__ = []"),
    "a name without its object": (FUNCTION, "", KEEP),
    "a parameter renamed": (FUNCTION, "def keep(a, c=1): ...\n", KEEP),
    "a parameter gone": (FUNCTION, "def keep(a): ...\n", KEEP),
    "a parameter required": (FUNCTION, "def keep(a, b): ...\n", KEEP),
    "a default changed": (FUNCTION, "def keep(a, b=2): ...\n", KEEP),
    "a new parameter required": (FUNCTION, "def keep(a, b=1, *, c): ...\n", KEEP),
    "a parameter by keyword only": (FUNCTION, "def keep(a, *, b=1): ...\n", KEEP),
    "parameters swapped": ("def keep(a, b): ...\n", "def keep(b, a): ...\n", KEEP),
    "a method gone": ("class keep:\n    def go(self): ...\n", "class keep: ...\n", KEEP),
    "a method's parameter gone": (
        "class keep:\n    def go(self, a=1): ...\n",
        "class keep:\n    def go(self): ...\n",
        KEEP,
    ),
    "a field gone": ("class keep:\n    x: int = 1\n", "class keep: ...\n", KEEP),
    "a class made a function": ("class keep: ...\n", "def keep(): ...\n", KEEP),
    "a base class gone": ("class keep(ValueError): ...\n", "class keep: ...\n", KEEP),
    "a constant gone": ("keep = 1\n", "", "__all__ = []"),
}
ADDITIONS = {
    "nothing": (FUNCTION, FUNCTION, KEEP),
    "a new name": (FUNCTION, FUNCTION + "def more(): ...\n", "__all__ = ['keep', 'more']"),
    "an optional parameter": (FUNCTION, "def keep(a, b=1, *, c=2): ...\n", KEEP),
    "a default where there was none": ("def keep(a): ...\n", "def keep(a=1): ...\n", KEEP),
    "a private helper gone": ("def _less(): ...\n" + FUNCTION, FUNCTION, KEEP),
    "a longer constant": ("keep = {1}\n", "keep = {1, 2}\n", KEEP),
    "a private method gone": ("class keep:\n    def _go(self): ...\n", "class keep: ...\n", KEEP),
}


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Return what breaks between the packages in the folders before and after."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    breakages = importlib.import_module("breakages")  # the scripts are no package
    return lambda: breakages.compare("shared-probe", tmp_path / "before", tmp_path / "after")


def write(folder, code, exports=KEEP, *, lazy=False):
    """A package whose __init__ only re-exports: at once, or lazily as heavy ones do."""
    names = re.findall(r"^(?:def |class )?(keep|more)\b", code, re.MULTILINE)
    lines = "".join(f"    from ._core import {name} as {name}\n" for name in names)
    package = folder / "shared" / "probe"
    package.mkdir(parents=True)
    (package / "_core.py").write_text(code)
    guard = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n" if lazy else "if True:\n"
    (package / "__init__.py").write_text(
        f"{guard}    pass\n{lines}\n{exports}\ndef __getattr__(name): ...\n"
    )


@pytest.mark.parametrize("lazy", [False, True], ids=["plain", "lazy"])
@pytest.mark.parametrize("case", BREAKS)
def test_a_broken_name_is_found(found, tmp_path, case, lazy):
    before, after, exports = BREAKS[case]
    write(tmp_path / "before", before, lazy=lazy)
    write(tmp_path / "after", after, exports, lazy=lazy)
    assert found()
    assert all("shared.probe" in line and "keep" in line for line in found())


@pytest.mark.parametrize("lazy", [False, True], ids=["plain", "lazy"])
@pytest.mark.parametrize("case", ADDITIONS)
def test_an_addition_breaks_nobody(found, tmp_path, case, lazy):
    before, after, exports = ADDITIONS[case]
    write(tmp_path / "before", before, lazy=lazy)
    write(tmp_path / "after", after, exports, lazy=lazy)
    assert found() == []


def test_a_public_module_is_a_name_too(found, tmp_path):
    modules = [tmp_path / side / "shared/probe/extra.py" for side in ("before", "after")]
    for module in modules:
        write(module.parents[2], FUNCTION)
        module.write_text("__all__ = ['a']\ndef a(): ...\n")
        module.with_name("_inner.py").write_text("def a(): ...\n")
    module = modules[1]
    assert found() == []
    module.with_name("_inner.py").unlink()
    assert found() == []
    module.write_text("__all__ = []\ndef a(): ...\n")
    assert found() == ["shared.probe.extra.a is gone"]
    module.unlink()
    assert found() == ["shared.probe.extra is gone"]
