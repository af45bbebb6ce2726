"""The benchmark's results as other programs read them. Speed is reported there, never asserted here."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIELDS = {"name": str, "value": int, "unit": str, "peer": int, "floor": int, "better": str}


def test_each_result_has_a_name_and_ours_beside_the_peer_and_the_floor(tmp_path: Path):
    results = tmp_path / "results.json"
    command = [sys.executable, "-m", "bench", "--only", "ddb_round_trips", "--results", results]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    figures = json.loads(results.read_text())
    assert [figure["name"] for figure in figures] == [
        "ddb_round_trips_leased_batch10",
        "ddb_round_trips_effects_batch10",
    ]
    assert [{name: type(value) for name, value in figure.items()} for figure in figures] == [FIELDS, FIELDS]
    assert {figure["better"] for figure in figures} == {"lower"}


def test_a_name_that_no_figure_has_is_refused(tmp_path: Path):
    command = [sys.executable, "-m", "bench", "--only", "ddb_round_trip_times", "--results", tmp_path / "results.json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "no figure's name holds 'ddb_round_trip_times'" in done.stderr
