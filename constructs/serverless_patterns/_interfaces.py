"""What users pass: AWS CDK's interfaces, and the classes that type checkers do not see as such.

jsii gives some parameters another name in the class than in the interface, so a `kms.Key` is no `kms.IKey` to pyright.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_cdk import aws_apigateway as apigateway
    from aws_cdk import aws_certificatemanager as acm
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_route53 as route53
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_secretsmanager as secretsmanager

    from .authorizers import IamAuthorizer, LambdaAuthorizer
    from .jwt_authorizer import JwtAuthorizer

    AlarmAction = cloudwatch.IAlarmAction | cloudwatch_actions.SnsAction | cloudwatch_actions.LambdaAction
    ApiKey = apigateway.IApiKey | apigateway.ApiKey
    Authorizer = IamAuthorizer | LambdaAuthorizer | JwtAuthorizer | apigateway.IAuthorizer | apigateway.Authorizer
    Bucket = s3.IBucket | s3.BucketBase
    Certificate = acm.ICertificate | acm.Certificate
    Function = lambda_.IFunction | lambda_.FunctionBase
    HostedZone = route53.IHostedZone | route53.HostedZone
    Key = kms.IKey | kms.Key
    RestApi = apigateway.IRestApi | apigateway.RestApiBase
    Secret = secretsmanager.ISecret | secretsmanager.Secret
    VpcLink = apigateway.IVpcLink | apigateway.VpcLink
