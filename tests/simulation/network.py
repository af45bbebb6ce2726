"""Between the shipped code's clients and the services: time, faults, and the SDK's own retries."""

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from . import aws_errors
from .aws_errors import ServiceError
from .dynamodb_model import DynamoDB
from .faults import Call, Faults
from .virtual_time import Killed, Schedule

if TYPE_CHECKING:
    from .lambda_model import Sandbox

READ_TIMEOUT_SECONDS = 5.0
CONNECT_TIMEOUT_SECONDS = 1.0
IMPATIENCE_SECONDS = 0.2
"""Both time-outs of a client that tries once."""

LATEST_SECONDS = 20.0

THROTTLES = {
    "dynamodb": ("ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"),
    "sqs": ("RequestThrottled", "ThrottlingException"),
    "s3": ("SlowDown",),
    "stepfunctions": ("ThrottlingException",),
    "rds-data": ("ServiceUnavailableError", "ThrottlingException"),
}
STATEMENT_ERRORS = ("ThrottlingError", "ProvisionedThroughputExceeded", "InternalServerError", "TransactionConflict")


class Network:
    def __init__(
        self,
        schedule: Schedule,
        services: Mapping[str, Any],
        faults: Faults,
        chance: random.Random,
        trace: Callable[..., None],
    ) -> None:
        self._schedule = schedule
        self._services = services
        self.faults = faults
        self._chance = chance
        self._trace = trace
        self.calls: list[tuple[str, str]] = []
        """Sandbox and operation of every request, in order."""
        self.author: Sandbox | None = None
        """Whose request is being carried out right now."""

    def request(
        self, sandbox: "Sandbox", service: str, method: str, arguments: dict[str, Any], *, impatient: bool = False
    ) -> Any:
        """One call of a client's method, as the shipped code sees it. Raises botocore's exceptions, or Killed."""
        sandbox.check_alive()
        operation = aws_errors.operation_name(service, method)
        if wrong := aws_errors.wrong_parameters(service, operation, arguments):
            self._schedule.fail(AssertionError(f"{operation}: {wrong}"))
        token = aws_errors.takes_token(service, operation)
        if token is not None and token not in arguments:
            arguments = {**arguments, token: f"{self._chance.getrandbits(64):x}"}
        self.calls.append((sandbox.name, operation))
        fault = self.faults.choose(Call(service, operation, arguments))
        self._trace(sandbox.name, operation, fault or "")
        try:
            made = _Request(self, self._schedule, self._chance, sandbox, service, method, arguments)
            return made.meet_impatiently(fault) if impatient else made.meet(fault)
        except ServiceError as error:
            raise aws_errors.client_error(service, operation, error) from None

    def carry_out(self, sandbox: "Sandbox", service: str, method: str, arguments: Mapping[str, Any]) -> Any:
        """At the service. Raises ServiceError."""
        self.author = sandbox
        try:
            return getattr(self._services[service], method)(**arguments)
        finally:
            self.author = None


