"""Where a tag points, asked of a real registry on loopback: the tag moves, the container does not."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from envparity_agent.fingerprint import Attributes
from envparity_server.app import create_app
from envparity_server.settings import ServerSettings
from envparity_server.storage.database import migrate, open_database, writing
from envparity_server.tags.asking import EVERY, ask_due
from tests.server.asking import Asking
from tests.server.fleet import reported
from tests.server.making import ENGINE, NOON, host, section
from tests.server.tags.images import AMD64, Document, config, digest_of, index, manifest
from tests.system.registry import Registry, started_registry


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """A registry of the test's own."""
    with started_registry(tmp_path / "registry") as running:
        yield running


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database with the schema."""
    made = open_database(f"sqlite:///{tmp_path / 'server.db'}")
    migrate(made)
    yield made
    made.dispose()


def push(registry: Registry, text: str, built: str) -> tuple[Document, Document]:
    """Push an image by HTTP alone, and an index of it under shop/web:1."""
    with httpx.Client(base_url=f"http://{registry.address}/v2/shop/web", trust_env=False) as client:
        begun = client.post("/blobs/uploads/").raise_for_status().headers["location"]
        blob = config(text)
        client.put(httpx.URL(begun).copy_merge_params({"digest": digest_of(blob)}), content=blob).raise_for_status()
        one = manifest(text)
        both = one, index((one, AMD64), built=built)
        for document, tag in zip(both, (one.digest, "1"), strict=True):
            headers = {"Content-Type": document.media_type}
            client.put(f"/manifests/{tag}", content=document.body, headers=headers).raise_for_status()
    return both


def runs(engine: Engine, name: str, reference: str, **image: str | tuple[str, ...]) -> None:
    told: Attributes = {"reference": reference, "platform": "linux/amd64", **image}
    with writing(engine) as connection:
        reported(connection, name, host(ENGINE, section("container/shop.web", {"image": told})), NOON)


def test_a_tag_that_moves_is_told_and_a_rebuild_with_the_same_content_is_not(
    registry: Registry, engine: Engine
) -> None:
    reference = registry.reference("shop/web", "1")
    settings = ServerSettings.model_construct(registries=(f"{registry.address}=http://{registry.address}",))
    reader = Asking(create_app(engine, settings), engine).as_role("viewer")
    one, pushed = push(registry, "one", built="monday")
    by_name = (f"{registry.address}/shop/web@{pushed.digest}",)
    runs(engine, "graphdriver", reference, config=digest_of(config("one")), repo_digests=by_name)
    runs(engine, "containerd", reference, index=pushed.digest, manifest=one.digest)

    def asked(moment: timedelta) -> dict[str, int]:
        assert ask_due(engine, NOON + moment, settings.registries) == 1
        (tag,) = reader.get("/api/v1/tags").json()["tags"]
        assert (tag["kind"], tag["problem"]) == ("index", None)
        counts: dict[str, int] = tag["counts"]
        return counts

    assert asked(timedelta()) == {"same": 2, "moved": 0, "unknown": 0}
    push(registry, "one", built="tuesday")  # another index, the same manifest
    assert asked(EVERY) == {"same": 2, "moved": 0, "unknown": 0}
    push(registry, "two", built="wednesday")
    assert asked(2 * EVERY) == {"same": 0, "moved": 2, "unknown": 0}
