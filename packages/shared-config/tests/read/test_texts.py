"""The forms of text in a variable, one by one."""

from __future__ import annotations

import enum
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import pytest

from shared.config import ConfigurationError, Settings, load_settings


class Mode(enum.StrEnum):
    FAST = "fast"


class App(Settings):
    labels: dict[str, str] = {}  # noqa: RUF012 - pydantic copies it
    weights: dict[str, float] | None = None
    delays: dict[str, timedelta] = {}  # noqa: RUF012 - pydantic copies it
    wait: timedelta = timedelta(0)
    waits: list[timedelta] = []  # noqa: RUF012 - pydantic copies it
    maybe: timedelta | None = None
    on: bool = False
    level: Literal["low", "high"] = "low"
    mode: Mode = Mode.FAST
    number: int | None = None
    price: Decimal = Decimal(0)
    uid: UUID | None = None
    hosts: list[str] = []  # noqa: RUF012 - pydantic copies it
    text: str = ""
    api_keys: dict[str, str] = {}  # noqa: RUF012 - pydantic copies it


def load(**env: str) -> Any:
    return load_settings(App, env=env, dotenv=None, secrets_dir=None)


UID = "12345678-1234-5678-1234-567812345678"
READ = [
    ({"LABELS": "a=1,b = two words , c="}, {"a": "1", "b": "two words", "c": ""}),
    ({"LABELS": "url=http://x/?a=b"}, {"url": "http://x/?a=b"}),
    ({"LABELS": '{"a": "1,2"}'}, {"a": "1,2"}),
    ({"WEIGHTS": "a=0.5,b=2"}, {"a": 0.5, "b": 2.0}),
    ({"DELAYS": "a=30,b=5m"}, {"a": timedelta(seconds=30), "b": timedelta(minutes=5)}),
    ({"WAIT": "30"}, timedelta(seconds=30)),
    ({"WAIT": " 1.5 "}, timedelta(seconds=1.5)),
    ({"WAIT": "-2"}, timedelta(seconds=-2)),
    ({"WAIT": "0"}, timedelta(0)),
    ({"WAIT": "5m"}, timedelta(minutes=5)),
    ({"WAIT": "1h 30M"}, timedelta(minutes=90)),
    ({"WAIT": "250ms"}, timedelta(milliseconds=250)),
    ({"WAIT": "2d"}, timedelta(days=2)),
    ({"WAIT": "1w"}, timedelta(weeks=1)),
    ({"WAIT": "PT5M"}, timedelta(minutes=5)),
    ({"WAIT": "P1DT2H"}, timedelta(days=1, hours=2)),
    ({"WAIT": "00:05:00"}, timedelta(minutes=5)),
    ({"WAITS": "1s, 5m"}, [timedelta(seconds=1), timedelta(minutes=5)]),
    ({"MAYBE": "5m"}, timedelta(minutes=5)),
    ({"ON": " true "}, True),
    ({"ON": "yes\n"}, True),
    ({"ON": "\tOFF"}, False),
    ({"LEVEL": " high "}, "high"),
    ({"MODE": "fast\n"}, Mode.FAST),
    ({"NUMBER": " 5 "}, 5),
    ({"PRICE": " 1.10 "}, Decimal("1.10")),
    ({"UID": f" {UID}\n"}, UUID(UID)),
    ({"HOSTS": "[::1],localhost"}, ["[::1]", "localhost"]),
    ({"HOSTS": "[::1]:9000, [fe80::1%eth0]"}, ["[::1]:9000", "[fe80::1%eth0]"]),
    ({"HOSTS": "localhost,[::1]"}, ["localhost", "[::1]"]),
    ({"HOSTS": "[::1]"}, ["[::1]"]),
    ({"TEXT": " kept as it is "}, " kept as it is "),
    ({"API_KEYS": "a=s3cret"}, {"a": "s3cret"}),
]


@pytest.mark.parametrize(("env", "value"), READ, ids=[str(env) for env, _ in READ])
def test_what_a_text_means(env, value):
    found = getattr(load(**env), next(iter(env)).lower())
    assert found == value
    assert type(found) is type(value)


REFUSED = [
    ({"LABELS": "a"}, "LABELS: 'a' is not JSON or KEY=VALUE pairs with commas"),
    ({"LABELS": "a=1,=2"}, "LABELS: 'a=1,=2' is not JSON or KEY=VALUE pairs with commas"),
    ({"LABELS": "{a"}, "LABELS: '{a' is not JSON or KEY=VALUE pairs with commas"),
    ({"HOSTS": "[1, 2"}, "HOSTS: '[1, 2' is not JSON or a list with commas"),
    ({"WAIT": "soon"}, "WAIT: 'soon' is not a time such as 30, 5m, 1h30m or PT5M"),
    ({"WAIT": "5 parsecs"}, "WAIT: '5 parsecs' is not a time such as 30, 5m, 1h30m or PT5M"),
    ({"WAIT": "9" * 30}, f"WAIT: {'9' * 30} is not a time such as 30, 5m, 1h30m or PT5M"),
    ({"ON": "maybe"}, "ON: 'maybe' is not true or false (also 1/0, yes/no, on/off)"),
    ({"API_KEYS": "s3cret"}, "API_KEYS: the value is not JSON or KEY=VALUE pairs with commas"),
]


@pytest.mark.parametrize(("env", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_what_is_refused(env, message):
    with pytest.raises(ConfigurationError) as caught:
        load(**env)
    assert str(caught.value) == message