class _Request:
    def __init__(
        self,
        network: Network,
        schedule: Schedule,
        chance: random.Random,
        sandbox: "Sandbox",
        service: str,
        method: str,
        arguments: dict[str, Any],
    ) -> None:
        self._network = network
        self._schedule = schedule
        self._chance = chance
        self._sandbox = sandbox
        self._service = service
        self._method = method
        self._arguments = arguments

    def meet_impatiently(self, fault: str | None) -> Any:
        """By a client that waits for a moment, and does not try again."""
        match fault:
            case "carried out late" | "slow":
                self._later(IMPATIENCE_SECONDS + self._chance.uniform(0, LATEST_SECONDS))
                self._schedule.wait(IMPATIENCE_SECONDS)
                raise ReadTimeoutError(endpoint_url=f"https://{self._service}.invalid")
            case "unreachable":
                self._schedule.wait(IMPATIENCE_SECONDS)
                raise ConnectTimeoutError(endpoint_url=f"https://{self._service}.invalid")
            case "answer lost" | "answer lost, repeated":
                self._ignoring_errors()
                raise aws_errors.connection_lost(self._service)
            case _:
                return self.meet(fault)

    def meet(self, fault: str | None) -> Any:
        match fault:
            case None:
                return self._round_trip()
            case "crash before":
                self._sandbox.crash()
            case "crash in flight":
                self._later(self._chance.uniform(0, LATEST_SECONDS))
                self._sandbox.crash()
            case "crash after":
                self._ignoring_errors()
                self._sandbox.crash()
            case "answer lost":
                for _ in range(self._chance.choice((1, 1, 3))):
                    self._ignoring_errors()
                raise aws_errors.connection_lost(self._service)
            case "answer lost, repeated":
                self._ignoring_errors()
                return self._round_trip()
            case "carried out late":
                self._later(READ_TIMEOUT_SECONDS + self._chance.uniform(0, LATEST_SECONDS))
                self._schedule.wait(READ_TIMEOUT_SECONDS)
                raise ReadTimeoutError(endpoint_url=f"https://{self._service}.invalid")
            case "unreachable":
                self._schedule.wait(CONNECT_TIMEOUT_SECONDS * 3)
                raise ConnectTimeoutError(endpoint_url=f"https://{self._service}.invalid")
            case "throttled":
                self._schedule.wait(self._chance.uniform(0.05, 1))
                raise ServiceError(self._chance.choice(THROTTLES[self._service]), "Rate exceeded")
            case "server error":
                if self._chance.random() < 0.5:
                    self._ignoring_errors()
                else:
                    self._schedule.wait(0.1)
                raise ServiceError("InternalServerError", "Internal server error", 500)
            case "slow":
                self._schedule.wait(self._chance.uniform(0.5, READ_TIMEOUT_SECONDS))
                return self._round_trip()
            case "conflict":
                return self._conflict()
            case "in progress":
                self._ignoring_errors()
                raise ServiceError("TransactionInProgressException", "The transaction is in progress")
            case "in part":
                return self._in_part()
            case _:
                raise AssertionError(fault)
        raise AssertionError("a crash came back")

    def _latency(self) -> float:
        return self._chance.choice((0.0, 0.004, 0.02)) + self._chance.random() * 0.01

    def _round_trip(self) -> Any:
        """There, carried out at one moment, and back. It is carried out even if the caller dies on the way."""
        if self._method == "batch_execute_statement":
            return self._statement_by_statement()
        if self._method == "batch_get_item" and len(self._arguments["RequestItems"]) > 1:
            return self._table_by_table()
        outcome: list[Any] = []
        self._schedule.after(self._latency(), lambda: outcome.append(self._outcome()))
        while not outcome:
            self._schedule.wait(self._latency())
        if isinstance(outcome[0], ServiceError):
            raise outcome[0]
        return outcome[0]

    def _table_by_table(self) -> Any:
        """A batch of reads shows no single moment: others' requests come in between."""
        answers: list[Any] = []
        tables: Mapping[str, Any] = self._arguments["RequestItems"]
        for name in tables:
            request = {"RequestItems": {name: tables[name]}}

            def carry_out(request: Any = request) -> None:
                if answers and self._chance.random() < 0.1:
                    answers.append({"Responses": {}, "UnprocessedKeys": request["RequestItems"]})
                    return
                answers.append(self._network.carry_out(self._sandbox, "dynamodb", "batch_get_item", request))

            self._schedule.after(self._latency(), carry_out)
        while len(answers) < len(tables):
            self._schedule.wait(self._latency())
        return {
            part: {name: found for answer in answers for name, found in answer[part].items()}
            for part in ("Responses", "UnprocessedKeys")
        }

    def _statement_by_statement(self, errors: Mapping[int, str] | None = None) -> Any:
        """The statements of a batch are carried out one by one; others' requests come in between."""
        statements = self._arguments["Statements"]
        database = self._network._services["dynamodb"]
        assert isinstance(database, DynamoDB)
        database.check_batch(statements)
        answers: dict[int, Any] = {}
        for number, statement in enumerate(statements):
            code = (errors or {}).get(number)

            def carry_out(number: int = number, statement: Any = statement, code: str | None = code) -> None:
                answer: Any = {}
                if code is None or (code == "InternalServerError" and self._chance.random() < 0.5):
                    answer = self._network.carry_out(self._sandbox, "dynamodb", "execute_one", {"statement": statement})
                answers[number] = answer if code is None else {"Error": {"Code": code, "Message": "try again"}}

            self._schedule.after(self._latency(), carry_out)
        while len(answers) < len(statements):
            self._schedule.wait(self._latency())
        return {"Responses": [answers[number] for number in range(len(statements))]}

    def _outcome(self) -> Any:
        try:
            return self._network.carry_out(self._sandbox, self._service, self._method, self._arguments)
        except ServiceError as error:
            return error

    def _ignoring_errors(self) -> None:
        with suppress(ServiceError):
            self._round_trip()

    def _later(self, seconds: float) -> None:
        """Carried out some time from now, whatever becomes of the caller."""
        if self._method == "batch_execute_statement":
            for statement in self._arguments["Statements"]:
                self._schedule.after(
                    seconds,
                    lambda statement=statement: self._network.carry_out(
                        self._sandbox, "dynamodb", "execute_one", {"statement": statement}
                    ),
                )
        else:
            self._schedule.after(seconds, self._outcome)

    def _conflict(self) -> Any:
        if self._method == "update_item":
            self._schedule.wait(self._latency())
            raise ServiceError("TransactionConflictException", "Transaction is ongoing for the item")
        positions = range(len(self._arguments["TransactItems"]))
        self._arguments = {
            **self._arguments,
            "conflict": self._chance.sample(positions, self._chance.randint(1, len(positions))),
        }
        return self._round_trip()

    def _in_part(self) -> Any:
        """Some members of a batch fail on their own."""
        if self._method == "batch_execute_statement":
            members = range(len(self._arguments["Statements"]))
            failing = self._chance.sample(members, self._chance.randint(1, len(members)))
            return self._statement_by_statement({at: self._chance.choice(STATEMENT_ERRORS) for at in failing})
        entries = self._arguments["Entries"]
        failing = self._chance.sample(entries, self._chance.randint(1, len(entries)))
        kept = [entry for entry in entries if entry not in failing]
        answer = {"Successful": []}
        if kept:
            self._arguments = {**self._arguments, "Entries": kept}
            answer = self._round_trip()
        refusals = [{"Id": e["Id"], "Code": "InternalError", "Message": "", "SenderFault": False} for e in failing]
        return {**answer, "Failed": [*answer.get("Failed", []), *refusals]}


class Client:
    """What the shipped code holds for a botocore client."""

    def __init__(self, network: Network, sandbox: "Sandbox", service: str, *, impatient: bool = False) -> None:
        self._impatient = impatient
        self._network = network
        self._sandbox = sandbox
        self._service = service
        self.exceptions = aws_errors.exceptions(service)
        self.meta = SimpleNamespace(region_name="eu-central-1")

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            invocation = self._sandbox.invocation
            self._sandbox.check_in_time(invocation)
            try:
                return self._network.request(self._sandbox, self._service, method, arguments, impatient=self._impatient)
            finally:
                self._sandbox.check_in_time(invocation)

        return call


__all__ = ["Client", "Killed", "Network"]
