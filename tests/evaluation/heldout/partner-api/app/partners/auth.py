"""Who asks: the partner whom the identity provider gave the token."""

import logging

import jwt
from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, SimpleUser

log = logging.getLogger("auth")


class BearerTokens(AuthenticationBackend):
    def __init__(self, tokens) -> None:
        self._tokens = tokens

    async def authenticate(self, conn):
        scheme, _, token = conn.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            claims = jwt.decode(
                token,
                self._tokens["key"],
                algorithms=self._tokens["algorithms"],
                audience=self._tokens["audience"],
                issuer=self._tokens["issuer"],
                leeway=self._tokens["leeway"],
            )
        except jwt.PyJWTError as problem:
            log.warning("refused a token: %s", problem)
            raise AuthenticationError("token") from None
        return AuthCredentials(claims["scope"].split()), SimpleUser(claims["sub"])
