"""Who we are to the database: a user with a password from Secrets Manager, or with a token that IAM vouches for."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest

__all__ = ["Credentials", "SecretCredentials", "TokenCredentials", "User"]

TOKEN_SECONDS = 900


class User(NamedTuple):
    name: str
    password: str

    def __repr__(self) -> str:
        return f"User({self.name!r})"


class Credentials(Protocol):
    def user(self) -> User: ...

    def forget(self) -> None:
        """They were refused: the next ones are asked for anew."""
        ...


class SecretCredentials:
    """`{"username": ..., "password": ...}`, as RDS makes secrets. Read once, and again after a rotation."""

    def __init__(self, client: Callable[[], Any], secret: str) -> None:
        self._client, self._secret = client, secret
        self._user: User | None = None

    def user(self) -> User:
        if self._user is None:
            found = json.loads(self._client().get_secret_value(SecretId=self._secret)["SecretString"])
            self._user = User(found["username"], found["password"])
        return self._user

    def forget(self) -> None:
        self._user = None


class TokenCredentials(NamedTuple):
    """A token is signed here, without a request, for each connection: it opens one for a quarter of an hour."""

    signer: Callable[[], tuple[Any, str]]
    """Credentials of AWS, and the region."""
    host: str
    port: int
    name: str

    def user(self) -> User:
        credentials, region = self.signer()
        request = AWSRequest(
            "GET", f"https://{self.host}:{self.port}/", params={"Action": "connect", "DBUser": self.name}
        )
        SigV4QueryAuth(credentials, "rds-db", region, expires=TOKEN_SECONDS).add_auth(request)
        return User(self.name, str(request.url).removeprefix("https://"))

    def forget(self) -> None: ...
