"""TLS with a good and a bad certificate authority.

The embedded servers are built without TLS: a proxy in front of them terminates it, also in
PostgreSQL's own way of asking for it.
"""

import datetime as dt
import ipaddress
import ssl
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.db import AsyncDatabaseConnections, DatabaseConnections, DatabaseError, Unavailable
from shared.db.testing import FaultProxy

USES = [
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "encipher_only",
    "decipher_only",
]


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, key, issuer, issuer_key, *, authority):
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        builder = builder.add_extension(identifier, critical=False)
    else:
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        ).add_extension(
            x509.KeyUsage(**dict.fromkeys(USES, False) | {"key_cert_sign": True, "crl_sign": True}),
            critical=True,
        )
    return builder.sign(issuer_key, hashes.SHA256())


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    """A server's context, the authority that signed it, and one that did not."""
    folder = tmp_path_factory.mktemp("tls")
    paths = {}
    keys = {which: ec.generate_private_key(ec.SECP256R1()) for which in ("good", "bad", "server")}
    for which in ("good", "bad"):
        made = certificate(which, keys[which], which, keys[which], authority=True)
        paths[which] = folder / f"{which}.pem"
        paths[which].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    made = certificate("localhost", keys["server"], "good", keys["good"], authority=False)
    (folder / "server.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        keys["server"].private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context, str(paths["good"]), str(paths["bad"])


def options(kind, authority):
    return {
        "postgres": {"sslmode": "verify-full", "sslrootcert": authority},
        "clickhouse": {"secure": True, "ca_cert": authority},
        "qdrant": {"https": True, "verify": authority},
        "redis": {"ssl": True, "ssl_ca_certs": authority},
    }[kind]


@pytest.mark.parametrize("kind", ["postgres", "clickhouse", "qdrant", "redis"])
def test_a_good_authority_is_trusted_and_a_bad_one_is_not(kind, authorities, request, first_call):
    store = request.getfixturevalue(f"{kind}_store")
    context, good, bad = authorities
    with FaultProxy(store.host, store.port, tls=context) as proxy, DatabaseConnections() as db:
        initialize = getattr(db, f"initialize_{kind}")
        settings = {**store.settings, "host": proxy.host, "port": proxy.port}
        initialize(**{**settings, **options(kind, good)}, timeout=2)
        initialize(name="bad", **{**settings, **options(kind, bad)}, timeout=0.5)
        answers = db.ping(5)
        assert answers[kind].ok, answers[kind].error
        assert not answers[f"{kind}:bad"].ok
        with pytest.raises(DatabaseError, match=r"(?i)certificate"):
            first_call(db, kind, "bad")
        first_call(db, kind)


async def test_for_tasks(authorities, redis_store, postgres_store):
    context, good, bad = authorities
    for store in (redis_store, postgres_store):
        with FaultProxy(store.host, store.port, tls=context) as proxy:
            async with AsyncDatabaseConnections() as db:
                initialize = getattr(db, f"initialize_{store.kind}")
                settings = {**store.settings, "host": proxy.host, "port": proxy.port}
                initialize(**settings, **options(store.kind, good), timeout=2)
                initialize(name="bad", **settings, **options(store.kind, bad), timeout=0.3)
                answers = await db.ping(5)
                assert answers[store.kind].ok, answers[store.kind].error
                assert not answers[f"{store.kind}:bad"].ok


def test_a_url_asks_for_tls(authorities, redis_store):
    context, good, _ = authorities
    with (
        FaultProxy(redis_store.host, redis_store.port, tls=context) as proxy,
        DatabaseConnections() as db,
    ):
        secret = quote(redis_store.settings.get("password", ""), safe="")
        db.initialize_redis(url=f"rediss://:{secret}@localhost:{proxy.port}/0", ssl_ca_certs=good)
        assert db.redis.ping()
        db.initialize_redis(
            name="plain",
            url=f"redis://:{secret}@localhost:{proxy.port}/0",
            timeout=0.3,
            socket_timeout=0.3,
        )
        with pytest.raises(Unavailable):
            db.get_redis_client("plain").ping()
