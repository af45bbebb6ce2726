"""The media app's demo: its images, the same faults, every check."""

from pathlib import Path

import pytest
from aws_cdk import Duration
from gallery import checks
from gallery.uploading import Uploading
from uploaded import Media

from serverless_patterns.testing import Cloud, EmbeddedCloud


def test_every_check_of_the_media_demo_holds_with_its_faults_injected(
    embedded_cloud: Cloud, tmp_path: Path, fresh_name: str
) -> None:
    if not isinstance(embedded_cloud, EmbeddedCloud):
        pytest.skip("injects faults on the wire, which only a cloud of our own lets us do")
    app = embedded_cloud.app(tmp_path / "cdk.out")
    told: list[str] = []
    Media(app, fresh_name, deadline=Duration.seconds(5))
    with embedded_cloud.deploy(app) as deployment:
        seen = Uploading(embedded_cloud, deployment.outputs[fresh_name], told.append, good=8).play()
    assert [check for check in checks.check(seen) if not check.ok] == [], "\n".join(told)
