"""What the gateway does between a request and SQS, in its template language: Velocity 1, as AWS has it.

Everything is on one line: what stands outside directives is sent. A value never becomes part of the template; on its
way into the form it is URL-encoded, on its way into JSON it is JSON already, or made of harmless characters.
What the response has to know waits in `$context.requestOverride.path`, which both templates see and no URL uses. No
override is ever set twice: the gateway would answer 500.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from serverless_patterns_runtime.api_proxy.contract import (
    CHALLENGE_HEADER,
    CORRELATION_ID_HEADER,
    IDEMPOTENCY_KEY_HEADER,
    MAX_KEY_CHARACTERS,
)
from serverless_patterns_runtime.load_leveled_queue.contract import (
    CORRELATION_ID_ATTRIBUTE,
    IDEMPOTENCY_KEY_ATTRIBUTE,
)

if TYPE_CHECKING:
    from serverless_patterns_runtime.api_proxy.contract import KeyMode

    from .._targets import RouteFacts

_KEPT = "$context.requestOverride.path"
_ANSWER = "$context.responseOverride"
_MESSAGE_ID = "$.SendMessageResponse.SendMessageResult.MessageId"
_RETRY_SECONDS = 1
_CONTENT_TYPE = "Content-Type"
# What a function takes for JSON in UTF-8; no backslash, which accounts of Velocity read in more than one way.
_JSON = '(?i) *application/json *(;(?! *charset *=)[^;]*|; *charset *= *"?utf-?8"? *)*'
_FIT = "no"  # what is refused about a request that is not
_NO_KEY = "|"  # nothing that is URL-encoded holds it

# Why nothing was sent, or why SQS refused: what the caller reads.
_REFUSALS = {
    "caller": (401, "Unauthorized", "nobody says who is calling"),
    "type": (
        415,
        "Unsupported Media Type",
        "the body has to be JSON in UTF-8: send Content-Type: application/json",
    ),
    "key": (400, "Bad Request", f"{IDEMPOTENCY_KEY_HEADER} must be 1 to {MAX_KEY_CHARACTERS} visible ASCII characters"),
    "group": (400, "Bad Request", "the field that orders messages must be 1 to 128 visible ASCII characters"),
}
_SQS_REFUSALS = {
    "must be shorter than": (413, "Content Too Large", "the message is larger than its queue takes"),
    "InvalidMessageContents": (400, "Bad Request", "the body holds a character that its queue does not take"),
}


def request_template(facts: RouteFacts, mode: KeyMode, *, fifo: bool) -> str:
    """From the request to SendMessage's form; to a call that SQS refuses where the request is not fit to be sent."""
    parts = [
        *_headers(keyed=mode != "off"),
        f'#set($refused = "{_FIT}"){_type()}{_caller(facts)}{_key(mode)}{_group(facts) if fifo else ""}',
        *(_field(position, path) for position, path in enumerate(_paths(facts))),
        f"#set({_KEPT}.refused = $refused)#set({_KEPT}.correlation = $correlation)",
        _id() if mode != "off" else "",
        f'Action=#if($refused == "{_FIT}")SendMessage&Version=2012-11-05&MessageBody=$util.urlEncode($input.body)',
        _attribute(1, CORRELATION_ID_ATTRIBUTE, "$util.urlEncode($correlation)"),
        _key_attribute(facts) if mode != "off" else "",
        "&MessageGroupId=$util.urlEncode($group)&MessageDeduplicationId=$util.urlEncode($context.requestId)"
        if fifo
        else "",
        "#end",
    ]
    return "".join(parts)


def accepted_template(facts: RouteFacts, mode: KeyMode) -> str:
    """The body of 202."""
    if facts.respond is not None:
        names = [json.dumps(name) for name in sorted(facts.respond)]
        fields = [f"{name}:{_KEPT}.field{position}" for position, name in enumerate(names)]
        return f"{_correlation()}{{{','.join(fields)}}}"
    by_message = f"#set($id = $input.path('{_MESSAGE_ID}'))"
    if mode == "off":
        return f'{_correlation()}{by_message}{{"id":"$id"}}'
    return f'{_correlation()}#set($id = {_KEPT}.id)#if($id == "{_NO_KEY}"){by_message}#end{{"id":"$id"}}'


def refused_template(facts: RouteFacts) -> str:
    """The body of everything that is not a 202: a problem, and its own status where the request is to blame."""
    causes = [(f'{_KEPT}.refused == "{word}"', *told) for word, told in _REFUSALS.items()]
    causes += [(f'$input.body.contains("{words}")', *told) for words, told in _SQS_REFUSALS.items()]
    choices = "".join(
        f'#if({cause})#set($status = {status})#set($title = "{title}")#set($detail = "{detail}")#end'
        for cause, status, title, detail in causes
    )
    return (
        '#set($status = 503)#set($title = "Service Unavailable")#set($detail = "the queue did not take the message")'
        f"{choices}{_correlation()}#set({_ANSWER}.status = $status)"
        f'#if($status == 503)#set({_ANSWER}.header.Retry-After = "{_RETRY_SECONDS}")#end'
        f"{_challenge(facts)}"
        '{"type":"about:blank","title":"$title","status":$status,"detail":"$detail",'
        f'"correlation_id":"{_KEPT}.correlation"}}'
    )


