"""Qdrant's REST interface over the local mode of qdrant-client. Runs in a child process."""

from __future__ import annotations

import hmac
import importlib.metadata
import json
import re
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, TypeAdapter, ValidationError
from qdrant_client import QdrantClient, models

from .http import Handler, Server

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUTES: list[tuple[str, re.Pattern[str], Any, Callable[..., Any]]] = []


def route(
    method: str, path: str, body: Any = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the answer to one kind of request; `body` is the type of its JSON."""
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + r"/?$")
    adapter = None if body is None else TypeAdapter(body)

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        _ROUTES.append((method, pattern, adapter, function))
        return function

    return register


def selected(body: Any) -> Any:
    """Return the points that a request selects."""
    if body.points is not None:
        return models.PointIdsList(points=body.points)
    return models.FilterSelector(filter=body.filter or models.Filter())


def given(**values: Any) -> dict[str, Any]:
    """Return what the request sets; the rest has the driver's defaults."""
    return {name: value for name, value in values.items() if value is not None}


@route("GET", "/collections")
def _(db: QdrantClient) -> Any:
    return db.get_collections()


@route("GET", "/collections/{name}")
def _(db: QdrantClient, name: str) -> Any:
    return db.get_collection(name)


@route("GET", "/collections/{name}/exists")
def _(db: QdrantClient, name: str) -> Any:
    return {"exists": db.collection_exists(name)}


@route("PUT", "/collections/{name}", models.CreateCollection)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    done = db.create_collection(
        name,
        vectors_config=body.vectors or {},
        **given(sparse_vectors_config=body.sparse_vectors, metadata=body.metadata),
    )
    tune(db)
    return done


@route("PATCH", "/collections/{name}", models.UpdateCollection)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    return db.update_collection(
        name,
        **given(
            vectors_config=body.vectors,
            sparse_vectors_config=body.sparse_vectors,
            metadata=body.metadata,
        ),
    )


@route("DELETE", "/collections/{name}")
def _(db: QdrantClient, name: str) -> Any:
    return db.delete_collection(name)


@route("PUT", "/collections/{name}/index", models.CreateFieldIndex)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    return db.create_payload_index(name, body.field_name, **given(field_schema=body.field_schema))


@route("DELETE", "/collections/{name}/index/{field}")
def _(db: QdrantClient, name: str, field: str) -> Any:
    return db.delete_payload_index(name, field)


@route("PUT", "/collections/{name}/points", models.PointInsertOperations)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    points = body.batch if isinstance(body, models.PointsBatch) else body.points
    more = given(update_filter=body.update_filter, update_mode=getattr(body, "update_mode", None))
    return db.upsert(name, points, **more)


@route("POST", "/collections/{name}/points", models.PointRequest)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    vectors = given(with_payload=body.with_payload, with_vectors=body.with_vector)
    return db.retrieve(name, body.ids, **vectors)


@route("GET", "/collections/{name}/points/{point}")
def _(db: QdrantClient, name: str, point: str) -> Any:
    found = db.retrieve(name, [int(point) if point.isdigit() else point], with_vectors=True)
    if not found:
        raise LookupError(f"Point {point} not found")
    return found[0]


@route("POST", "/collections/{name}/points/delete", models.PointsSelector)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    return db.delete(name, body)


@route("PUT", "/collections/{name}/points/vectors", models.UpdateVectors)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    return db.update_vectors(name, body.points, **given(update_filter=body.update_filter))


@route("POST", "/collections/{name}/points/vectors/delete", models.DeleteVectors)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    return db.delete_vectors(name, body.vector, selected(body))


@route("POST", "/collections/{name}/points/payload", models.SetPayload)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    return db.set_payload(name, body.payload, selected(body), **given(key=body.key))


@route("PUT", "/collections/{name}/points/payload", models.SetPayload)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    return db.overwrite_payload(name, body.payload, selected(body))


@route("POST", "/collections/{name}/points/payload/delete", models.DeletePayload)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    return db.delete_payload(name, body.keys, selected(body))


@route("POST", "/collections/{name}/points/payload/clear", models.PointsSelector)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    return db.clear_payload(name, body)


@route("POST", "/collections/{name}/points/batch", models.UpdateOperations)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    return db.batch_update_points(name, body.operations)


@route("POST", "/collections/{name}/points/scroll", models.ScrollRequest)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    points, following = db.scroll(
        name,
        **given(
            scroll_filter=body.filter,
            limit=body.limit,
            order_by=body.order_by,
            offset=body.offset,
            with_payload=body.with_payload,
            with_vectors=body.with_vector,
        ),
    )
    return {"points": points, "next_page_offset": following}


@route("POST", "/collections/{name}/points/count", models.CountRequest)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    return db.count(name, **given(count_filter=body.filter, exact=body.exact))


@route("POST", "/collections/{name}/facet", models.FacetRequest)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    more = given(facet_filter=body.filter, limit=body.limit, exact=body.exact)
    return db.facet(name, body.key, **more)


def query_arguments(body: Any) -> dict[str, Any]:
    """Return what a single query and a grouped one have in common."""
    return given(
        query=body.query,
        using=body.using,
        prefetch=body.prefetch,
        query_filter=body.filter,
        search_params=body.params,
        limit=body.limit,
        with_vectors=body.with_vector,
        score_threshold=body.score_threshold,
        lookup_from=body.lookup_from,
    ) | {"with_payload": False if body.with_payload is None else body.with_payload}


@route("POST", "/collections/{name}/points/query", models.QueryRequest)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    return db.query_points(name, **query_arguments(body), **given(offset=body.offset))


@route("POST", "/collections/{name}/points/query/batch", models.QueryRequestBatch)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    return db.query_batch_points(name, body.searches)


@route("POST", "/collections/{name}/points/query/groups", models.QueryGroupsRequest)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    more = given(group_size=body.group_size, with_lookup=body.with_lookup)
    return db.query_points_groups(name, group_by=body.group_by, **query_arguments(body), **more)


@route("POST", "/collections/{name}/points/search/matrix/pairs", models.SearchMatrixRequest)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    return db.search_matrix_pairs(name, **matrix_arguments(body))


@route("POST", "/collections/{name}/points/search/matrix/offsets", models.SearchMatrixRequest)
def _(db: QdrantClient, body: Any, name: str) -> Any:
    return db.search_matrix_offsets(name, **matrix_arguments(body))


def matrix_arguments(body: Any) -> dict[str, Any]:
    """Return the arguments of both matrix searches."""
    return given(query_filter=body.filter, sample=body.sample, limit=body.limit, using=body.using)


@route("POST", "/collections/aliases", models.ChangeAliasesOperation)
def _(db: QdrantClient, body: Any) -> Any:
    return db.update_collection_aliases(body.actions)


@route("GET", "/collections/{name}/aliases")
def _(db: QdrantClient, name: str) -> Any:
    return db.get_collection_aliases(name)


@route("GET", "/aliases")
def _(db: QdrantClient) -> Any:
    return db.get_aliases()


def tune(db: QdrantClient) -> None:
    """Turn off the disk flush per point: in local mode every point is its own transaction.

    A killed process loses nothing either way; with WAL a power cut loses the last moments only.
    """
    client: Any = db._client  # noqa: SLF001 - local mode has no setting for it
    for collection in client.collections.values():
        if collection.storage is not None:
            collection.storage.storage.execute("PRAGMA journal_mode = WAL").fetchall()
            collection.storage.storage.execute("PRAGMA synchronous = NORMAL")


def plain(value: Any) -> Any:
    """Return models as JSON."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


class Qdrant(Handler):
    """One request. Local mode is not made for threads: one at a time."""

    db: QdrantClient
    api_key: str | None
    turn = threading.Lock()

    def answer(self) -> None:
        """Answer one request."""
        started = time.perf_counter()
        path = urlsplit(self.path).path
        body = self.body()
        if path in {"/healthz", "/readyz", "/livez"}:
            self.reply(200, {"Content-Type": "text/plain"}, b"all shards are ready")
            return
        status, result = self._result(path, body)
        answer: dict[str, Any]
        if path == "/":
            answer = result
        elif status == 200:
            answer = {"result": result, "status": "ok"}
        else:
            answer = {"status": {"error": result}}
        answer.setdefault("time", time.perf_counter() - started)
        self.reply(status, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    def _result(self, path: str, body: bytes) -> tuple[int, Any]:
        key = self.headers.get("api-key") or self.headers.get("Authorization", "").removeprefix(
            "Bearer "
        )
        if self.api_key and not hmac.compare_digest(key.encode(), self.api_key.encode()):
            return 401, "Must provide an API key or an Authorization bearer token"
        if path == "/":
            version = importlib.metadata.version("qdrant-client")
            return 200, {"title": "qdrant - vector search engine", "version": version}
        for method, pattern, adapter, function in _ROUTES:
            match = pattern.match(path)
            if match and method == self.command:
                values = {name: unquote(value) for name, value in match.groupdict().items()}
                return self._call(adapter, function, body, values)
        return 404, f"{self.command} {path} is not served by the embedded Qdrant"

    def _call(
        self, adapter: Any, function: Any, body: bytes, values: dict[str, str]
    ) -> tuple[int, Any]:
        try:
            arguments = [] if adapter is None else [adapter.validate_json(body or b"{}")]
            with self.turn:
                return 200, plain(function(self.db, *arguments, **values))
        except ValidationError as error:
            return 400, f"Format error in JSON body: {error}"
        except LookupError as error:
            return 404, str(error.args[0] if error.args else error)
        except NotImplementedError as error:
            return 501, str(error)
        except Exception as error:  # noqa: BLE001 - every error of local mode is an answer
            text = str(error)
            missing, exists = "not found" in text, "already exists" in text
            return 404 if missing else 409 if exists else 400, text


def main() -> None:
    """Serve until the process is ended."""
    config = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    server = Server((config["host"], config["port"]), Qdrant)
    meta = Path(config["path"]) / "meta.json"
    if meta.exists() and not meta.read_bytes().strip():
        # Killed while the very first file was being written: nothing was stored yet.
        meta.unlink()
    Qdrant.db = QdrantClient(path=config["path"], force_disable_check_same_thread=True)
    Qdrant.api_key = config["api_key"]
    tune(Qdrant.db)
    server.serve_forever()


if __name__ == "__main__":
    main()
