"""Texts of drivers, through every surface of the package that shows one."""

import pickle

import pytest

from shared.db import DatabaseConnections, DatabaseError, OutcomeUnknown, Unavailable, embedded
from shared.db._base.reasons import described, reason
from shared.db._base.reports import answer_of
from shared.db._base.sealed import Sealed, freed

SECRET = "hunter" + "2"
TEXTS = [
    f"no route to redis://app:{SECRET}@cache:6379/0",
    f"postgresql://app:{SECRET}@db/orders is malformed",
    f"password={SECRET} was refused",
    f"Authorization: Bearer {SECRET}hunter2hunter2",
    f"api_key: {SECRET}",
    "key AKIAIOSFODNN7EXAMPLE was refused",
    "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl has expired",
]
SURFACES = {
    "an error": lambda text: str(Unavailable(text)),
    "its repr": lambda text: repr(DatabaseError(text)),
    "its pickle": lambda text: str(pickle.loads(pickle.dumps(OutcomeUnknown(text)))),
    "a ping": lambda text: answer_of(OSError(text)).error,
    "a report": lambda text: described(ValueError(text)),
    "a reason": lambda text: reason(RuntimeError(text)),
    "a store's repr": lambda text: repr(DatabaseConnections().initialize_redis(host=text)),
    "embedded settings": lambda text: repr(embedded.StoreSettings("redis", {"host": text})),
}


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("text", TEXTS)
def test_a_hostile_text_shows_no_secret(surface, text):
    shown = str(SURFACES[surface](text))
    assert "[REDACTED]" in shown
    for secret in (SECRET, "AKIAIOSFODNN7EXAMPLE", "eyJhbGciOiJIUzI1NiJ9"):
        assert secret not in shown


def test_settings_show_no_secret_by_its_key():
    given = {"password": SECRET, "api_key": SECRET, "user": "app"}
    shown = repr(embedded.StoreSettings("qdrant", given))
    assert shown == "StoreSettings('qdrant', password=[REDACTED], api_key=[REDACTED], user='app')"


def test_sealed_arguments_are_not_pickled_and_hide_themselves_in_texts():
    sealed = Sealed({"password": SECRET, "sslpassword": "k3y!", "user": "app"})
    assert sealed.hide(f"{SECRET} and k3y! of app") == "[REDACTED] and [REDACTED] of app"
    assert SECRET not in repr(sealed)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(sealed)


def test_a_drivers_error_loses_what_holds_its_secret():
    class DriverError(Exception):
        pass

    def fail(password):
        raise DriverError("no")

    error = DriverError(f"password={SECRET} of app", 5)
    error.__cause__ = inner = DriverError("inner")
    error.pgconn = inner._pgconn = SECRET  # type: ignore[attr-defined]
    try:
        fail(SECRET)
    except DriverError as caught:
        inner.__context__ = caught
    assert freed(error, Sealed({"password": "app"})) is error
    assert error.args == ("password=[REDACTED] of [REDACTED]", 5)
    assert (error.pgconn, inner._pgconn) == (None, None)  # type: ignore[attr-defined]
    assert inner.__context__ is not None
    assert inner.__context__.__traceback__ is None
