"""Which variables are secret: by the type of the field, else by its name."""

from typing import Any

import pytest
from pydantic import create_model

from shared.config._read.variables import variables

SECRET = ["PASSWORD", "DB_PASS", "GITHUB_TOKEN", "API_KEY", "SSHPRIVATE_KEY", "SESSION_ID", "JWT"]
PLAIN = ["TOKEN_COUNT", "SECRET_NAME", "PASSWORD_POLICY", "AUTHOR", "KEYBOARD", "PASSENGERS", "KEY"]


def is_secret(name, kind):
    fields: dict[str, Any] = {name.lower(): (kind, ...)}
    (variable,) = variables(create_model("Model", **fields))
    return variable.secret


@pytest.mark.parametrize("name", SECRET)
def test_a_text_with_the_name_of_a_secret_is_one(name):
    assert is_secret(name, str)
    assert is_secret(name, str | None)
    assert not is_secret(name, int)


@pytest.mark.parametrize("name", PLAIN)
def test_a_text_about_a_secret_is_none(name):
    assert not is_secret(name, str)
