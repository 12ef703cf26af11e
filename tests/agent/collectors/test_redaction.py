"""Checks what is told of commands, URLs and labels: what a person needs to see, and never a secret."""

import random
import string
from base64 import b64encode, urlsafe_b64encode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.redaction import HIDDEN, command, labels, url
from envparity_agent.collectors.values import Disclosure, Key
from envparity_agent.fingerprint import MAX_STRING

KEYED = Disclosure(Key(b"k" * 32))


def told(text: str) -> str:
    """The words of a command, split at spaces, as they are told."""
    return str(command(text.split(" "), KEYED)["command"])


@pytest.mark.parametrize(
    "text",
    [
        "gunicorn --workers 4 --bind 0.0.0.0:8000 shop.wsgi:app",
        "gunicorn -b unix:/run/shop.sock --worker-class=uvicorn.workers.UvicornWorker shop.wsgi:app",
        "/srv/shop/.venv/bin/gunicorn --config /etc/shop/gunicorn.conf.py --timeout=30s",
        "uvicorn --reload shop.asgi:app --host localhost --port 80 --log-level info",
        "python -m shop",
        "python3.11 manage.py",
        "/usr/bin/python3 /srv/app-2/main.py",
        "tini -- python worker.py --concurrency 8",
        "--workers 4",
    ],
)
def test_what_cannot_be_a_secret_is_told(text: str) -> None:
    assert command(text.split(" "), KEYED) == {"command": text}
    assert command(text.split(" "), Disclosure()) == {"command": text}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("app --password hunter2", "… --password …"),
        ("/bin/app --password=hunter2 --workers 4", "/bin/app --password=… --workers 4"),
        ("/bin/app --dsn=postgres://u:p@h/db", "/bin/app --dsn=…"),
        ("mysql -phunter2", "… …"),
        ("redis-server --requirepass 1234", "redis-server --requirepass …"),
        ("redis-cli -a 1234", "… -a …"),
        ("/bin/app --password /hunter2", "/bin/app --password …"),
        ("/bin/app --password --hunter", "/bin/app --password …"),
        (
            "/bin/app --password 4 --token-file /run/secrets/token",
            "/bin/app --password … --token-file /run/secrets/token",
        ),
        ("env DATABASE_URL=postgres://u:p@h/db PIN=1234 python -m shop", "env … … python -m shop"),
        ("/bin/app --secret-port 1234", "/bin/app --secret-port …"),
        ("/bin/app --user admin:1234", "/bin/app --user …"),
        ("/bin/app -u john.doe:1234 -w 1234", "/bin/app -u … -w …"),
        ("python client.py john.doe:hunter", "python client.py …"),
        ("mail -m hunter", "… -m …"),
        ("/bin/login 1234", "/bin/login …"),
        ("/bin/unlock hunter2", "/bin/unlock …"),
        ("/bin/app scott/tiger", "/bin/app …"),
        ("/bin/app --s3cr3t", "/bin/app …"),
        ("celery worker", "celery …"),
        (f"/bin/app {HIDDEN}", f"/bin/app {HIDDEN}"),
    ],
)
def test_what_may_be_a_secret_is_not_told(text: str, shown: str) -> None:
    assert told(text) == shown
    assert command(text.split(" "), Disclosure()) == {"command": shown, "hidden": True}


def test_unequal_words_that_are_not_told_are_told_apart_by_the_keyed_hash() -> None:
    one, other, again = (command(["/bin/app", "--password", word], KEYED) for word in ("a", "b", "a"))
    assert one["command"] == other["command"]
    assert one["hmac"] != other["hmac"]
    assert one == again


def test_words_are_not_joined_to_others() -> None:
    assert command(["/bin/app", "a b"], KEYED)["hmac"] != command(["/bin/app", "a", "b"], KEYED)["hmac"]
    assert command(["/bin/app", "/bin/app /x"], KEYED)["command"] == "/bin/app …"
    assert command(["/bin/app", ""], KEYED)["command"] == "/bin/app …"


def test_no_setting_tells_a_command_in_clear() -> None:
    assert set(command(["/bin/app", "hunter2"], Disclosure(clear=("*",)))) == {"command", "hidden"}


