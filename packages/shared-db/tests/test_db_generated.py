"""The synchronous form is the generated one."""

import importlib.util
from pathlib import Path

GENERATOR = Path(__file__).parents[1] / "generate_sync.py"


def test_the_synchronous_form_is_current():
    spec = importlib.util.spec_from_file_location("generate_sync", GENERATOR)
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    files = generator.generate()
    assert len(files) >= 7
    for path, text in files.items():
        assert path.read_text("utf-8") == text, f"run generate_sync.py: {path.name} is not current"
        assert "await " not in text
