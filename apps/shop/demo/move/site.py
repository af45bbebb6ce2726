"""The deployed gateway in front of the old site, and the tables and functions behind its new side."""

from collections.abc import Iterator, Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from legacy.stocklist import products, profiles

from demo.deployed import Clients

_WRITE, _READ = TypeSerializer(), TypeDeserializer()
_BATCH = 25


class Site:
    def __init__(self, clients: Clients, outputs: Mapping[str, str], url: str) -> None:
        """`outputs` are the stack's; `url` is where it answers, without a slash at the end."""
        self.url, self.control = url, outputs["RouteControl"]
        self.catalogue_function = outputs["CatalogueFunction"]
        self._tables = {name: outputs[f"{name}Table"] for name in ("Profiles", "Catalogue", "BasketLines")}
        self._secret = outputs["SessionKeySecret"]
        self._dynamodb, self._secrets = clients.client("dynamodb"), clients.client("secretsmanager")

    def open(self, session_key: str) -> None:
        """Give the new functions what the old site has: its data, and the key that its sessions are signed with."""
        self._secrets.put_secret_value(SecretId=self._secret, SecretString=session_key)
        self._write("Profiles", [*profiles()])
        self._write("Catalogue", [{"catalogue": "all", "products": [*products()]}])

    def basket_lines(self) -> list[dict[str, Any]]:
        """All that the new side has put in baskets."""
        return [*self._rows("BasketLines")]

    def _write(self, table: str, rows: list[Any]) -> None:
        puts = [{"PutRequest": {"Item": {name: _WRITE.serialize(row[name]) for name in row}}} for row in rows]
        while puts:
            answer = self._dynamodb.batch_write_item(RequestItems={self._tables[table]: puts[:_BATCH]})
            puts = puts[_BATCH:] + answer["UnprocessedItems"].get(self._tables[table], [])

    def _rows(self, table: str) -> Iterator[dict[str, Any]]:
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._tables[table], ConsistentRead=True)
        for page in pages:
            for item in page["Items"]:
                yield {name: _READ.deserialize(value) for name, value in item.items()}
