"""Components that bring their own class."""

import threading

import pytest
from pydantic import BaseModel

from shared.config import (
    BaseConfig,
    ConfigRegistry,
    ConfigurationError,
    Secret,
    get_config,
    register_config,
)


class Cache(BaseConfig):
    size: int = 10
    url: str = "memory://"
    token: Secret | None = None
    tags: list[str] = []  # noqa: RUF012 - pydantic copies it


class Needs(BaseConfig):
    host: str
    port: int


def test_a_component_reads_its_name_and_underscore():
    registry = ConfigRegistry(
        env={"MY_CACHE_SIZE": "5", "SIZE": "6", "CACHE_SIZE": "7", "MY_CACHE_TAGS": "a,b"},
        dotenv=None,
    )
    registry.register("my_cache", Cache)
    assert "my_cache" in registry
    assert registry.names() == ["my_cache"]
    cache = registry.get("my_cache")
    assert type(cache) is Cache
    assert (cache.size, cache.url, cache.tags) == (5, "memory://", ["a", "b"])
    assert registry.get("my_cache") is cache


def test_all_sources_and_secret_files(tmp_path):
    (tmp_path / ".env").write_text("C_SIZE=3\n")
    (tmp_path / "token").write_text("mArKeR\n")
    registry = ConfigRegistry(
        env={"C_TOKEN_FILE": str(tmp_path / "token")}, dotenv=tmp_path / ".env", secrets_dir=None
    )
    registry.register("c", Cache)
    assert registry.get("c").size == 3
    assert registry.get("c").token.reveal() == "mArKeR"
    assert "mArKeR" not in repr(registry.get("c")) + registry.get("c").model_dump_json()


def test_every_error_at_once_with_the_full_names():
    registry = ConfigRegistry(env={"N_PORT": "x"}, dotenv=None)
    registry.register("n", Needs)
    with pytest.raises(ConfigurationError) as caught:
        registry.get("n")
    assert [str(p) for p in caught.value.problems] == [
        "N_HOST: is required and not set",
        "N_PORT: 'x' is not a whole number",
    ]


def test_a_class_made_by_hand_raises_our_error_and_shows_no_secret():
    with pytest.raises(ConfigurationError) as caught:
        Cache(size="x", token={"a": "mArKeR"})
    assert [p.variable for p in caught.value.problems] == ["SIZE", "TOKEN"]
    assert "mArKeR" not in str(caught.value) + repr(caught.value) + caught.value.json()
    assert caught.value.__context__ is None
    assert Cache(size=3).model_copy(update={"size": "4"}).size == 4  # validated
    with pytest.raises(AttributeError, match="size is read-only"):
        Cache().size = 5


def test_names_and_classes_are_checked():
    registry = ConfigRegistry(env={}, dotenv=None)
    registry.register("cache", Cache)
    registry.register("cache", Cache)  # the same again is no change
    with pytest.raises(
        ConfigurationError, match="component cache is already registered with Cache"
    ):
        registry.register("cache", Needs)
    with pytest.raises(ConfigurationError, match="'My-Cache' is not lower-case"):
        registry.register("My-Cache", Cache)
    with pytest.raises(ConfigurationError, match="is not derived from BaseConfig"):
        registry.register("x", dict)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="'cahce' is not registered; did you mean cache"):
        registry.get("cahce")


def test_any_pydantic_model_will_do():
    class Plain(BaseModel):
        size: int = 1

    registry = ConfigRegistry(env={"P_SIZE": "2"}, dotenv=None)
    registry.register("p", Plain)
    assert registry.get("p").size == 2


def test_reload_reads_again():
    env = {"C_SIZE": "1"}
    registry = ConfigRegistry(env=env, dotenv=None)
    registry.register("c", Cache)
    assert registry.get("c").size == 1
    env["C_SIZE"] = "2"
    assert registry.get("c").size == 1
    registry.reload()
    assert registry.get("c").size == 2


def test_eight_threads_get_one_object():
    registry = ConfigRegistry(env={}, dotenv=None)
    registry.register("c", Cache)
    start, seen = threading.Barrier(8), []

    def get():
        start.wait()
        seen.append(registry.get("c"))

    threads = [threading.Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(one) for one in seen}) == 1


def test_the_registry_of_the_process(monkeypatch, tmp_path):
    import shared.config._use.registry as module

    monkeypatch.setattr(module, "_registry", ConfigRegistry())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MY_COMPONENT_SIZE", "42")
    register_config("my_component", Cache)
    assert get_config("my_component").size == 42
