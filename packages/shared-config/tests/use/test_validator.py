"""Reports: near-miss names, what production does not forgive, AI keys, performance."""

import json
import pickle

import pytest

from shared.config import (
    ConfigurationError,
    ConfigValidator,
    Finding,
    Secret,
    Settings,
    ValidationResult,
    load_settings,
)

STRONG = "kJ2-9fWq_x81-Zr04"
SECURE = {
    "ENVIRONMENT": "production",
    "POSTGRES_URL": f"postgresql://app:{STRONG}@db.example.com/app?sslmode=verify-full",
    "CLICKHOUSE_URL": f"https://app:{STRONG}@ch.example.com:8443/app",
    "QDRANT_URL": "https://q.example.com",
    "QDRANT_API_KEY": STRONG,
    "REDIS_URL": f"rediss://:{STRONG}@r.example.com/0",
}


def validator(env, cls=Settings, **options):
    return ConfigValidator(load_settings(cls, env=env, dotenv=None, secrets_dir=None), **options)


def findings(env, cls=Settings, **options):
    result = validator(env, cls, **options).validate_environment()
    every = (*result.critical, *result.warnings, *result.recommendations)
    return {(finding.variable, finding.level) for finding in every}


def test_a_secure_production_has_no_finding():
    result = validator(SECURE).validate_environment()
    assert result.is_valid
    assert str(result) == "The configuration is valid."


PRODUCTION = [
    # what differs from the secure one -> what is found
    ({"DEBUG": "1"}, ("DEBUG", "critical")),
    ({"LOG_LEVEL": "DEBUG"}, ("LOG_LEVEL", "warning")),
    ({"POSTGRES_URL": ""}, ("POSTGRES_PASSWORD", "critical")),
    ({"CLICKHOUSE_URL": ""}, ("CLICKHOUSE_PASSWORD", "critical")),
    ({"REDIS_URL": ""}, ("REDIS_PASSWORD", "warning")),  # beside the service
    ({"REDIS_URL": "rediss://r.example.com"}, ("REDIS_PASSWORD", "critical")),
    ({"QDRANT_API_KEY": ""}, ("QDRANT_API_KEY", "critical")),
    ({"QDRANT_API_KEY": "changeme"}, ("QDRANT_API_KEY", "critical")),
    ({"QDRANT_API_KEY": "a1b2c3"}, ("QDRANT_API_KEY", "warning")),  # short
    ({"POSTGRES_URL": "", "POSTGRES_PASSWORD": "password"}, ("POSTGRES_PASSWORD", "critical")),
    ({"POSTGRES_URL": "", "POSTGRES_PASSWORD": "optiinfra"}, ("POSTGRES_PASSWORD", "critical")),
    ({"POSTGRES_URL": "postgresql://a:admin@localhost/d"}, ("POSTGRES_URL", "critical")),
    ({"REDIS_URL": f"redis://:{STRONG}@8.8.8.8"}, ("REDIS_URL", "critical")),
    ({"REDIS_URL": f"redis://:{STRONG}@r.example.com"}, ("REDIS_URL", "critical")),
    ({"REDIS_URL": f"redis://:{STRONG}@10.0.0.5"}, ("REDIS_URL", "warning")),
    ({"REDIS_URL": f"redis://:{STRONG}@redis.prod.svc"}, ("REDIS_URL", "warning")),
    ({"QDRANT_URL": "http://q.example.com"}, ("QDRANT_URL", "critical")),
    ({"QDRANT_URL": "", "QDRANT_HOST": "q.example.com"}, ("QDRANT_HOST", "critical")),
    ({"POSTGRES_URL": f"postgresql://a:{STRONG}@d.example.com/d"}, ("POSTGRES_URL", "critical")),
    ({"CLICKHOUSE_URL": f"http://a:{STRONG}@c.example.com/d"}, ("CLICKHOUSE_URL", "critical")),
    ({"CLICKHOUSE_URL": "chdb://memory"}, ("CLICKHOUSE_URL", "warning")),
    ({"QDRANT_URL": ":memory:"}, ("QDRANT_URL", "warning")),
]


@pytest.mark.parametrize(("change", "finding"), PRODUCTION)
def test_what_production_does_not_forgive(change, finding):
    assert findings({**SECURE, **change}) == {finding}


@pytest.mark.parametrize(("change", "finding"), PRODUCTION)
def test_staging_is_one_level_milder_and_development_silent(change, finding):
    milder = {"critical": "warning", "warning": "recommendation"}
    name, level = finding
    assert findings({**SECURE, **change, "ENVIRONMENT": "staging"}) == {(name, milder[level])}
    assert findings({**SECURE, **change, "ENVIRONMENT": "development"}) == set()


