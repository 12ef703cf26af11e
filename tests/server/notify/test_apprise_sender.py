"""Tests of Apprise's real library: a mail over SMTP, what is refused, and that nothing goes round the guard."""

import subprocess
import sys
from email import message_from_string, policy
from ipaddress import ip_network

import pytest

from envparity_agent.errors import CannotTell, UsageError
from envparity_server.notify import apprise_sender
from envparity_server.notify.apprise_sender import AppriseSender, check_apprise
from envparity_server.notify.interface import Item, Notification, SendError
from tests.server.making import NOON
from tests.server.notify.drifting import TOLD
from tests.server.notify.receivers import LOOPBACK, http_receiver, raw_receiver, smtp_receiver

pytest.importorskip("apprise", reason='the library is missing: pip install "envparity[notify]"')


def failed(sender: AppriseSender) -> SendError:
    with pytest.raises(SendError) as problem:
        sender.send("d1", TOLD, NOON)
    return problem.value


def test_a_mail_arrives_with_its_title_and_items() -> None:
    items = (Item("web-1", "os-packages", "openssl", "3.0.11 → 3.0.15", "high"),)
    told = Notification("new", "high: openssl on 5 hosts", "5 hosts differ.", "high", "prod", "", items, 4)
    with smtp_receiver() as (port, mails):
        url = f"mailto://127.0.0.1:{port}?from=envparity@example.com&to=ops@example.com"
        AppriseSender(url, LOOPBACK).send("d1", told, NOON)
    mail = message_from_string(mails[0], policy=policy.default)
    assert mail["subject"] == "high: openssl on 5 hosts"
    assert mail["to"] == "ops@example.com"
    body = mail.get_body()
    assert body is not None
    text = body.get_content()
    assert "openssl: 3.0.11 → 3.0.15 (high)" in text
    assert "and 4 more" in text


def test_markup_in_a_mail_is_text() -> None:
    told = Notification("new", "t", 'x <img src=x onerror="alert(1)"> & more', "high", "prod", "")
    with smtp_receiver() as (port, mails):
        AppriseSender(f"mailto://127.0.0.1:{port}?from=a@example.com&to=b@example.com", LOOPBACK).send("d", told, NOON)
    body = message_from_string(mails[0], policy=policy.default).get_body(("html",))
    assert body is None or "<img" not in body.get_content()


ADDRESSES = [
    "json://127.0.0.1/", "syslog://", "exec://x", "http://127.0.0.1/", "slack://\n", f"slack://{'a' * 3000}",
    "mailto://example.com?smtp=127.0.0.1&from=a@example.com&to=b@example.com", "gotify://2130706433/abcdefghijklmno",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_refused_address_is_refused_when_it_is_stored(address: str) -> None:
    with pytest.raises(UsageError):
        check_apprise(address, ())


def test_and_when_it_is_sent_to() -> None:
    assert failed(AppriseSender("gotify://10.0.0.1/abcdefghijklmno", ())).permanent
    assert failed(AppriseSender("jsons://example.com/", ())).permanent


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # of the library
def test_every_scheme_that_is_refused_is_one_of_the_library() -> None:
    import apprise

    from envparity_server.notify.apprise_child import REFUSED  # loads the library

    known = {
        scheme
        for one in apprise.Apprise().details(show_disabled=True)["schemas"]
        for scheme in (*(one["protocols"] or ()), *(one["secure_protocols"] or ()))
    }
    assert known >= REFUSED


@pytest.mark.parametrize(
    "address",
    [
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
        "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
    ],
)
def test_a_service_with_a_place_of_its_own_is_taken(address: str) -> None:
    check_apprise(address, ())


def test_a_host_without_an_address_is_tried_again() -> None:
    with pytest.raises(CannotTell, match="nowhere"):
        check_apprise("gotify://nowhere.invalid/abcdefghijklmno", ())
    assert not failed(AppriseSender("gotify://nowhere.invalid/abcdefghijklmno", ())).permanent


def test_a_receiver_that_never_answers_is_left() -> None:
    with raw_receiver(lambda handler: handler.rfile.read()) as url:
        address = f"{url.replace('http', 'gotify')}abcdefghijklmno"
        problem = failed(AppriseSender(address, LOOPBACK, timeout=1))
    assert not problem.permanent
    assert "no answer within 1 seconds" in str(problem)


def test_a_redirect_leads_nowhere_even_if_the_address_asks_for_it() -> None:
    with (
        http_receiver() as inside,
        http_receiver(status=307, headers={"Location": f"{inside.url}/"}) as receiver,
    ):
        address = f"gotify://127.0.0.1:{receiver.port}/abcdefghijklmno?redirect=yes"
        assert not failed(AppriseSender(address, LOOPBACK)).permanent
    assert len(receiver.got) == 1
    assert inside.got == []


def test_a_connection_is_refused_whatever_the_host_was_vetted_as() -> None:
    script = (
        "import socket; from ipaddress import ip_network; from envparity_server.notify import apprise_child as c;"
        "import sys; g = c._Guard([ip_network('127.0.0.1/32')]); sys.addaudithook(g.hook)\n"
        "for attempt in (lambda: socket.create_connection(('127.0.0.2', 9)), lambda: open('/etc/passwd'),\n"
        "  lambda: open('/tmp/x', 'w'), lambda: __import__('os').system('true'),\n"
        "  lambda: socket.socket(socket.AF_UNIX).connect('/run/docker.sock'),\n"
        "  lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('10.0.0.1', 514))):\n"
        "    try: attempt()\n"
        "    except c.Refused: continue\n"
        "    raise SystemExit('it passed')\n"
    )
    ended = subprocess.run([sys.executable, "-BW", "ignore", "-c", script], check=False)
    assert ended.returncode == 0


def test_what_went_wrong_is_told_without_the_secret() -> None:
    with http_receiver(status=401) as receiver:
        problem = failed(AppriseSender(f"gotify://127.0.0.1:{receiver.port}/SecretTokenOfGotify", LOOPBACK))
    assert receiver.got
    assert "SecretTokenOfGotify" not in str(problem)
    assert "401" in str(problem)


def test_without_the_library_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    monkeypatch.setattr(apprise_sender, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match="no Apprise") as problem:
        check_apprise("slack://x", [ip_network("127.0.0.0/8")])
    assert problem.value.advice == 'pip install "envparity[notify]"'
