"""Feature flags: the same answer everywhere, ramps that keep whom they had, reloads that never tear."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from shared.config import ConfigurationError, FeatureFlags

KEYS = [f"user-{n}" for n in range(20_000)]


def on(flags, key="f", keys=KEYS):
    return {k for k in keys if flags.is_enabled(key, k)}


@pytest.mark.parametrize("ramp", [0, 0.5, 1, 10, 33.3, 50, 99, 100])
def test_a_ramp_has_its_share(ramp):
    share = len(on(FeatureFlags({"f": {"ramp": ramp}}))) / len(KEYS)
    assert share == pytest.approx(ramp / 100, abs=0 if ramp in {0, 100} else 0.012)


@settings(deadline=None)
@given(st.floats(0, 100), st.floats(0, 100), st.text(min_size=1))
def test_a_higher_ramp_keeps_everyone_that_a_lower_one_had(a, b, flag):
    low, high = sorted((a, b))
    few = on(FeatureFlags({flag: {"ramp": low}}), flag, KEYS[:200])
    many = on(FeatureFlags({flag: {"ramp": high}}), flag, KEYS[:200])
    assert few <= many


def test_from_ten_to_twenty_percent_the_first_ten_stay():
    ten, twenty = (on(FeatureFlags({"f": {"ramp": ramp}})) for ramp in (10, 20))
    assert ten < twenty


def test_two_flags_do_not_pick_the_same_people():
    flags = FeatureFlags({"a": {"ramp": 50}, "b": {"ramp": 50}})
    both = on(flags, "a") & on(flags, "b")
    assert len(both) / len(KEYS) == pytest.approx(0.25, abs=0.02)


SCRIPT = """
import json, sys
from shared.config import FeatureFlags
flags = FeatureFlags(sys.argv[1], interval=None)
print(json.dumps([flags.is_enabled("f", f"user-{n}") for n in range(2000)]))
"""


def test_the_same_answers_in_two_processes(tmp_path):
    file = tmp_path / "flags.json"
    file.write_text(json.dumps({"f": {"ramp": 37}}))
    answers = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(file)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    here = FeatureFlags(file, interval=None)
    assert answers[0] == answers[1]
    assert json.loads(answers[0]) == [here.is_enabled("f", f"user-{n}") for n in range(2000)]


def test_buckets_never_move():
    # The answers of the first release: whoever changes the hash moves everybody.
    flags = FeatureFlags({"new-ui": {"ramp": 50}})
    names = ["ada", "grace", "alan", "edsger", "barbara", "", "Łukasz", "用户"]
    assert [flags.is_enabled("new-ui", n) for n in names] == GOLDEN


GOLDEN = [True, False, False, True, True, False, False, False]

DEFINITIONS = {
    "constant": True,
    "number": 5,
    "ratio": 0.5,
    "text": "blue",
    "list": [1, 2],
    "object": {"value": {"a": 1}, "default": {}},
    "off": {"enabled": False},
    "off with default": {"enabled": False, "default": True, "value": False},
    "named": {"targets": ["ada"]},
    "plan": {"targets": [{"plan": ["pro", "team"], "country": "NL"}]},
    "everybody": {"enabled": True},
    "nobody": {"ramp": 0},
    "colour": {"value": "red", "default": "grey", "ramp": 50},
}

ADA = EvaluationContext("ada", {"plan": "pro", "country": "NL"})
BOB = EvaluationContext("bob", {"plan": "pro", "country": "BE"})

RESOLUTIONS = [
    # kind, flag, context -> value, reason, error
    ("boolean", "constant", None, True, Reason.STATIC, None),
    ("integer", "number", None, 5, Reason.STATIC, None),
    ("float", "number", None, 5, Reason.STATIC, None),
    ("float", "ratio", None, 0.5, Reason.STATIC, None),
    ("string", "text", None, "blue", Reason.STATIC, None),
    ("object", "list", None, [1, 2], Reason.STATIC, None),
    ("object", "object", None, {"a": 1}, Reason.STATIC, None),
    ("boolean", "off", ADA, False, Reason.DISABLED, None),
    ("boolean", "off with default", ADA, True, Reason.DISABLED, None),
    ("boolean", "named", ADA, True, Reason.TARGETING_MATCH, None),
    ("boolean", "named", BOB, False, Reason.DEFAULT, None),
    ("boolean", "named", None, False, Reason.DEFAULT, None),
    ("boolean", "plan", ADA, True, Reason.TARGETING_MATCH, None),
    ("boolean", "plan", BOB, False, Reason.DEFAULT, None),
    ("boolean", "everybody", None, True, Reason.STATIC, None),
    ("boolean", "nobody", None, False, Reason.DEFAULT, None),
    ("string", "colour", ADA, "red", Reason.SPLIT, None),
    ("string", "colour", EvaluationContext("grace"), "grey", Reason.SPLIT, None),
    ("string", "colour", None, "mine", Reason.ERROR, ErrorCode.TARGETING_KEY_MISSING),
    ("boolean", "no-such", None, "mine", Reason.ERROR, ErrorCode.FLAG_NOT_FOUND),
    ("boolean", "text", None, "mine", Reason.ERROR, ErrorCode.TYPE_MISMATCH),
    ("integer", "constant", None, "mine", Reason.ERROR, ErrorCode.TYPE_MISMATCH),
    ("integer", "ratio", None, "mine", Reason.ERROR, ErrorCode.TYPE_MISMATCH),
]


@pytest.mark.parametrize(("kind", "flag", "context", "value", "reason", "error"), RESOLUTIONS)
def test_what_openfeature_is_told(kind, flag, context, value, reason, error):
    flags = FeatureFlags(DEFINITIONS)
    details = getattr(flags, f"resolve_{kind}_details")(flag, "mine", context)
    assert (details.value, details.reason, details.error_code) == (value, reason, error)
    later = getattr(flags, f"resolve_{kind}_details_async")(flag, "mine", context)
    assert asyncio.run(later) == details


@pytest.fixture
def openfeature():
    yield api
    api.clear_providers()


def test_through_the_client_of_openfeature(openfeature):
    openfeature.set_provider_and_wait(FeatureFlags(DEFINITIONS))
    client = openfeature.get_client()
    assert client.get_boolean_value("named", default_value=False, evaluation_context=ADA) is True
    assert client.get_string_value("colour", "mine", ADA) == "red"
    details = client.get_boolean_details("no-such", default_value=True)
    assert (details.value, details.reason) == (True, Reason.ERROR)
    assert client.get_object_value("list", []) == [1, 2]


def test_a_caller_may_change_what_it_got():
    flags = FeatureFlags({"list": [1]})
    flags.get("list", []).append(2)
    value: Any = flags.resolve_object_details("list", []).value
    value.append(2)
    assert flags.get("list", []) == [1]


@pytest.mark.parametrize("name", ["flags.json", "flags.yaml"])
def test_json_and_yaml(name, tmp_path):
    (tmp_path / name).write_text('{"f": {"ramp": 100}, "limit": 5}')
    flags = FeatureFlags(tmp_path / name, interval=None)
    assert flags.is_enabled("f")
    assert flags.get("limit", 1) == 5
    assert flags.keys() == ["f", "limit"]


def test_everything_that_is_wrong_is_said_at_once(tmp_path):
    file = tmp_path / "flags.json"
    file.write_text(
        json.dumps(
            {
                "a": {"ramp": 140},
                "b": {"enabeld": True},
                "c": {"enabled": "yes", "ramp": True},
                "d": {"targets": "ada"},
                "e": {"value": "red"},
                "f": {"default": 1},
                "g": {"default": 1, "value": "x"},
                "h": None,
                "ok": True,
            }
        )
    )
    with pytest.raises(ConfigurationError) as caught:
        FeatureFlags(file)
    assert [str(p).removeprefix(f"{file}: ") for p in caught.value.problems] == [
        "flag 'a': ramp: 140 is not a percentage in 0..100",
        "flag 'b': 'enabeld' is not known; did you mean enabled?",
        "flag 'c': enabled: 'yes' is not true or false",
        "flag 'c': ramp: True is not a percentage in 0..100",
        "flag 'd': targets: is not a list of targeting keys and attribute mappings",
        "flag 'e': default: is required, since value is text, not true or false",
        "flag 'f': value: is required, since default is a number, not true or false",
        "flag 'g': value is text and default a number; one type is allowed",
        "flag 'h': is null; a value or a definition is allowed",
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("f.json", "{"),
        ("f.json", "[]"),
        ("f.json", '"x"'),
        ("f.json", b"\xff"),
        ("f.yaml", "a: ["),
        ("f.yaml", ""),
    ],
)
def test_a_bad_file_keeps_the_last_good_one(name, text, tmp_path):
    file = tmp_path / name
    file.write_text('{"f": true}')
    flags = FeatureFlags(file, interval=None)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigurationError, match=name):
        flags.reload()
    assert flags.is_enabled("f")
    assert name in str(flags.error)
    file.write_text('{"f": false}')
    assert flags.reload()
    assert flags.error is None
    assert not flags.is_enabled("f")
    file.unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        flags.reload()
    assert flags.keys() == ["f"]


def test_a_bad_file_at_the_start_is_an_error(tmp_path):
    with pytest.raises(ConfigurationError, match=r"no\.json: cannot be read"):
        FeatureFlags(tmp_path / "no.json")


def test_the_watching_thread_takes_over_what_is_new(tmp_path, openfeature):
    file = tmp_path / "flags.json"
    file.write_text('{"f": false}')
    flags = FeatureFlags(file, interval=0.01)
    openfeature.set_provider_and_wait(flags)
    changed = threading.Event()
    details = []

    def note(event):
        details.append(event.flags_changed)
        changed.set()

    from openfeature.event import ProviderEvent

    openfeature.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, note)
    file.write_text('{"f": true, "g": 1}')
    assert changed.wait(10)
    assert flags.is_enabled("f")
    assert details == [["f", "g"]]
    (watching,) = [t for t in threading.enumerate() if t.name == "shared.config watch flags.json"]
    openfeature.clear_providers()  # shuts the provider down, in a thread of its own
    watching.join(10)
    assert not watching.is_alive()


def test_a_change_within_one_tick_of_the_clock_is_seen(tmp_path):
    file = tmp_path / "flags.json"
    file.write_text('{"f": 1}')
    stat = file.stat()
    flags = FeatureFlags(file)
    file.write_text('{"f": 2}')
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # same time, same size
    assert flags.check()
    assert flags.get("f", 0) == 2
    assert not flags.check()


def test_reload_under_eight_reading_threads(tmp_path):
    """Every file holds one number in fifty flags; a torn read would see two numbers."""
    file = tmp_path / "flags.json"

    def write(number):
        new = tmp_path / "new"
        flags = {f"f{n}": number for n in range(50)} | {f"r{n}": {"ramp": 50} for n in range(50)}
        new.write_text(json.dumps(flags))
        new.replace(file)

    write(0)
    flags = FeatureFlags(file, interval=None)
    expected = on(flags, "r0", KEYS[:50])
    stop, wrong = threading.Event(), []
    seen: list[Counter[int]] = [Counter() for _ in range(8)]

    def read(mine):
        last = 0
        try:
            while not stop.is_set():
                snapshot = flags._flags
                numbers = {snapshot[f"f{n}"].evaluate(None, {}).value for n in range(50)}
                if len(numbers) != 1:
                    wrong.append(f"torn: {numbers}")
                number = flags.get("f7", -1)
                if number < last:
                    wrong.append(f"back from {last} to {number}")
                last = number
                mine[number] += 1
                if on(flags, "r0", KEYS[:50]) != expected:
                    wrong.append("a bucket moved")
        except Exception as error:
            wrong.append(repr(error))

    # Threads take turns every 50 us: more interleavings in less time.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-5)
    readers = [threading.Thread(target=read, args=(mine,)) for mine in seen]
    number = 0
    for reader in readers:
        reader.start()
    while number < 50:
        number += 1
        write(number)
        # Two reloads at once: the older file must never replace the newer one.
        both = [threading.Thread(target=flags.reload) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert flags.get("f0", -1) == number
    stop.set()
    for reader in readers:
        reader.join()
    sys.setswitchinterval(interval)
    assert wrong == []
    assert all(mine for mine in seen)
    assert flags.get("f0", -1) == 50


def test_a_mapping_is_copied():
    source = {"f": {"targets": ["ada"]}}
    flags = FeatureFlags(source)
    source["f"]["targets"].append("bob")
    assert not flags.is_enabled("f", "bob")
    assert flags.reload() is False


class Hostile:
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other):
        raise RuntimeError("mine")


def test_an_evaluation_error_gives_the_default_with_its_reason():
    flags = FeatureFlags({"f": {"targets": [{"plan": "pro"}]}})
    context = EvaluationContext("ada", {"plan": Hostile()})  # type: ignore[dict-item]
    details = flags.resolve_boolean_details("f", default_value=True, evaluation_context=context)
    assert (details.value, details.reason, details.error_code) == (
        True,
        Reason.ERROR,
        ErrorCode.GENERAL,
    )
    assert flags.is_enabled("f", "ada", default=True, plan=Hostile())
    assert flags.get("f", "x", "ada", plan=Hostile()) == "x"


def test_a_flag_that_stands_twice_is_an_error(tmp_path):
    (tmp_path / "f.json").write_text('{"a": true, "a": false}')
    with pytest.raises(ConfigurationError, match="has the key 'a' twice"):
        FeatureFlags(tmp_path / "f.json")


def test_without_openfeature_the_error_names_the_extra():
    script = "import sys; sys.modules['openfeature'] = None\nfrom shared.config import FeatureFlags"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert "pip install 'shared-config[flags]'" in done.stderr
