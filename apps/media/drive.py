"""`make demo APP=media`: the media app on the embedded cloud, good and broken images, and a report that shows each.

KEEP=1 leaves everything running.
"""

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

sys.path += [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent / "handlers")]

from aws_cdk import Duration
from gallery import checks, report
from gallery.uploading import Uploading
from showing.console import Console
from showing.page import write
from showing.playing import OUT, ROOT, play
from uploaded import Media

from serverless_patterns.testing import EmbeddedCloud

SOON = Duration.seconds(5)


def main() -> int:
    return play(Console(), _demo)


def _demo(console: Console) -> int:
    """0 when every check holds, else 1."""
    with ExitStack() as ending:
        cloud = ending.enter_context(EmbeddedCloud.start(faults=True, progress=console.tell))
        console.tell(f"embedded cloud at {cloud.endpoint_url}")
        app = cloud.app(OUT / "cdk.out")
        Media(app, "Media", deadline=SOON)
        deployment = cloud.deploy(app, progress=console.tell)
        seen = Uploading(cloud, deployment.outputs["Media"], console.tell).play()
        done = checks.check(seen)
        about = f"{len(seen.uploads)} uploads · embedded cloud on this machine · {datetime.now():%Y-%m-%d %H:%M}"
        page, _ = write(OUT, report.page(seen, done, about), done)
        console.show_checks(done, page.relative_to(ROOT))
        if os.environ.get("KEEP") == "1":
            ending.pop_all()
            console.show_text(_kept(cloud, deployment.outputs["Media"]))
    return 0 if all(check.ok for check in done) else 1


def _kept(cloud: EmbeddedCloud, outputs: Mapping[str, str]) -> str:
    """How to look around in what was left running, and how to stop it."""
    on = f"--endpoint-url {cloud.endpoint_url}"
    return f"""
Everything keeps running (KEEP=1). Put an image of yours into the bucket, and look it up:
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
  aws {on} s3 cp my.jpg s3://{outputs["UploadsBucket"]}/uploads/my.jpg
  aws {on} dynamodb scan --table-name {outputs["CatalogueTable"]} --max-items 3
  .venv/bin/serverless-patterns peek {on} Media.ThumbnailQueueUrl
Stop it with:
  {cloud.detach()}"""


if __name__ == "__main__":
    sys.exit(main())
