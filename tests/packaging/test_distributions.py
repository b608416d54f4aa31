"""The distributions are ours, share one namespace, and hold what they should."""

import ast
import importlib
import importlib.metadata
import tomllib
import types
import zipfile
from pathlib import Path

import pytest

import shared

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml"))
each_package = pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)


def project(package):
    return tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_namespace_has_no_init():
    assert vars(shared).get("__file__") is None
    assert not list(ROOT.glob("packages/*/src/shared/__init__.py"))


@each_package
def test_the_installed_distribution_is_this_one(package):
    """On the public index some of the names belong to others."""
    found = importlib.metadata.distribution(package.name)
    assert found.metadata["Author"] == "The shared maintainers"
    module = importlib.import_module(package.name.replace("-", "."))
    assert Path(str(module.__file__)).is_relative_to(package)


@each_package
def test_the_package_follows_the_pattern(package):
    table = project(package)
    assert table["name"] == package.name
    assert table["license-files"] == ["LICENSE"]
    assert "Private :: Do Not Upload" in table["classifiers"]
    assert "all" in table["optional-dependencies"]
    assert (package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    source = package / "src" / "shared" / package.name.removeprefix("shared-")
    assert (source / "py.typed").exists()
    assert not list(package.glob("src/shared/*/utils.py"))
    assert not list(package.glob("tests/**/__init__.py"))


@each_package
def test_the_wheel_holds_the_package_and_nothing_else(package, tmp_path):
    builder = importlib.import_module("hatchling.builders.wheel").WheelBuilder(str(package))
    (wheel,) = builder.build(directory=str(tmp_path), versions=["standard"])
    part = package.name.removeprefix("shared-")
    names = zipfile.ZipFile(wheel).namelist()
    assert f"shared/{part}/py.typed" in names
    assert "shared/__init__.py" not in names
    metadata = f"{package.name.replace('-', '_')}-{project(package)['version']}.dist-info/"
    assert f"{metadata}licenses/LICENSE" in names
    assert [n for n in names if not n.startswith((f"shared/{part}/", metadata))] == []


@each_package
def test_the_table_of_public_names_is_the_stub(package):
    """`__init__.pyi` is what type checkers read and what the face loads: one list, all loadable."""
    name = package.name.replace("-", ".")
    stub = package / "src" / name.replace(".", "/") / "__init__.pyi"
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    imported = sorted(
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    )
    (listed,) = (node.value for node in tree.body if isinstance(node, ast.Assign))
    module = importlib.import_module(name)
    assert list(module.__all__) == imported == sorted(ast.literal_eval(listed))
    homes = vars(module)["__getattr__"].homes
    for public in imported:
        value = getattr(module, public)
        if isinstance(value, (type, types.FunctionType)) and value.__module__.startswith("shared."):
            assert value.__module__ == name, (public, homes[public])


@each_package
def test_every_import_of_the_package_runs_down(package):
    """The contract is there, and exhaustive: import-linter holds the package to it."""
    name = package.name.replace("-", ".")
    root = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = root["tool"]["importlinter"]["contracts"]
    (own,) = (one for one in contracts if one.get("containers") == [name])
    assert own["type"] == "layers"
    assert own["exhaustive"] is True
    assert set(own.get("exhaustive_ignores", ())) <= {"testing"}
    assert "ignore_imports" not in own