def _challenge(facts: RouteFacts) -> str:
    if facts.challenge is None:
        return ""
    # Between apostrophes nothing is a reference, and a challenge has none.
    return f"#if($status == 401)#set({_ANSWER}.header.{CHALLENGE_HEADER} = '{facts.challenge}')#end"


def _headers(*, keyed: bool) -> Sequence[str]:
    """By a name in any case, and from headers alone: `$input.params(name)` would prefer the query string."""
    wanted = {
        "correlation": CORRELATION_ID_HEADER,
        "type": _CONTENT_TYPE,
        **({"key": IDEMPOTENCY_KEY_HEADER} if keyed else {}),
    }
    choices = [
        f"#if($name.matches('(?i){header}'))#set(${variable} = $input.params().header.get($name))#end"
        for variable, header in wanted.items()
    ]
    return [
        *(f'#set(${variable} = "")' for variable in wanted),
        f"#foreach($name in $input.params().header.keySet()){''.join(choices)}#end",
        "#if(!$correlation.matches('[A-Za-z0-9._-]{1,64}'))#set($correlation = $context.requestId)#end",
    ]


def _type() -> str:
    """The gateway takes a body of no type for JSON, and looks at no charset."""
    return f"#if(!$type.matches('{_JSON}'))#set($refused = \"type\")#end"


def _caller(facts: RouteFacts) -> str:
    if facts.evidence == "none":
        return f'#set($caller = "{facts.caller}")'
    # In two steps: Velocity 1 skips an assignment of null.
    found = f'#set($caller = "")#set($caller = {facts.caller})'
    refused = '#if(!$caller || $caller == "")#set($refused = "caller")#end'
    # Users of an identity pool have one ARN in common.
    of_pool = '#set($caller = "${caller}$!context.identity.cognitoIdentityId")' if facts.evidence == "iam" else ""
    return found + refused + of_pool


def _key(mode: KeyMode) -> str:
    if mode == "off":
        return ""
    given = '$key != "" && ' if mode == "optional" else ""
    broken = f"#if({given}!$key.matches('[!-~]{{1,{MAX_KEY_CHARACTERS}}}'))"
    return f'{broken}#set($refused = "key")#end'


def _group(facts: RouteFacts) -> str:
    """A string or a whole number; anything else has many spellings, and each would be a group of its own."""
    path = facts.message_group
    return (
        f'#set($group = "")#set($group = $input.path(\'{path}\'))#set($group = "$!group")'
        f"#if(!$group.matches('[!-~]{{1,128}}') || !$input.json('{path}').matches('(?s)\".*\"|-?[0-9]{{1,19}}'))"
        '#set($refused = "group")#end'
    )


def _paths(facts: RouteFacts) -> Sequence[str]:
    respond = facts.respond or {}
    return [respond[name] for name in sorted(respond)]


def _field(position: int, path: str) -> str:
    """As JSON; `null` where the body has none: what `$input.json` says then differs between accounts of it."""
    steps = "".join(f".get('{step}')" for step in path.removeprefix("$.").split("."))
    there = f"$input.path('$'){steps}"
    return (
        f"#set($field = \"null\")#if({there} || {there} == false)#set($field = $input.json('{path}'))#end"
        f"#set({_KEPT}.field{position} = $field)"
    )


def _id() -> str:
    encoded = '#if($key != "")#set($id = $util.urlEncode($key))#end'
    return f'#set($id = "{_NO_KEY}"){encoded}#set({_KEPT}.id = $id)'


def _attribute(number: int, name: str, value: str) -> str:
    prefix = f"&MessageAttribute.{number}"
    return f"{prefix}.Name={name}{prefix}.Value.DataType=String{prefix}.Value.StringValue={value}"


def _key_attribute(facts: RouteFacts) -> str:
    """`POST /orders|<caller>|<key>`: the caller is encoded, so that no `|` of a caller can pass for one of ours."""
    scope = f'#set($caller = $util.urlEncode($caller))#set($scope = "{facts.method} {facts.path}|${{caller}}|${{key}}")'
    value = _attribute(2, IDEMPOTENCY_KEY_ATTRIBUTE, "$util.urlEncode($scope)")
    return f'#if($key != ""){scope}{value}#end'


def _correlation() -> str:
    return f"#set({_ANSWER}.header.{CORRELATION_ID_HEADER} = {_KEPT}.correlation)"
