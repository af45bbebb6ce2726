"""What can go wrong outside a test's own code, each with one clear line."""

__all__ = ["CloudError", "DeployError", "EnvironmentNotReady", "FaultNotFired", "NotHere", "SynthWarning"]


class CloudError(Exception):
    """The cloud of a test does not start, answer or deploy."""


class EnvironmentNotReady(CloudError):
    """Something that the embedded cloud needs is not installed and cannot be installed now."""


class DeployError(CloudError):
    """`cdk` failed; the message ends with all of its output."""

    def __init__(self, summary: str, output: str) -> None:
        super().__init__(f"{summary}\n{output}")
        self.output = output


class NotHere(CloudError):
    """Only the embedded cloud can do this, and the tests run somewhere else; the pytest plugin makes a skip of it."""


class FaultNotFired(AssertionError):
    """An injected fault met no call, so the test that injected it proves nothing."""


class SynthWarning(UserWarning):
    """A construct of ours warns of something at synth, in an app that is deployed all the same."""
