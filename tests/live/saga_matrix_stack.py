"""One stack with a saga of six steps, each kind of effect at its beginning, in its midst and in its branches."""

from pathlib import Path

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb

from serverless_patterns import Defaults, Handler, Retry, SagaParallel, SagaStateMachine, SagaStep
from tests.live.saga_matrix import TREE
from tests.simulation.saga_definition import NAMESPACE, Plan
from tests.simulation.saga_trees import Beside, Tree

HANDLERS = Path(__file__).parent / "handlers"
TIMEOUT = Duration.seconds(15)
AT_ONCE = Retry(2, longest_delay=Duration.seconds(1), base_delay=Duration.seconds(1))


class MatrixStack(Stack):
    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        text = dynamodb.AttributeType.STRING
        self.ledger = dynamodb.TableV2(
            self,
            "Ledger",
            partition_key=dynamodb.Attribute(name="execution", type=text),
            sort_key=dynamodb.Attribute(name="entry", type=text),
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.claims = dynamodb.TableV2(
            self,
            "Claims",
            partition_key=dynamodb.Attribute(name="claim", type=text),
            removal_policy=RemovalPolicy.DESTROY,
        )
        # One function serves all steps of its kind: fewer processes to start.
        self._act, self._undo, self._send, self._recall = map(self._handler, ("act", "undo", "send", "recall"))
        self.saga = SagaStateMachine(
            self, "Saga", steps=self._steps(TREE), claims=self.claims, claims_namespace=NAMESPACE
        )

    def _handler(self, function: str) -> Handler:
        tables = {"LEDGER": self.ledger, "CLAIMS": self.claims}
        return Handler(HANDLERS, f"saga_faults:{function}", tables=tables, timeout=TIMEOUT)

    def _steps(self, tree: Tree, *, backward: bool = True) -> list[SagaStep | SagaParallel]:
        made: list[SagaStep | SagaParallel] = []
        for node in tree:
            if isinstance(node, Plan):
                made.append(self._step(node, backward=backward))
                backward = backward and not node.pivot
            elif isinstance(node, Beside):
                made.append(SagaParallel([self._steps(branch) for branch in node.branches], name=node.name))
        return made

    def _step(self, plan: Plan, *, backward: bool) -> SagaStep:
        action, compensation = (self._act, self._undo) if plan.effects else (self._send, self._recall)
        undone = {"compensation": compensation, "compensation_retry": AT_ONCE} if backward else {}
        return SagaStep(plan.name, action, retry=AT_ONCE, pivot=plan.pivot, **undone)
