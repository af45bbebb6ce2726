"""Who has to approve what: a large checkout is told to the managers, and they decide."""

import json
import os
from urllib.request import Request, urlopen

from serverless_patterns_runtime import ApprovalRequest

PATIENCE_SECONDS = 5.0


def ask_manager(request: ApprovalRequest) -> None:
    """Tell their chat, by its webhook: whoever reads the id there, and has a manager's token, decides."""
    question = {
        "approval_id": request.id,
        "checkout_id": request.input["checkout_id"],
        "customer": request.input["customer"],
        "amount": request.results["ReserveStock"]["amount"],
        "expires_at": request.expires_at,
        "reminder": request.reminder,
    }
    body, headers = json.dumps(question).encode(), {"Content-Type": "application/json"}
    with urlopen(Request(os.environ["MANAGERS_CHAT"], body, headers), timeout=PATIENCE_SECONDS):
        pass
