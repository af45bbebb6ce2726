"""What one writes by hand in ten minutes: every request goes to one place. No checks, no limits, no second side."""

import base64
import http.client
import os
from typing import Any
from urllib.parse import urlencode, urlsplit

connection = http.client.HTTPConnection(urlsplit(os.environ["LEGACY_URL"]).netloc, timeout=25)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    query = urlencode(event["multiValueQueryStringParameters"] or {}, doseq=True)
    connection.putrequest(event["httpMethod"], f"{event['path']}?{query}", skip_accept_encoding=True, skip_host=True)
    for name, values in event["multiValueHeaders"].items():
        for value in values:
            connection.putheader(name, value)
    body = event["body"]
    connection.endheaders(base64.b64decode(body) if body and event["isBase64Encoded"] else body)
    answer = connection.getresponse()
    headers: dict[str, list[str]] = {}
    for name, value in answer.getheaders():
        headers.setdefault(name, []).append(value)
    data = base64.b64encode(answer.read()).decode()
    return {"statusCode": answer.status, "multiValueHeaders": headers, "body": data, "isBase64Encoded": True}
