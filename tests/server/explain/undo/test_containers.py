"""Tests of undoing what differs in containers, in configuration, and in the code of applications."""

import pytest

from envparity_agent.fingerprint import Attributes, Fingerprint, Items, Section
from envparity_server.compare.differences import compare
from envparity_server.explain.causes import explain
from envparity_server.explain.model import Situation
from tests.server.explain.undoing import both, dist, note, side, steps, venv
from tests.server.making import ENGINE

A, B = ("sha256:" + letter * 64 for letter in "ab")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
LABEL: dict[str, Attributes] = {"label:com.docker.compose.service": {"value": "web"}}


def container(items: Items, config: Items | None = None) -> Fingerprint:
    """A host with one container, which compose started where its label says so."""
    return side(
        Section("container/shop.web", "container", 2, items),
        Section("container/shop.web/config", "configuration", 1, config or {}),
        Section("container/shop.web/python", "python-search", 2),
        ENGINE,
    )


def image(digest: str, **facts: object) -> dict[str, Attributes]:
    """The item of an image that a tag led to."""
    body: dict[str, Attributes] = {"image": {"reference": "docker.io/acme/shop:1.2", "config": digest}}
    return {"image": {**body["image"], **facts}}  # type: ignore[dict-item]  # values as attributes have them


def test_another_image_behind_a_tag_is_pulled_by_its_digest_and_named_by_it() -> None:
    good = container(image(A, repo_digests=(f"acme/shop@{A}", f"mirror.example/shop@{A}")), LABEL)
    assert steps(good, container(image(B), LABEL), "image") == [
        f"docker pull acme/shop@{A}",
        f"compose.yaml: image: acme/shop@{A}",
        "docker compose up -d web",
    ]
    plain = container(image(A, repo_digests=(f"acme/shop@{A}",)))
    assert steps(plain, container(image(B)), "image") == [f"docker pull acme/shop@{A}"]
    assert note(plain, container(image(B)), "image") == f"Then start the container shop.web anew from acme/shop@{A}."


def test_the_manifest_is_a_digest_as_well_and_a_tag_alone_is_said_to_be_unsure() -> None:
    assert steps(container(image(A, manifest=A)), container(image(B, manifest=B)), "image") == [
        f"docker pull acme/shop@{A}"
    ]
    unsure = container(image(A)), container(image(B))
    assert steps(*unsure, "image") == ["docker pull acme/shop:1.2"]
    assert "No digest of it is known" in note(*unsure, "image")


def test_what_was_changed_in_a_container_goes_with_it() -> None:
    items: dict[str, Attributes] = {"layer:/srv/app/app.py": {"change": "modified"}}
    assert steps(container({}, LABEL), container(items, LABEL), "layer:/srv/app/app.py") == [
        "docker compose up -d --force-recreate web"
    ]
    assert note(container({}), container(items), "layer:/srv/app/app.py") == (
        "Recreate the container shop.web from its image. What was changed in it in place is gone then."
    )
    assert "take it into the Dockerfile" in note(container(items), container({}), "layer:/srv/app/app.py")


@pytest.mark.parametrize(("item", "value", "option", "key"), [
    ("env:TZ", {"value": "UTC"}, "-e TZ=UTC", "environment: TZ=UTC"),
    ("env:PASSWORD", {"hmac": "f00", "key": "k"}, "-e 'PASSWORD=<the value that good has>'",
     'environment: "PASSWORD=<the value that good has>"'),
    ("env:MOTTO", {"value": "it's \"so\""}, "-e 'MOTTO=it'\"'\"'s \"so\"'", 'environment: "MOTTO=it\'s \\"so\\""'),
    ("mount:/data", {"type": "volume", "source": "shop_data", "writable": False}, "-v shop_data:/data:ro",
     "volumes: shop_data:/data:ro"),
    ("mount:/run", {"type": "tmpfs", "writable": True}, "--tmpfs /run", "tmpfs: /run"),
    ("port:80/tcp", {"exposed": True, "published": ("0.0.0.0:8080",)}, "-p 8080:80", "ports: 8080:80"),
    ("user", {"value": "1000"}, "--user 1000", "user: 1000"),
    ("limit:cpu", {"value": 1500}, "--cpus 1.5", "cpus: 1.5"),
    ("limit:memory", {"value": 536870912}, "--memory 536870912", "mem_limit: 536870912"),
    ("ulimit:nofile", {"value": "1:2"}, "--ulimit nofile=1:2", "ulimits: nofile=1:2"),
    ("privileged", {"value": True}, "--privileged", "privileged: true"),
])  # fmt: skip
def test_a_value_is_given_where_the_container_is_started(item: str, value: Attributes, option: str, key: str) -> None:
    assert steps(container({}, {item: value}), container({}), item) == [option]
    composed = container({}, {**LABEL, item: value}), container({}, LABEL)
    assert steps(*composed, item) == [f"compose.yaml: services.web.{key}", "docker compose up -d web"]


def test_a_hash_of_a_secret_is_in_no_remedy() -> None:
    values = [{"env:PASSWORD": {"hmac": one, "key": "the-key"}} for one in ("f00", "ba5")]
    good, bad = (container({}, one) for one in values)
    told = [*steps(good, bad, "env:PASSWORD"), note(good, bad, "env:PASSWORD")]
    assert not any(secret in one for secret in ("f00", "ba5", "the-key") for one in told)


