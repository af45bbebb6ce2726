"""The role with which API Gateway writes access logs: once for an account and region. `make api-account` deploys it."""

from aws_cdk import App, Stack

from serverless_patterns import ApiAccount


def define(app: App) -> Stack:
    """One stack of its own, so that no application takes the role along when it goes."""
    stack = Stack(app, "ApiAccount", description="Lets API Gateway write logs: one for the account and region")
    ApiAccount(stack, "Account")
    return stack


if __name__ == "__main__":
    app = App()
    define(app)
    app.synth()
