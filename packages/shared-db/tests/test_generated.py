"""The synchronous form is the generated one."""

import runpy
from pathlib import Path

import pytest

GENERATOR = Path(__file__).parents[1] / "generate_sync.py"


@pytest.mark.skipif(not GENERATOR.exists(), reason="a wheel is without its generator")
def test_the_synchronous_form_is_current():
    generator = runpy.run_path(str(GENERATOR))
    files = generator["generate"]()
    assert len(files) >= 12
    assert not generator["strays"](files), "run generate_sync.py: it removes them"
    for path, text in files.items():
        assert path.read_text("utf-8") == text, f"run generate_sync.py: {path.name} is not current"
        assert "await " not in text