def test_what_only_the_bad_side_sets_is_left_out() -> None:
    extra: dict[str, Attributes] = {"env:DEBUG": {"value": "1"}}
    assert note(container({}), container({}, extra), "env:DEBUG") == (
        "The good side does not have it: leave DEBUG out."
    )  # fmt: skip


def service(items: Items) -> Fingerprint:
    """A host with one service of systemd's."""
    return side(Section("services", "configuration", 1), Section("service/shop", "configuration", 1, items))


def test_a_value_of_a_service_is_a_drop_in_of_its_unit() -> None:
    file, again = "/etc/systemd/system/shop.service.d/override.conf", [
        "systemctl daemon-reload", "systemctl restart shop.service",
    ]  # fmt: skip
    set_it, none = service({"env:MOTTO": {"value": "100 % sure"}}), service({})
    assert steps(set_it, none, "env:MOTTO") == [f'{file}: Environment="MOTTO=100 %% sure"', *again]
    assert steps(none, set_it, "env:MOTTO") == [f"{file}: UnsetEnvironment=MOTTO", *again]
    limits = [service({"limit:nofile": {"value": one}}) for one in ("65536", "1024")]
    assert steps(*both(limits), "limit:nofile") == [f"{file}: LimitNOFILE=65536", *again]
    commands = [service({"command": {"command": one}}) for one in ("/srv/app/run --workers 4", "/srv/app/run")]
    assert steps(*both(commands), "command") == [
        f"{file}: ExecStart=",
        f"{file}: ExecStart=/srv/app/run --workers 4",
        *again,
    ]


def test_a_command_that_is_not_told_in_full_is_not_made_up() -> None:
    commands = [service({"command": {"command": one, "hmac": one, "key": "k"}}) for one in ("run -p …", "run -q …")]
    assert steps(*both(commands), "command") == []
    assert note(*both(commands), "command") == "The command of the good side is run -p …, not all of which is told."


@pytest.mark.parametrize(("form", "line"), [
    ("ini", "db.pool = 5"), ("toml", "db.pool = 5"), ("env", "db.pool=5"), ("yaml", "db.pool: 5"),
])  # fmt: skip
def test_a_key_of_a_file_is_written_as_the_file_has_its_keys(form: str, line: str) -> None:
    def file(value: str) -> Fingerprint:
        items: dict[str, Attributes] = {"@file": {"mode": "0640", "format": form}, "db.pool": {"value": value}}
        return side(Section("config", "file", 1), Section("config/etc/app.conf", "file", 1, items))

    assert steps(file("5"), file("50"), "db.pool") == [f"/etc/app.conf: {line}"]


def test_the_mode_of_a_file_is_set_and_its_whole_content_copied() -> None:
    def file(**facts: str) -> Fingerprint:
        items: dict[str, Attributes] = {"@file": facts}
        return side(Section("config", "file", 1), Section("config/etc/app.pem", "file", 1, items))

    assert steps(file(mode="0640"), file(mode="0600"), "@file") == ["chmod 0640 /etc/app.pem"]
    assert steps(file(hmac="a", key="k"), file(hmac="b", key="k"), "@file") == [
        "scp -r web-1:/etc/app.pem /etc/app.pem"
    ]


def code(**facts: str | bool) -> Fingerprint:
    """A host with the code of one application."""
    body: Attributes = {"location": "/srv/app", **facts}
    return side(Section("python", "python-search", 2), Section("app/shop", "application", 1, {"code": body}))


def test_code_goes_to_the_commit_that_works() -> None:
    good, bad = code(commit=COMMIT, dirty=True), code(commit="f" * 40, dirty=False)
    assert steps(good, bad, "code") == [f"git -C /srv/app checkout {COMMIT}"]
    assert note(good, bad, "code") == "The good side has changes that are in no commit: commit them there first."
    assert steps(code(commit=COMMIT, dirty=False), code(commit=COMMIT, dirty=True), "code") == [
        "git -C /srv/app stash --include-untracked", f"git -C /srv/app checkout {COMMIT}",
    ]  # fmt: skip
    assert steps(code(tree="a"), code(tree="b"), "code") == ["scp -r web-1:/srv/app /srv/app"]


def test_a_file_of_the_code_is_copied_or_taken_away() -> None:
    def files(*names: str) -> Fingerprint:
        items: dict[str, Attributes] = {f"file:{name}": {"content": "x"} for name in ("app.py", *names)}
        return side(Section("app/shop", "application", 1, {"code": {"location": "/srv/app"}, **items}))

    assert steps(files("data.csv"), files(), "file:data.csv") == ["scp -r web-1:/srv/app/data.csv /srv/app/data.csv"]
    assert steps(files(), files("sys.py"), "file:sys.py") == ["rm /srv/app/sys.py"]


def test_the_first_ten_causes_have_their_remedies() -> None:
    good, bad = (side(venv({f"p{number:02}": dist(one) for number in range(12)})) for one in ("1.0", "2.0"))
    causes = explain(Situation(good, bad, compare(good, bad))).causes
    assert [one.remedy is not None for one in causes] == [True] * 10 + [False] * 2
    assert causes[0].document()["remedy"] == "/srv/app/.venv/bin/python -m pip install p00==1.0"
