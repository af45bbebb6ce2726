"""A new version of one function that should never have been deployed, and is."""

import io
import zipfile
from typing import Any
from urllib.request import urlopen

MODULE = "catalogue.py"
BUG = '''

_search = search


def search(request: Request, invocation: Invocation) -> Response:
    """As before, and with what is on sale. If only somebody had tried it."""
    found = _search(request, invocation)
    sale = [product for product in found.body["products"] if product["discount"]]
    return Response(200, {**found.body, "sale": sale})
'''


def deploy(lambda_: Any, function: str) -> None:
    """Put the bug into the function's deployed code: its other files stay as they are."""
    there = lambda_.get_function(FunctionName=function)["Code"]["Location"]
    with urlopen(there) as answer:
        lambda_.update_function_code(FunctionName=function, ZipFile=with_bug(answer.read()))


def with_bug(code: bytes) -> bytes:
    """A zip file with the module's last function behind one that fails."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(code)) as before, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as after:
        for entry in before.infolist():
            content = before.read(entry)
            after.writestr(entry, content + BUG.encode() if entry.filename == MODULE else content)
    return changed.getvalue()
