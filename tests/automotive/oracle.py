"""Run inside the environment of oracles.txt: judge all files of a folder and print what was found as JSON."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any


def quality(path: Path) -> dict[str, Any]:
    """Issues and states of ASAM's checkers; a skipped checker is not a passed one."""
    from qc_baselib import Configuration, Result

    if path.suffix == ".xosc":
        from qc_openscenario import constants, main
    else:
        from qc_opendrive import constants, main
    configuration, result = Configuration(), Result()
    configuration.set_config_param("InputFile", str(path))
    configuration.register_checker_bundle(checker_bundle_name=constants.BUNDLE_NAME)
    result.register_checker_bundle(
        name=constants.BUNDLE_NAME, build_date="2020-01-01", description="", version="1", summary=""
    )
    main.run_checks(configuration, result)
    checkers = result.get_checker_results(constants.BUNDLE_NAME)
    states = {checker.checker_id: checker.status.value for checker in checkers}
    return {"issues": result.get_issue_count(), "states": states}


def waypoints(path: Path) -> int:
    """How many places to drive CARLA finds on a road file; it accepts an empty one, so they are counted."""
    import carla

    return len(carla.Map(path.stem, path.read_text()).generate_waypoints(10.0))


def converted(path: Path) -> int:
    """Exit code of SUMO's converter."""
    import sumo

    program = Path(sumo.SUMO_HOME) / "bin" / "netconvert"
    run = subprocess.run(
        [program, "--opendrive-files", path, "-o", path.with_suffix(".net.xml")],
        capture_output=True,
        check=False,
    )
    return run.returncode


def main(folder: Path) -> None:
    """Judge the folder."""
    logging.disable(logging.CRITICAL)
    found: dict[str, Any] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in (".xosc", ".xodr"):
            found[path.name] = {"quality": quality(path)}
    for path in sorted(folder.glob("*.xodr")):
        found[path.name] |= {"waypoints": waypoints(path), "netconvert": converted(path)}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
