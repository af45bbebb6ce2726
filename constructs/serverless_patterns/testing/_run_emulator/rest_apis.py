"""REST APIs as CloudFormation declares them: what the emulator's own gateway can do and its CloudFormation drops."""

from typing import Any

HOOKS = {
    "ministack.services.apigateway_v1": (
        "_create_request_validator",
        "_update_request_validator",
        "_delete_request_validator",
        "_update_method",
        "_method_throttle_settings",
    ),
    "ministack.services.cloudformation.provisioners": ("_apigw_method_create", "_delete_predecessor"),
}
HANDLED = {
    "AWS::ApiGateway::Method": ("create", "update"),
    "AWS::ApiGateway::RequestValidator": ("create", "update", "delete"),
}
"""In the table of CloudFormation's resource types."""

FLAGS = {"ValidateRequestBody": "validateRequestBody", "ValidateRequestParameters": "validateRequestParameters"}


def keep_validators(gateway: Any, cloudformation: Any) -> None:
    """Let validators exist, and methods have them: then the gateway's own validation runs."""

    def create(_logical_id: str, props: dict[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
        gateway._create_request_validator(props["RestApiId"], {"name": props.get("Name", "")})
        (*_, made) = gateway._request_validators[props["RestApiId"]].values()
        _flag(made["id"], props)
        return made["id"], {"RequestValidatorId": made["id"]}

    def update(made: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
        if any(old.get(name) != new.get(name) for name in ("RestApiId", "Name")):  # replaces it, as on AWS
            replacement = create(made, new, stack)
            cloudformation._delete_predecessor(delete, made, old)
            return replacement
        _flag(made, new)
        return made, {"RequestValidatorId": made}

    def delete(made: str, props: dict[str, Any]) -> None:
        gateway._delete_request_validator(props["RestApiId"], made)

    def _flag(made: str, props: dict[str, Any]) -> None:
        changes = [
            {"op": "replace", "path": f"/{name}", "value": props.get(prop, False)} for prop, name in FLAGS.items()
        ]
        gateway._update_request_validator(props["RestApiId"], made, {"patchOperations": changes})

    cloudformation._RESOURCE_HANDLERS["AWS::ApiGateway::RequestValidator"].update(
        create=create, update=update, delete=delete
    )
    _keep_validator_of_methods(gateway, cloudformation)


def _keep_validator_of_methods(gateway: Any, cloudformation: Any) -> None:
    as_shipped = cloudformation._apigw_method_create

    def create(logical_id: str, props: dict[str, Any], stack: str) -> Any:
        made = as_shipped(logical_id, props, stack)
        change = {"op": "replace", "path": "/requestValidatorId", "value": props.get("RequestValidatorId")}
        method = props["RestApiId"], props["ResourceId"], props["HttpMethod"]
        gateway._update_method(*method, {"patchOperations": [change]})
        return made

    cloudformation._apigw_method_create = create  # an update calls it, by this name
    cloudformation._RESOURCE_HANDLERS["AWS::ApiGateway::Method"]["create"] = create


def find_throttles_of_methods(gateway: Any) -> None:
    """Find the throttle of one method: CloudFormation writes its path as `/~1orders~1{order_id}`."""
    as_shipped = gateway._method_throttle_settings

    def settings(stage: dict[str, Any], resource_path: str, http_method: str) -> Any:
        by_method: dict[str, Any] = stage.get("methodSettings") or {}
        own = by_method.get(f"/{resource_path.replace('/', '~1')}/{http_method}")
        return own or as_shipped(stage, resource_path, http_method)

    gateway._method_throttle_settings = settings
