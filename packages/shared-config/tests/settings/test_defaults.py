"""Groups whose default is an instance: kept whole, changed field by field, validated once."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)

from shared.config import BaseConfig, ConfigRegistry, Settings, load_settings


def load(cls: Any, **env: str) -> Any:
    return load_settings(cls, env=env, dotenv=None, secrets_dir=None)


def milliseconds(value: int) -> int:
    return value * 1000


def words(value: object) -> object:
    return value.split() if isinstance(value, str) else 1 / 0


Milliseconds = Annotated[int, AfterValidator(milliseconds)]


class Pool(BaseModel):
    size: int = 10
    spare: int = 5


class Store(BaseModel):
    pool: Pool = Pool()
    name: str = "plain"
    timeout: Milliseconds = 1
    total: int = 0

    @model_validator(mode="after")
    def _sum(self) -> Store:
        self.__dict__["total"] = self.pool.size + self.pool.spare
        return self


class App(Settings):
    store: Store = Store(pool=Pool(size=50, spare=9), timeout=5)


class Maybe(Settings):
    store: Store | None = None


class Made(Settings):
    store: Store = Field(default_factory=lambda: Store(pool=Pool(size=50, spare=9), timeout=5))


@pytest.mark.parametrize("cls", [App, Made])
def test_nothing_set_keeps_the_default_whole(cls):
    store = load(cls).store
    assert (store.pool, store.timeout) == (Pool(size=50, spare=9), 5000)


@pytest.mark.parametrize("cls", [App, Made])
def test_one_variable_changes_one_field(cls):
    store = load(cls, STORE_POOL_SIZE="60").store
    assert (store.pool, store.name) == (Pool(size=60, spare=9), "plain")
    assert store.total == 69  # what is computed from the others follows
    assert store.timeout == 5000  # validated once
    assert load(cls, STORE_NAME="x").store.pool == Pool(size=50, spare=9)
    assert load(cls, STORE_TIMEOUT="7").store.timeout == 7000
    assert load(cls, STORE_POOL='{"spare": 1}').store.pool == Pool(size=50, spare=1)


def test_arguments_change_the_default_too():
    app = load_settings(App, env={"STORE_NAME": "n"}, dotenv=None, store={"pool": {"spare": 2}})
    assert app.store.pool == Pool(size=50, spare=2)
    assert (app.store.name, app.store.timeout) == ("n", 5000)


def test_none_stays_none_until_something_is_set():
    assert load(Maybe).store is None
    assert load(Maybe, STORE_POOL_SIZE="7").store.pool == Pool(size=7)


def test_a_default_that_a_second_validation_would_refuse():
    class Odd(BaseModel):
        names: Annotated[list[str], BeforeValidator(words)] = Field(default=[])
        other: int = 1

    class Owner(Settings):
        odd: Odd = Odd(names="a b")  # type: ignore[arg-type]

    assert load(Owner).odd.names == ["a", "b"]


def test_aliases_inside_a_default():
    class Alias(BaseModel):
        host: str = Field(default="", alias="HOST_ALIAS")
        port: int = Field(default=1, validation_alias=AliasChoices("PORT_A", "PORT_B"))
        rest: int = 0

    class Owner(Settings):
        group: Alias = Alias(HOST_ALIAS="h", PORT_B=5)  # type: ignore[call-arg]

    group = load(Owner, OWNER="x", GROUP_REST="3").group
    assert (group.host, group.port, group.rest) == ("h", 5, 3)
    assert load(Owner, PORT_B="6").group.port == 6


def test_a_component_keeps_its_defaults_too():
    class Component(BaseConfig):
        store: Store = Store(pool=Pool(size=50, spare=9), timeout=5)
        maybe: Store | None = None

    env = {"JOBS_STORE_POOL_SPARE": "1"}
    registry = ConfigRegistry(env=env, dotenv=None, secrets_dir=None)
    registry.register("jobs", Component)
    jobs = registry.get("jobs")
    assert (jobs.store.pool, jobs.store.timeout, jobs.maybe) == (Pool(size=50, spare=1), 5000, None)


def test_two_loads_do_not_share_a_default():
    assert load(App).store is not App.model_fields["store"].default
    assert load(App).store is not load(App).store


def test_a_copy_validates_only_what_changes():
    class Timed(Settings):
        timeout: Milliseconds = 5
        other: int = 1
        sum: int = 0

        @field_validator("other")
        @classmethod
        def _twice(cls, value: int) -> int:
            return value * 2

        @model_validator(mode="after")
        def _sum(self) -> Timed:
            self.__dict__["sum"] = self.timeout + self.other
            return self

    timed = load(Timed, OTHER="3")
    assert (timed.timeout, timed.other) == (5000, 6)
    copy = timed.model_copy(update={"debug": True})
    assert (copy.timeout, copy.other, copy.debug) == (5000, 6, True)
    assert timed.model_copy(update={"timeout": 7}).timeout == 7000


def test_a_copy_of_the_stores_still_follows_its_url():
    database = load(Settings, POSTGRES_HOST="old", POSTGRES_URL="postgres://old/d").database
    copy = database.model_copy(update={"postgres_url": "postgres://new/d"})
    assert (copy.postgres_host, copy.postgres_url.host) == ("new", "new")
