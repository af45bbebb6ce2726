"""`make demo APP=media`: the media app on the embedded cloud, good and broken images, and a report that shows each."""

import sys
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
    return 0 if all(check.ok for check in done) else 1


if __name__ == "__main__":
    sys.exit(main())
