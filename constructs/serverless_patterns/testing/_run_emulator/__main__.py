"""Runs the emulator with what it lacks so that our promises can be tested on it: see docs/decisions 0011 and 0014.

Runs in the emulator's environment, where only the lock's packages are. The hooks are private, hence the pin: a start
that misses one fails with one line.
"""

import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

# Run as a folder, not as a part of our package, which is not installed where this runs.
iam: Any = import_module("iam")
integrations: Any = import_module("integrations")
mapping_templates: Any = import_module("mapping_templates")
rest_apis: Any = import_module("rest_apis")
secret_arns: Any = import_module("secret_arns")

EMULATOR = "1.5.33"
CLOUDFORMATION = "ministack.services.cloudformation.provisioners"


def main() -> None:
    """Check the pin and the hooks, then serve."""
    found = version("ministack")
    if found != EMULATOR:
        sys.exit(f"the emulator must be ministack {EMULATOR}, found {found}")
    for hooks in (iam.HOOKS, rest_apis.HOOKS, integrations.HOOKS, mapping_templates.HOOKS):
        for module, names in hooks.items():
            for name in names:
                if not hasattr(import_module(module), name):
                    sys.exit(f"ministack {EMULATOR} has no hook {module}.{name}")
    resource_types = import_module(CLOUDFORMATION)._RESOURCE_HANDLERS
    for type_name, operations in (rest_apis.HANDLED | secret_arns.HANDLED).items():
        if not set(operations) <= set(resource_types.get(type_name, {})):
            sys.exit(f"ministack {EMULATOR} does not {' and '.join(operations)} {type_name} as expected")
    _change()
    import_module("ministack.app").main()


def _change() -> None:
    actions, server = import_module("ministack.core.iam_actions"), import_module("ministack.app")
    iam.authorize_partiql(actions)
    iam.authorize_batches(actions)
    iam.count_loopback_as_encrypted(server)
    gateway, queues = (import_module(f"ministack.services.{name}") for name in ("apigateway_v1", "sqs"))
    rest_apis.keep_validators(gateway, import_module(CLOUDFORMATION))
    secret_arns.refer_by_arn(import_module("ministack.services.secretsmanager"), import_module(CLOUDFORMATION))
    rest_apis.find_throttles_of_methods(gateway)
    integrations.render_as_aws(gateway, mapping_templates)
    integrations.name_requests(gateway)
    evaluator, scope = (import_module(f"ministack.core.{name}") for name in ("iam_evaluator", "responses"))
    integrations.authorize_roles(queues, evaluator, scope, enforced=server.AUTH)


if __name__ == "__main__":
    main()
