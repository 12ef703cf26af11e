"""The change of a host's credential: old and new are both valid until the new one is used, so never neither."""

from sqlalchemy import Connection, or_, select, update

from envparity_server.storage.tables import host


def is_next(connection: Connection, credential_hash: str) -> bool:
    """Whether a credential is one that a host has announced and not used yet."""
    return connection.scalar(select(host.c.id).where(host.c.next_credential_hash == credential_hash)) is not None


def adopt(connection: Connection, credential_hash: str) -> None:
    """Make an announced credential the host's only one: it has arrived, so the old one is needed no more.

    One statement, so that of two requests at once each finds it done.
    """
    connection.execute(
        update(host)
        .where(host.c.next_credential_hash == credential_hash, host.c.retired_at.is_(None))
        .values(credential_hash=host.c.next_credential_hash, next_credential_hash=None)
    )


def announce(connection: Connection, host_id: str, credential_hash: str) -> bool:
    """Keep the credential that a host will use next; False where it is another host's.

    The present one again changes nothing: it was announced, and used, before.
    """
    holder = connection.scalar(
        select(host.c.id).where(
            or_(host.c.credential_hash == credential_hash, host.c.next_credential_hash == credential_hash)
        )
    )
    if holder is None:
        connection.execute(update(host).where(host.c.id == host_id).values(next_credential_hash=credential_hash))
    return holder in (None, host_id)
