"""The deployed gateway in front of the old site, and the tables and functions behind its new side."""

from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import TypeSerializer
from legacy.stocklist import products, profiles
from showing.deployed import Clients, Deployed

_WRITE = TypeSerializer()
_BATCH = 25


class Site(Deployed):
    def __init__(self, clients: Clients, outputs: Mapping[str, str], url: str) -> None:
        """`outputs` are the stack's; `url` is where it answers, without a slash at the end."""
        super().__init__(clients)
        self.url, self.control = url, outputs["RouteControl"]
        self.catalogue_function = outputs["CatalogueFunction"]
        self._tables = {name: outputs[f"{name}Table"] for name in ("Profiles", "Catalogue", "BasketLines")}
        self._secret = outputs["SessionKeySecret"]
        self._client, self._secrets = clients.client("dynamodb"), clients.client("secretsmanager")

    def open(self, session_key: str) -> None:
        """Give the new functions what the old site has: its data, and the key that its sessions are signed with."""
        self._secrets.put_secret_value(SecretId=self._secret, SecretString=session_key)
        self._write("Profiles", [*profiles()])
        self._write("Catalogue", [{"catalogue": "all", "products": [*products()]}])

    def basket_lines(self) -> list[dict[str, Any]]:
        """All that the new side has put in baskets."""
        return [*self.rows(self._tables["BasketLines"])]

    def _write(self, table: str, rows: list[Any]) -> None:
        puts = [{"PutRequest": {"Item": {name: _WRITE.serialize(row[name]) for name in row}}} for row in rows]
        while puts:
            answer = self._client.batch_write_item(RequestItems={self._tables[table]: puts[:_BATCH]})
            puts = puts[_BATCH:] + answer["UnprocessedItems"].get(self._tables[table], [])
