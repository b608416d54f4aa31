"""Qdrant over its REST interface and in process."""

import asyncio
import uuid

import pytest
from qdrant_client import models
from qdrant_client.http.exceptions import UnexpectedResponse

from shared.db import (
    AsyncDatabaseConnections,
    DatabaseConnections,
    OutcomeUnknown,
    Unavailable,
    embedded,
)

C, D, N, ALSO = (f"shared_db_test_{uuid.uuid4().hex[:8]}" for _ in range(4))


DOT = models.VectorParams(size=2, distance=models.Distance.DOT)


@pytest.fixture
def db(qdrant_settings):
    with DatabaseConnections.from_settings(qdrant_settings) as db:
        yield db
        for name in (C, D, N):
            db.qdrant.delete_collection(name)


def point(number, /, **payload):
    return models.PointStruct(id=number, vector=[float(number), 1.0], payload=payload or None)


def match(key, value):
    condition = models.FieldCondition(key=key, match=models.MatchValue(value=value))
    return models.Filter(must=[condition])


def test_what_the_driver_offers(db):
    qdrant = db.qdrant
    assert qdrant.create_collection(C, vectors_config=DOT)
    assert qdrant.collection_exists(C)
    qdrant.upsert(C, [point(n, kind="even" if n % 2 == 0 else "odd", n=n) for n in range(10)])
    qdrant.upsert(
        C, models.Batch(ids=[10], vectors=[[10.0, 1.0]], payloads=[{"kind": "even", "n": 10}])
    )
    assert qdrant.count(C, count_filter=match("kind", "even")).count == 6
    found = qdrant.query_points(C, query=[1.0, 0.0], limit=3, query_filter=match("kind", "odd"))
    assert [p.id for p in found.points] == [9, 7, 5]
    assert qdrant.query_points(C, query=3, limit=1).points[0].id == 10
    batch = qdrant.query_batch_points(C, [models.QueryRequest(query=[1.0, 0.0], limit=1)] * 2)
    assert [answer.points[0].id for answer in batch] == [10, 10]
    groups = qdrant.query_points_groups(C, group_by="kind", query=[1.0, 0.0], limit=2, group_size=2)
    assert [[hit.id for hit in group.hits] for group in groups.groups] == [[10, 8], [9, 7]]
    first, following = qdrant.scroll(C, limit=4)
    assert [p.id for p in first] == [0, 1, 2, 3]
    assert [p.id for p in qdrant.scroll(C, limit=4, offset=following)[0]] == [4, 5, 6, 7]
    qdrant.set_payload(C, {"new": 1}, points=[1])
    qdrant.overwrite_payload(C, {"only": 1}, points=[2])
    qdrant.delete_payload(C, keys=["n"], points=[3])
    qdrant.clear_payload(C, points_selector=[4])
    kept = {p.id: p.payload for p in qdrant.retrieve(C, [1, 2, 3, 4])}
    assert kept == {1: {"kind": "odd", "n": 1, "new": 1}, 2: {"only": 1}, 3: {"kind": "odd"}, 4: {}}
    qdrant.update_vectors(C, [models.PointVectors(id=1, vector=[99.0, 0.0])])
    assert qdrant.query_points(C, query=[1.0, 0.0], limit=1).points[0].id == 1
    qdrant.create_payload_index(C, "kind", models.PayloadSchemaType.KEYWORD)
    qdrant.delete(C, points_selector=models.FilterSelector(filter=match("kind", "odd")))
    assert {hit.value: hit.count for hit in qdrant.facet(C, "kind").hits} == {"even": 4}
    change = models.CreateAlias(collection_name=C, alias_name=ALSO)
    qdrant.update_collection_aliases([models.CreateAliasOperation(create_alias=change)])
    assert qdrant.get_collection_aliases(C).aliases[0].alias_name == ALSO
    assert qdrant.get_collection(C).config.params.vectors == DOT
    assert qdrant.delete_collection(C)
    with pytest.raises(UnexpectedResponse, match="404"):
        qdrant.count(C)


def test_named_and_sparse_vectors(db):
    db.qdrant.create_collection(
        N, vectors_config={"a": DOT}, sparse_vectors_config={"s": models.SparseVectorParams()}
    )
    sparse = models.SparseVector(indices=[1, 5], values=[1.0, 2.0])
    db.qdrant.upsert(N, [models.PointStruct(id=1, vector={"a": [1.0, 2.0], "s": sparse})])
    query = models.SparseVector(indices=[5], values=[1.0])
    assert db.qdrant.query_points(N, query=query, using="s").points[0].score == 2.0
    assert db.qdrant.retrieve(N, [1], with_vectors=True)[0].vector["a"] == [1.0, 2.0]


def test_lost_answers(qdrant_store, qdrant_settings, fault_proxy, db):
    proxy = fault_proxy(qdrant_store)
    with DatabaseConnections() as through:
        through.initialize_qdrant(
            **{**qdrant_settings, "host": proxy.host, "port": proxy.port}, timeout=2
        )
        through.qdrant.create_collection(C, vectors_config=DOT)
        proxy.lose_reply()
        through.qdrant.upsert(C, [point(1)])
        proxy.lose_reply()
        assert through.qdrant.count(C).count == 1
        proxy.lose_reply()
        with pytest.raises(OutcomeUnknown):
            through.qdrant.create_collection(D, vectors_config=DOT)
        assert db.qdrant.collection_exists(D)


def test_restarts():
    with embedded.qdrant(api_key="k3y") as store, DatabaseConnections() as db:
        db.initialize_qdrant(**store.settings, timeout=0.3)
        db.qdrant.create_collection(C, vectors_config=DOT)
        db.qdrant.upsert(C, [point(n) for n in range(100)])
        store.kill()
        with pytest.raises(Unavailable):
            db.qdrant.count(C)
        store.start()
        assert db.qdrant.count(C).count == 100
        with DatabaseConnections() as other:
            other.initialize_qdrant(host=store.host, port=store.port)
            with pytest.raises(Unavailable, match="refuses: 401") as caught:
                other.qdrant.get_collections()
            assert caught.value.lasting


async def test_for_tasks(qdrant_settings, db):
    async with AsyncDatabaseConnections.from_settings(qdrant_settings) as other:
        await other.qdrant.create_collection(C, vectors_config=DOT)
        await asyncio.gather(*(other.qdrant.upsert(C, [point(n)]) for n in range(10)))
        assert (await other.qdrant.count(C)).count == 10
        assert (await other.ping())["qdrant"].ok


# qdrant-client checks SQLite's thread safety on a connection that it does not close.
@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
@pytest.mark.parametrize("url", [":memory:", "path:{}/q"])
def test_in_process(url, tmp_path):
    with DatabaseConnections() as local:
        local.initialize_qdrant(url=url.format(tmp_path))
        local.qdrant.create_collection(C, vectors_config=DOT)
        local.qdrant.upsert(C, [point(1)])
        assert local.qdrant.count(C).count == 1
