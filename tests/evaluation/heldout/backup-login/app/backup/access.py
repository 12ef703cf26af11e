"""Logs in without stored passwords: each is signed for, and good for a quarter of an hour."""

import boto3
from backup.inventory import Database


class Access:
    def __init__(self) -> None:
        self._signer = boto3.client("rds")

    def password(self, database: Database) -> str:
        return self._signer.generate_db_auth_token(
            DBHostname=database.host, Port=database.port, DBUsername=database.user
        )