def test_an_unencrypted_store_on_this_machine_is_fine():
    local = {
        **SECURE,
        "POSTGRES_URL": f"postgresql://a:{STRONG}@localhost/d",
        "CLICKHOUSE_URL": f"http://a:{STRONG}@127.0.0.1/d",
        "QDRANT_URL": "http://[::1]:6333",
        "REDIS_URL": f"redis://:{STRONG}@localhost",
    }
    assert findings(local) == set()


def test_only_the_stores_that_are_used():
    env = {"ENVIRONMENT": "production", "POSTGRES_PASSWORD": STRONG}
    assert findings(env, stores=["postgres"]) == set()
    assert ("CLICKHOUSE_PASSWORD", "critical") in findings(env)
    with pytest.raises(ValueError, match=r"stores must be a list of postgres.*mysql"):
        validator(env, stores=["mysql"])


def test_the_users_own_secret_that_is_still_its_default():
    class App(Settings):
        signing_key: Secret = Secret("not-for-production-0001")

    assert findings(SECURE, App) == {("SIGNING_KEY", "critical")}
    assert findings({**SECURE, "SIGNING_KEY": STRONG}, App) == set()


NEAR = {
    "POSTGRES_PROT": "POSTGRES_PORT",
    "POSTGRE_HOST": "POSTGRES_HOST",
    "POSTGRES_PASSWROD": "POSTGRES_PASSWORD",
    "POSTGRES_PASS": "POSTGRES_PASSWORD",
    "POSTGRES_USERNAME": "POSTGRES_USER",
    "POSTGRES_DATABASE": "POSTGRES_DB",
    "REDIS_URI": "REDIS_URL",
    "QDRANT_APIKEY": "QDRANT_API_KEY",
    "QDRANT_API_KYE_FILE": "QDRANT_API_KEY_FILE",
    "LOGLEVEL": "LOG_LEVEL",
    "ENVIROMENT": "ENVIRONMENT",
    "HEARTBEAT_INTERVALL": "HEARTBEAT_INTERVAL",
    "MAX_CONCURENT_TASK": "MAX_CONCURRENT_TASKS",
}
# Names that are near nothing: what containers, shells and Kubernetes set.
FAR = [
    "PATH", "HOME", "HOSTNAME", "LOGNAME", "USER", "PWD", "OLDPWD", "SHELL", "LANG", "TERM", "TZ",
    "REDIS_SERVICE_HOST", "REDIS_PORT_6379_TCP", "REDIS_PORT_6379_TCP_ADDR", "REDIS_SSL",
    "POSTGRES_INITDB_ARGS", "POSTGRES_HOST_AUTH_METHOD", "PGHOST", "MOCK_CLOUD_URL",
    "ORCHESTRATOR_URL", "LOG_FILE", "AGENT_ID", "DEBUGINFOD_URLS", "KUBERNETES_PORT", "NO_COLOR",
]  # fmt: skip


@pytest.mark.parametrize(("name", "meant"), NEAR.items())
def test_a_name_close_to_a_known_one_is_a_warning_with_the_suggestion(name, meant):
    result = validator({**SECURE, name: "1"}).validate_environment()
    assert [str(w) for w in result.warnings] == [
        f"{name}: is set in environment and not known; did you mean {meant}?"
    ]
    assert result.is_valid


def test_names_of_others_are_left_alone():
    assert findings({**SECURE, **dict.fromkeys(FAR, "1")}) == set()


def test_near_misses_in_files_and_of_the_users_own_variables(tmp_path):
    class App(Settings):
        worker_count: int = 1

    (tmp_path / ".env").write_text("WORKER_CUONT=4\n")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "POSTGRES_PASWORD").write_text("x")
    settings = load_settings(App, env={}, dotenv=tmp_path / ".env", secrets_dir=tmp_path / "s")
    warnings = ConfigValidator(settings).validate_environment().warnings
    assert [w.remedy for w in warnings] == [
        "did you mean POSTGRES_PASSWORD?",
        "did you mean WORKER_COUNT?",
    ]
    assert str(tmp_path / ".env") in warnings[1]


def test_a_part_that_lost_against_its_url_is_a_warning():
    result = validator({"REDIS_URL": "redis://a", "REDIS_HOST": "b"}).validate_environment()
    assert [str(w) for w in result.warnings] == [
        "REDIS_HOST: is set, but REDIS_URL differs and wins; unset REDIS_HOST"
    ]


