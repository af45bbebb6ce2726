"""Runs the emulator with what it lacks so that our promises can be tested on it: docs/decisions 0011, 0014, 0029, 0035,
0045, 0055.

Runs in the emulator's environment, where only the lock's packages are. The hooks are private, hence the pin: a start
that misses one fails with one line.
"""

import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

# Run as a folder, not as a part of our package, which is not installed where this runs.
backend_messages: Any = import_module("backend_messages")
backends: Any = import_module("backends")
choices: Any = import_module("choices")
documents: Any = import_module("documents")
executions: Any = import_module("executions")
function_errors: Any = import_module("function_errors")
function_logs: Any = import_module("function_logs")
histories: Any = import_module("histories")
iam: Any = import_module("iam")
integrations: Any = import_module("integrations")
mapping_templates: Any = import_module("mapping_templates")
rest_apis: Any = import_module("rest_apis")
secret_arns: Any = import_module("secret_arns")
task_roles: Any = import_module("task_roles")
task_tokens: Any = import_module("task_tokens")
topics: Any = import_module("topics")

HOOKED = (
    backends,
    choices,
    documents,
    executions,
    function_errors,
    function_logs,
    histories,
    iam,
    integrations,
    mapping_templates,
    rest_apis,
    task_roles,
    task_tokens,
    topics,
)

EMULATOR = "1.5.33"
CLOUDFORMATION = "ministack.services.cloudformation.provisioners"


def main() -> None:
    """Check the pin and the hooks, then serve."""
    found = version("ministack")
    if found != EMULATOR:
        sys.exit(f"the emulator must be ministack {EMULATOR}, found {found}")
    for hooked in HOOKED:
        for module, names in hooked.HOOKS.items():
            for name in names:
                if not hasattr(import_module(module), name):
                    sys.exit(f"ministack {EMULATOR} has no hook {module}.{name}")
    resource_types = import_module(CLOUDFORMATION)._RESOURCE_HANDLERS
    for type_name, operations in (rest_apis.HANDLED | secret_arns.HANDLED | topics.HANDLED).items():
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
    topics.keep_fifo(import_module("ministack.services.sns"), import_module(CLOUDFORMATION))
    rest_apis.find_throttles_of_methods(gateway)
    integrations.render_as_aws(gateway, mapping_templates)
    integrations.name_requests(gateway)
    backends.keep_headers(server)
    backends.give_functions_every_header(gateway, import_module("ministack.core.sigv4").decode_header_value)
    backends.ask_as_aws(gateway, backend_messages, integrations.CALL)
    evaluator, scope = (import_module(f"ministack.core.{name}") for name in ("iam_evaluator", "responses"))
    may = iam.what_roles_may(evaluator, scope) if server.AUTH else None
    if may:
        integrations.authorize_roles(queues, may)
    runtime, functions = import_module("ministack.core.lambda_runtime"), import_module("ministack.services.lambda_svc")
    function_errors.name_errors(runtime, functions)
    function_logs.keep_lines_together(runtime)
    _change_state_machines(import_module("ministack.services.stepfunctions"), may)


def _change_state_machines(states: Any, may: Any) -> None:
    executions.stop_what_has_ended(states)
    executions.retry_as_told(states)
    executions.start_once(states)
    documents.limit_data(states)
    documents.miss_what_is_missing(states)
    documents.keep_letters(states)
    choices.decide_as_told(states, documents.leads_somewhere)
    histories.tell_as_aws(states)
    histories.tell_of_branches(states)  # of a failed branch too: outside of what stops the others
    task_tokens.wait_as_told(states)
    task_tokens.answer_once(states)
    task_tokens.authorize_answers(states, import_module("ministack.core.iam_actions"))
    if may:
        task_roles.authorize_tasks(states, may)


if __name__ == "__main__":
    main()
