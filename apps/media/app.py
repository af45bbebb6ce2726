"""An app that takes in images: `make demo APP=media` runs it here, `make deploy APP=media` in an AWS account."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # what all apps share

from aws_cdk import App
from uploaded import Media

if __name__ == "__main__":
    app = App()
    Media(app, "Media")
    app.synth()