def test_a_command_that_is_longer_than_a_text_may_be_is_told_apart_by_its_end() -> None:
    words = ["/bin/app", *("/srv/data" for _ in range(MAX_STRING // 8))]
    one, other = (command([*words, last], KEYED) for last in ("/a", "/b"))
    assert one["hmac"] != other["hmac"]


def test_an_empty_command_has_nothing_to_hide() -> None:
    assert command([], Disclosure()) == {"command": ""}


seeds = st.integers(0, 2**64)


def secret(seed: int) -> str:
    """A random token as programs make them: base64, base64url, hexadecimal, a UUID, or a password of a person."""
    source = random.Random(seed)  # noqa: S311  # a test's
    raw = source.randbytes(source.choice((18, 24, 32, 48)))
    password = "".join(source.choices(string.ascii_letters + string.digits + "!#$%&*+-./:?@^_~", k=16))
    forms = (b64encode(raw).decode(), urlsafe_b64encode(raw).decode(), raw.hex(), str(UUID(bytes=raw[:16])), password)
    return source.choice(forms)


SHAPES = (
    "{0}", "/{0}", "--{0}", "-p{0}", "{0}:8000", "shop:{0}", "--password={0}", "--workers={0}", "--config=/{0}",
    "KEY={0}", "postgres://u:{0}@db/x", "https://x.example/{0}", "https://x.example/?token={0}", "--bind={0}",
    "--app={0}", "{0}.py", "--log-level={0}", "unix:/{0}", "-D{0}", "x {0} y", "'{0}'", "./{0}", "/run/{0}/x", "@{0}",
    "--header=Bearer {0}",
)  # fmt: skip
before = st.sampled_from(
    ["--workers", "--password", "-p", "-m", "--config", "-c", "--host", "--bind", "--app", "--reload", "python",
     "gunicorn", "/bin/app", "--", "-u", "--log-level", "env"]
)  # fmt: skip


@given(st.lists(before, max_size=3), seeds, st.sampled_from(SHAPES), st.lists(before, max_size=2))
def test_a_random_secret_is_told_nowhere(first: list[str], seed: int, shape: str, last: list[str]) -> None:
    planted = secret(seed)
    shown = str(command([*first, shape.format(planted), *last], Disclosure())["command"])
    assert planted not in shown
    assert HIDDEN in shown


@given(
    st.lists(before, max_size=2), st.sampled_from(["--password", "--token", "-p", "-u", "--dsn", "--pin"]), st.text()
)
def test_nothing_is_told_after_an_option_that_names_a_secret(first: list[str], option: str, value: str) -> None:
    words = ["/bin/app", *first, "--debug", option, value]
    shown = str(command(words, Disclosure())["command"])
    if not value.startswith("-"):
        assert shown.endswith((f"{option} {HIDDEN}", f"{HIDDEN} {HIDDEN}"))


@given(st.lists(st.text()))
def test_any_words_have_something_to_tell(words: list[str]) -> None:
    found = command(words, KEYED)
    assert ("hmac" in found) == (found["command"] != " ".join(words) or HIDDEN in " ".join(words))


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("https://user:password@x.example/simple", "https://x.example/simple"),
        ("https://token@x.example:8443/simple?key=1#egg=x", "https://x.example:8443/simple"),
        ("https://u:a@b@x.example/", "https://x.example/"),
        ("git+ssh://git@x.example/shop.git@v1.0", "git+ssh://x.example/shop.git@v1.0"),
        ("git@x.example:shop/shop.git", "x.example:shop/shop.git"),
        ("user:password@x.example:shop.git", "x.example:shop.git"),
        ("file:///srv/src", "file:///srv/src"),
        ("jdbc:postgresql://db/shop?user=u&password=p", "jdbc:postgresql://db/shop"),
        ("sqlserver://db;user=sa;password=p", "sqlserver://db"),
        ("https://user:pass/word@x.example/", "https://…"),
        ("https://user:12/word@x.example/", "https://…"),
        ("https://user:/word@x.example/", "https://…"),
        ("https://[::1]:8443/x", "https://[::1]:8443/x"),
        ("https://x.example:8443/shop.git", "https://x.example:8443/shop.git"),
        ("https://user:pass#word@x.example/", "https://…"),
        ("https://user:pass?word@x.example/", "https://…"),
        ("https://[x", "https://…"),
        ("not a url", "not a url"),
    ],
)
def test_a_url_is_told_without_what_may_be_secret(text: str, bare: str) -> None:
    assert url(text) == bare


@given(st.text())
def test_any_text_can_be_taken_for_a_url(text: str) -> None:
    assert isinstance(url(text), str)


@given(seeds)
def test_the_credentials_of_a_url_are_never_told(seed: int) -> None:
    planted = secret(seed)
    assert planted not in url(f"https://user:{planted}@x.example/simple")
    assert planted not in url(f"https://x.example/simple?token={planted}")


def test_only_the_labels_that_are_allowed_are_told() -> None:
    found = {"org.example.role": "web", "org.example.from": "https://u:p@x.example/y", "password": "hunter2"}
    assert labels(found, ["org.example.*"]) == {"org.example.role": "web", "org.example.from": "https://x.example/y"}
    assert labels(found, []) == {}
