"""Topics of a stack keep what makes them FIFO; the emulator drops it, so that nothing is ordered or deduplicated."""

from typing import Any

HOOKS = {
    "ministack.services.sns": ("_is_fifo_topic", "_prune_sns_dedup", "_resolve_dedup_id", "_topics"),
}

HANDLED = {"AWS::SNS::Topic": ("create", "update")}
"""In the table of CloudFormation's resource types."""


def keep_fifo(service: Any, cloudformation: Any) -> None:
    """Set on the topic what the emulator's own API sets when it makes one."""
    handlers = cloudformation._RESOURCE_HANDLERS["AWS::SNS::Topic"]
    as_shipped = dict(handlers)

    def create(logical_id: str, properties: dict[str, Any], *arguments: Any, **named: Any) -> tuple[str, Any]:
        arn, attributes = as_shipped["create"](logical_id, properties, *arguments, **named)
        _set(service._topics[arn], properties)
        return arn, attributes

    def update(made: str, old: Any, properties: dict[str, Any], *arguments: Any, **named: Any) -> tuple[str, Any]:
        arn, attributes = as_shipped["update"](made, old, properties, *arguments, **named)
        _set(service._topics[arn], properties)
        return arn, attributes

    handlers.update(create=create, update=update)


def _set(topic: dict[str, Any], properties: dict[str, Any]) -> None:
    if not _is_true(properties.get("FifoTopic")):
        return
    by_content = "true" if _is_true(properties.get("ContentBasedDeduplication")) else "false"
    topic["attributes"].update(FifoTopic="true", ContentBasedDeduplication=by_content)
    topic.setdefault("dedup_cache", {})
    topic.setdefault("fifo_seq", 0)


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"
