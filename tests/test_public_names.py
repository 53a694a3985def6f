"""What a caller sees of the package."""

import subprocess
import sys

import vidstyle


def test_public_names_are_these_and_can_be_imported():
    assert vidstyle.__all__ == [
        "Clip",
        "Config",
        "Coverage",
        "Forecast",
        "FrameDone",
        "FrameRecord",
        "NETWORKS",
        "Plan",
        "Result",
        "Settings",
        "Sketch",
        "Sketcher",
        "Stability",
        "Status",
        "Stylizer",
        "VidstyleError",
        "WarpErrorWatch",
        "as_command",
        "as_config",
        "coverage_of",
        "discard_job",
        "forecast",
        "forecast_lines",
        "is_job_running",
        "job_history",
        "job_picture",
        "job_status",
        "jobs_in",
        "measure",
        "preview",
        "read_config",
        "report",
        "save_config",
        "stop_job",
        "stylize",
        "stylize_image",
        "tune_process",
    ]
    for name in vidstyle.__all__:
        assert getattr(vidstyle, name).__doc__


def test_unknown_names_are_attribute_errors():
    assert not hasattr(vidstyle, "encoder")


def test_importing_the_package_and_asking_for_help_does_not_import_torch():
    code = (
        "import sys, vidstyle.cli.main\n"
        "status = vidstyle.cli.main.main(['--version'])\n"
        "print(status, sorted({'torch', 'cv2', 'av', 'numpy'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [f"vidstyle {vidstyle.__version__}", "0 ['numpy']"]
