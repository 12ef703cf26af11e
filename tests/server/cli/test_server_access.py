"""Tests of the verbs of `envparity server` that say who may do what: people, tokens, sessions, the audit log."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from envparity_server.storage import access, audit, people, tokens
from envparity_server.storage.actors import Actor, Role
from envparity_server.storage.database import open_database, reading, writing
from tests.forking import Ended
from tests.server.cli.running import envparity

pytestmark = pytest.mark.usefixtures("sqlite_url")

PASSWORD = "correct horse battery staple"  # noqa: S105  # nobody's


def server(home: Path, *arguments: str, standard_input: str = "") -> Ended:
    """Run a verb of the server on the database `server.db`."""
    url = f"sqlite:///{home / 'server.db'}"
    return envparity(home, "server", *arguments, standard_input=standard_input, ENVPARITY_DATABASE_URL=url)


def done(home: Path, *arguments: str, standard_input: str = "") -> Ended:
    """The same, and it went well."""
    ended = server(home, *arguments, standard_input=standard_input)
    assert ended.exit_code == 0, ended.complaint
    return ended


def is_password(home: Path, name: str, password: str) -> bool:
    """Whether somebody could log in by it."""
    engine = open_database(f"sqlite:///{home / 'server.db'}")
    with writing(engine) as connection:
        found = people.verified(password, people.password_hash(connection, name))
    engine.dispose()
    return found


def decisions(home: Path) -> int:
    """How many the audit log has; a verb that was refused early made no database."""
    if not (home / "server.db").exists():
        return 0
    engine = open_database(f"sqlite:///{home / 'server.db'}")
    with reading(engine) as connection:
        found = len(audit.entries(connection))
    engine.dispose()
    return found


def test_a_person_is_added_changed_disabled_and_enabled(tmp_path: Path) -> None:
    done(tmp_path, "user", "add", "ada", "--role", "operator", "--environments", "test, dev")
    [one] = done(tmp_path, "user", "list", "--json").document["people"]
    assert (one["role"], one["environments"], one["has_password"]) == ("operator", ["dev", "test"], False)
    done(tmp_path, "user", "role", "ada", "viewer")
    done(tmp_path, "user", "disable", "ada")
    [one] = done(tmp_path, "user", "list", "--json").document["people"]
    assert (one["role"], one["environments"], bool(one["disabled_at"])) == ("viewer", ["dev", "test"], True)
    assert server(tmp_path, "login", "--person", "ada").exit_code == 2
    done(tmp_path, "user", "enable", "ada")
    done(tmp_path, "user", "role", "ada", "admin", "--all-environments")
    shown = done(tmp_path, "user", "list").output.splitlines()
    assert [line.split() for line in shown][1] == ["ada", "admin", "all", "code", "enabled"]


def test_a_password_comes_from_a_file_or_standard_input_and_is_nowhere_in_clear(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD + "\n")
    done(tmp_path, "user", "add", "ada", "--role", "viewer", "--password-file", "password")
    assert is_password(tmp_path, "ada", PASSWORD)
    done(tmp_path, "user", "password", "ada", "--password-file", "-", standard_input="another one of mine\n")
    assert is_password(tmp_path, "ada", "another one of mine")
    assert PASSWORD.encode() not in (tmp_path / "server.db").read_bytes()


def test_a_login_code_names_a_person(tmp_path: Path) -> None:
    done(tmp_path, "user", "add", "ada", "--role", "viewer")
    code = done(tmp_path, "login", "--person", "ada").output.strip()
    engine = open_database(f"sqlite:///{tmp_path / 'server.db'}")
    now = datetime.now(UTC)
    with writing(engine) as connection:
        session = access.use_login(connection, code, now)
        assert session
        assert access.person_of_session(connection, session, now) == Actor("person:ada", Role.VIEWER)
    engine.dispose()
    [one] = done(tmp_path, "sessions", "list", "--json").document["sessions"]
    assert one["person"] == "ada"
    done(tmp_path, "sessions", "revoke", one["id"])
    assert done(tmp_path, "sessions", "list", "--json").document["total"] == 0


def test_tokens_are_made_listed_without_what_they_are_and_revoked(tmp_path: Path) -> None:
    made = [
        done(tmp_path, "token", "enrol", "--environment", "ci", "--uses", "9", "--ephemeral", "24").output.strip(),
        done(tmp_path, "token", "admin", "--name", "terraform", "--environments", "dev,test").output.strip(),
    ]
    listed = done(tmp_path, "tokens", "list", "--json")
    enrol, admin = listed.document["tokens"]
    assert (enrol["kind"], enrol["environments"], enrol["used"]) == ("enrol", ["ci"], "9 left")
    assert (admin["kind"], admin["name"], admin["environments"]) == ("admin", "terraform", ["dev", "test"])
    assert not any(token in listed.output + done(tmp_path, "tokens", "list").output for token in made)
    done(tmp_path, "tokens", "revoke", enrol["id"], admin["id"])
    states = [one["state"] for one in done(tmp_path, "tokens", "list", "--json").document["tokens"]]
    assert states == ["revoked", "revoked"]
    engine = open_database(f"sqlite:///{tmp_path / 'server.db'}")
    with writing(engine) as connection:
        assert access.holder_of(connection, made[1], datetime.now(UTC)) is None
        assert access.use_enrolment_token(connection, made[0], "ci", datetime.now(UTC)) is None
        [kept] = tokens.enrolment_tokens(connection, Actor("local:x", Role.ADMIN))
    engine.dispose()
    assert kept.host_life == timedelta(hours=24)


def test_every_decision_is_in_the_audit_log(tmp_path: Path) -> None:
    done(tmp_path, "user", "add", "ada", "--role", "viewer")
    done(tmp_path, "token", "ci", "--name", "github\x1b[2J")
    told = done(tmp_path, "audit", "--json").document
    assert [one["action"] for one in told["audit"]] == ["token.add", "person.add"]
    assert all(one["actor"].startswith("local:") for one in told["audit"])
    shown = done(tmp_path, "audit", "--limit", "1")
    assert (len(shown.output.splitlines()), shown.complaint) == (2, "1 of 2\n")
    assert "\x1b" not in shown.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("user", "add", "a b", "--role", "viewer"), "no name of a person"),
        (("user", "add", "ada", "--role", "ci"), "ci"),
        (("user", "add", "ada"), "--role"),
        (("user", "add", "ada", "--role", "viewer", "--environments", ","), "names none"),
        (("user", "add", "ada", "--role", "viewer", "--password-file", "/nowhere"), "cannot read the password"),
        (("user", "add", "ada", "--role", "viewer", "--password-file", "-"), "12 to 1024"),
        (("user", "add", "ada", "--role", "viewer", "--password", "x"), "No such option"),
        (("user", "role", "bob", "viewer"), "no person bob"),
        (("user", "password", "bob", "--password-file", "-"), "no person bob"),
        (("user", "disable", "bob"), "no person bob"),
        (("login", "--person", "bob"), "no person bob"),
        (("tokens", "revoke", "bob"), "no token bob"),
        (("sessions", "revoke", "bob"), "no session bob"),
        (("token", "ci", "--ephemeral", "5"), "for enrolment tokens only"),
        (("token", "enrol", "--environments", "dev"), "for the tokens of roles"),
        (("token", "root"), "root"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_done(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    ended = server(tmp_path, *arguments)
    assert (ended.exit_code, ended.output) == (2, "")
    assert words in ended.complaint
    assert "Traceback" not in ended.complaint
    assert decisions(tmp_path) == 0


def test_of_several_tokens_all_are_revoked_or_none(tmp_path: Path) -> None:
    done(tmp_path, "token", "ci", "--name", "github")
    [one] = done(tmp_path, "tokens", "list", "--json").document["tokens"]
    assert server(tmp_path, "tokens", "revoke", one["id"], "0" * 16).exit_code == 2
    assert done(tmp_path, "tokens", "list", "--json").document["tokens"] == [one]