def test_settings_that_cannot_be_loaded_are_findings(monkeypatch, tmp_path):
    import shared.config._settings.settings as module

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POSTGRES_PORT", "70000")
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    lazy = module._Unloaded.__new__(module._Unloaded)
    for result in (ConfigValidator(lazy).validate_all(), ConfigValidator(lazy).validate_services()):
        assert [str(c) for c in result.critical] == [
            "POSTGRES_PORT: 70000 is not in 1..65535",
            "LOG_LEVEL: 'LOUD' is not one of DEBUG, INFO, WARNING, ERROR, CRITICAL",
        ]
    monkeypatch.setenv("POSTGRES_PORT", "5433")
    with pytest.raises(ConfigurationError):
        repr(lazy.debug)
    monkeypatch.setenv("LOG_LEVEL", "INFO")
    assert lazy.database.postgres_port == 5433


PROVIDERS = [
    ({}, "recommendation", "AI providers: no API key is set"),
    ({"OPENAI_API_KEY": "sk-proj-0123456789abcdef"}, None, None),
    ({"OPENAI_API_KEY": "0123456789abcdef0123"}, "warning", "OPENAI_API_KEY: does not start with sk-"),
    ({"ANTHROPIC_API_KEY": "sk-ant-abc"}, "warning", "ANTHROPIC_API_KEY: has only 10 characters"),
    ({"GROQ_API_KEY": "your-key-here-please"}, "warning", "GROQ_API_KEY: is a placeholder"),
    ({"HF_TOKEN": "hf_abc def ghi jkl mno"}, "warning", "HF_TOKEN: contains white space"),
    ({"AZURE_OPENAI_API_KEY": "a" * 32}, "warning", "AZURE_OPENAI_ENDPOINT: Azure OpenAI has a key"),
    ({"OPENAI_API_KEY_FILE": "/no/such"}, "warning", "OPENAI_API_KEY_FILE: /no/such cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("env", "level", "start"), PROVIDERS)
def test_ai_providers(env, level, start):
    result = validator(env).validate_ai_providers()
    every = [*result.critical, *result.warnings, *result.recommendations]
    matching = [f for f in every if f.level == level and str(f).startswith(start)]
    assert len(matching) == (0 if level is None else 1), str(result)
    assert result.is_valid
    for key in env.values():
        assert key.startswith("/") or key not in str(result)


PERFORMANCE = [
    ({}, None),
    ({"HEARTBEAT_INTERVAL": "300", "TASK_TIMEOUT": "300"}, ("HEARTBEAT_INTERVAL", "warning")),
    ({"HEARTBEAT_INTERVAL": "0.1"}, ("HEARTBEAT_INTERVAL", "recommendation")),
    (
        {"HEARTBEAT_INTERVAL": "400", "TASK_TIMEOUT": "500"},
        ("HEARTBEAT_INTERVAL", "recommendation"),
    ),
    ({"TASK_TIMEOUT": "7200"}, ("TASK_TIMEOUT", "recommendation")),
    ({"MAX_CONCURRENT_TASKS": "1000000"}, ("MAX_CONCURRENT_TASKS", "warning")),
    (
        {"MAX_CONCURRENT_TASKS": "1", "ENVIRONMENT": "production"},
        ("MAX_CONCURRENT_TASKS", "recommendation"),
    ),
    ({"LOG_LEVEL": "DEBUG", "ENVIRONMENT": "production"}, ("LOG_LEVEL", "warning")),
]


@pytest.mark.parametrize(("env", "finding"), PERFORMANCE)
def test_performance_settings(env, finding):
    result = validator(env).validate_performance_settings()
    found = [(f.variable, f.level) for f in (*result.warnings, *result.recommendations)]
    assert found == ([finding] if finding else [])
    assert result.is_valid


def test_all_together_prints_and_dumps():
    env = {**SECURE, "DEBUG": "1", "POSTGRES_PROT": "1", "REDIS_URL": "redis://127.0.0.1:1"}
    result = validator(env, stores=["redis"]).validate_all(timeout=5)
    text = str(result)
    assert not result.is_valid
    assert not result
    assert result.errors is result.critical
    assert "Critical:\n  DEBUG: is on in production; set DEBUG=false" in text
    assert "Warnings:\n  POSTGRES_PROT: " in text
    assert "Services:\n  redis down (" in text
    dumped = json.loads(json.dumps(result.to_dict()))
    assert dumped["critical"][0]["variable"] == "DEBUG"
    assert dumped["health"]["redis"]["ok"] is False


def test_a_finding_is_a_text_with_parts():
    finding = Finding("A", "is wrong", "put it right", "warning")
    assert finding == "A: is wrong; put it right"
    again = pickle.loads(pickle.dumps(finding))
    assert (again, again.remedy, again.level) == (finding, "put it right", "warning")
    result = ValidationResult()
    result.add("A", "is wrong", "", "warning")
    result.add("A", "is wrong", "", "warning")
    assert result.warnings == ["A: is wrong"]
