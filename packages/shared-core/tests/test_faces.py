"""The public face: one table of names, loaded late, shown as the package's."""

import pickle
import subprocess
import sys
from typing import Any

import pytest

from shared.core.faces import PackageError

FILES = {
    "__init__.py": '"""Doc."""\nfrom shared.core.faces import face\n\n__getattr__, __dir__, __all__ = face(__name__)\n',
    "__init__.pyi": """from . import extra as extra
from ._room.things import (
    Base,  # the first
    Error,
    Thing as Thing, make,
)

__all__ = ["Base", "Error", "Thing", "extra", "make"]
""",
    "extra.py": "value = 1\n",
    "_room/__init__.py": "",
    "_room/things.py": """from shared.core.faces import PackageError

class Base:
    pass

class Thing:
    def __init__(self):
        self.base = Base()

def make():
    return Thing()

class Error(PackageError):
    pass

class Full(Error):
    pass

class _Private(Error):
    pass
""",
}


@pytest.fixture
def run(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "demo" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text, encoding="utf-8")

    def run(code):
        code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{code}"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    return run


def test_a_name_is_loaded_when_it_is_first_used(run):
    out = run(
        "import demo; print('demo._room.things' in sys.modules, demo.__all__)\n"
        "print(demo.Thing().base, 'demo._room.things' in sys.modules)\n"
        "print(demo.extra.value, sorted(set(dir(demo)) & {'Thing', 'make', '__all__'}))"
    )
    assert out.splitlines()[0] == "False ['Base', 'Error', 'Thing', 'extra', 'make']"
    assert out.splitlines()[1].startswith("<demo.Base object at")
    assert out.splitlines()[2] == "1 ['Thing', '__all__', 'make']"


def test_where_a_name_stands_shows_nowhere(run):
    out = run(
        "from demo import make; import pickle, demo\n"
        "thing = make()\n"  # Thing itself was never asked for
        "print(type(thing), type(thing.base), make.__module__)\n"
        "print(b'_room' in pickle.dumps([thing, make]), type(pickle.loads(pickle.dumps(thing))))\n"
        "demo.Nothing"
    )
    assert out.splitlines()[0] == "<class 'demo.Thing'> <class 'demo.Base'> demo"
    assert out.splitlines()[1] == "False <class 'demo.Thing'>"
    assert "AttributeError: module 'demo' has no attribute 'Nothing'" in out


def test_star_imports_and_zips(run, tmp_path):
    import zipfile

    run("import demo")
    with zipfile.ZipFile(tmp_path / "demo.zip", "w") as archive:
        for name, text in FILES.items():
            archive.writestr(f"demo/{name}", text)
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'demo.zip')!r})\nfrom demo import *\nprint(Thing, extra)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.startswith("<class 'demo.Thing'> <module 'demo.extra'")


def test_a_package_without_its_table_is_told(run, tmp_path):
    run("import demo")
    (tmp_path / "demo" / "__init__.pyi").unlink()
    assert "ImportError: demo has no table of names" in run("import demo")


class BaseError(PackageError):
    def __init__(self, message="", *, waited=0.0, cause=None):
        super().__init__(message)
        self.waited = waited
        self.cause = cause


def test_an_error_comes_whole_out_of_a_pickle():
    error = pickle.loads(pickle.dumps(BaseError("full", waited=2.5, cause=KeyError("k"))))
    assert (type(error), error.args, error.waited) == (BaseError, ("full",), 2.5)
    assert repr(error.cause) == "KeyError('k')"


def test_what_cannot_travel_becomes_its_description():
    class Local(Exception):
        pass

    error = pickle.loads(pickle.dumps(BaseError("full", waited=lambda: 1, cause=Local("why"))))
    assert repr(error.cause) == "RuntimeError('Local: why')"
    assert error.waited.startswith("function: <function")


def test_an_error_of_a_user_stays_at_home():
    class Mine(BaseError):
        pass

    assert Mine.__module__ == __name__
    assert BaseError.__module__ == __name__


def test_errors_of_a_package_bear_its_name():
    namespace: Any = {"__name__": "shared.demo._room.errors", "PackageError": PackageError}
    code = "class Base(PackageError): pass\nclass Full(Base): pass\nclass _Hidden(Base): pass\n"
    exec(code, namespace)
    assert namespace["Base"].__module__ == namespace["Full"].__module__ == "shared.demo"
    assert namespace["_Hidden"].__module__ == "shared.demo._room.errors"

    mine = type("Mine", (namespace["Base"],), {"__module__": __name__})
    assert mine.__module__ == __name__
