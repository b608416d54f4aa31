"""The public names are what the package promises."""

import subprocess
import sys
from types import FunctionType

import shared.validation as package


def test_all_is_sorted_and_complete():
    assert list(package.__all__) == sorted(package.__all__)
    assert all(hasattr(package, name) for name in package.__all__)
    assert set(package.__all__) <= set(dir(package))


def test_where_a_name_stands_shows_nowhere():
    for name in package.__all__:
        value = getattr(package, name)
        if isinstance(value, (type, FunctionType)):
            assert value.__module__ == package.__name__


def test_no_optional_library_loads_with_the_package():
    script = (
        "import sys, shared.validation as v; [getattr(v, name) for name in v.__all__];"
        "found = {'email_validator', 'idna', 'ada_url', 'phonenumbers', 'regex', 'pydantic',"
        " 'annotated_types', 'json'} & set(sys.modules); print(sorted(found))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.strip("[]\n").replace("'", "").split(", ")) <= {"json", ""}
