"""Releases touch one package, survive interruption, and do not hide a broken name."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

PACKAGES = Path(__file__).resolve().parents[2] / "packages"
NAMES = sorted(path.parent.name for path in PACKAGES.glob("*/pyproject.toml"))


def test_all_are_released_as_1_0_0_and_each_release_touched_its_package_only(all_released):
    assert all_released.git("status", "--porcelain") == ""
    assert all_released.git("tag").splitlines() == [f"{name}-v1.0.0" for name in NAMES]
    for name in NAMES:
        tag = f"{name}-v1.0.0"
        assert (
            all_released.git("cat-file", "-t", tag) == "tag"
        )  # annotated: --follow-tags pushes it
        assert all_released.git("log", "-1", "--format=%s", tag) == f"Release {name} 1.0.0"
        touched = all_released.git(
            "show", "--name-only", "--format=", f"{tag}^{{commit}}"
        ).splitlines()
        assert touched
        assert all(path.startswith(f"packages/{name}/") for path in touched)
        changelog = all_released.read(f"packages/{name}/CHANGELOG.md")
        assert re.search(
            r"^## 1\.0\.0 \(\d{4}-\d\d-\d\d\)\n\n### (?:Added|Breaking)\n\n- ",
            changelog,
            re.MULTILINE,
        )
        assert "A scratch release." in changelog
        left = all_released.folder / "packages" / name / "changes"
        assert [path.name for path in left.iterdir()] == [".gitignore"]


def test_the_next_minor_release_of_one_package(released):
    released.write("packages/shared-resilience/changes/7.added.md", "A way to be patient.\n")
    released.write("packages/shared-resilience/changes/+x.fixed.md", "- One thing.\n- Another.\n")
    released.commit()
    result = released.run("release", "shared-resilience", "minor")
    assert result.returncode == 0, result.stderr
    touched = released.git("show", "--name-only", "--format=", "HEAD").splitlines()
    here = "packages/shared-resilience/"
    assert sorted(touched) == [
        here + "CHANGELOG.md",
        here + "changes/+x.fixed.md",
        here + "changes/7.added.md",
        here + "pyproject.toml",
    ]
    assert 'version = "1.1.0"' in released.read(here + "pyproject.toml")
    changelog = released.read(here + "CHANGELOG.md")
    assert changelog.index("## 1.1.0") < changelog.index("## 1.0.0")
    assert "- A way to be patient. (#7)" in changelog
    assert "### Fixed\n\n- One thing.\n- Another.\n\n" in changelog
    assert released.git("status", "--porcelain") == ""
    tags = released.git("tag", "--points-at", "HEAD")
    assert tags == "shared-resilience-v1.1.0"


def test_a_dry_run_shows_the_changelog_and_changes_nothing(released):
    released.write("packages/shared-health/changes/+x.fixed.md", "It is well again.\n")
    before = released.state()
    result = released.run("release", "shared-health", "patch", "--dry-run")
    assert result.returncode == 2
    assert "holds no fragment" in result.stderr  # what is not committed is not in a release
    released.commit()
    released.write("README.md", "an edit under way")
    before = released.state()
    result = released.run("release", "shared-health", "patch", "--dry-run")
    assert result.returncode == 0, result.stderr
    assert "shared-health-v1.0.1 would be" in result.stdout
    assert "It is well again." in result.stdout
    assert released.state() == before


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["shared-nothing", "minor"], "there is no package packages/shared-nothing"),
        (["shared-db", "tiny"], "'tiny' is no version; allowed: major, minor, patch or X.Y.Z"),
        (["shared-db", "1.2"], "'1.2' is no version"),
        (["shared-db", "01.2.3"], "'01.2.3' is no version"),
        (["shared-db", "1.0.0"], "shared-db is at 1.0.0; 1.0.0 does not come after it"),
        (["shared-db", "0.9.0"], "shared-db is at 1.0.0; 0.9.0 does not come after it"),
        (["shared-db", "minor"], "packages/shared-db/changes holds no fragment"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(all_released, arguments, reason):
    before = all_released.state()
    result = all_released.run("release", *arguments)
    assert result.returncode == 2
    assert reason in result.stderr
    assert "Traceback" not in result.stderr
    assert all_released.state() == before


def test_open_changes_are_refused(released):
    released.write("packages/shared-db/changes/+new.added.md", "Not committed.\n")
    result = released.run("release", "shared-db", "minor")
    assert (result.returncode, "+new.added.md is not committed" in result.stderr) == (2, True)
    released.commit()
    released.write("LICENSE", "mine\n")
    result = released.run("release", "shared-db", "minor")
    assert (result.returncode, "uncommitted changes" in result.stderr) == (2, True)


SHIM = """#!/bin/sh
# Stands in for {program}: at call number KILL_AT of a run, the release gets a signal.
echo call >> "$KILL_FOLDER/calls"
if [ "$(wc -l < "$KILL_FOLDER/calls")" -eq "$KILL_AT" ]; then
    kill -"$KILL_SIGNAL" "-$(cat "$KILL_FOLDER/group")"
    sleep 0.05
fi
exec {real} "$@"
"""


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
def test_a_release_interrupted_at_any_step_leaves_the_tree_clean(released, tmp_path, kind):
    released.write("packages/shared-health/changes/+x.added.md", "Something.\n")
    released.commit()
    before = released.state()
    search = released.environment["PATH"]
    shims = tmp_path / "bin"
    shims.mkdir()
    for program in ("git", "towncrier"):
        real = subprocess.run(
            ["sh", "-c", f"command -v {program}"],
            env=released.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        shim = shims / program
        shim.write_text(SHIM.format(program=program, real=real))
        shim.chmod(0o755)
    interrupted = 0
    for step in range(1, 60, 1 if kind is signal.SIGKILL else 3):
        environment = released.environment | {
            "PATH": f"{shims}{os.pathsep}{search}",
            "KILL_AT": str(step),
            "KILL_SIGNAL": str(int(kind)),
            "KILL_FOLDER": str(tmp_path),
        }
        code = release_under(environment, released, tmp_path)
        after = released.state()
        assert after[2] == "", f"interrupted at step {step}: {after[2]}"
        assert released.git("worktree", "list").count("\n") == 0
        if after[:2] != before[:2]:
            break
        assert code != 0
        interrupted += 1
    assert interrupted >= 4
    # Its last step was reached: whatever the signal, it is done, branch and tag together.
    assert released.git("tag", "--points-at", "HEAD") == "shared-health-v1.1.0"
    assert released.git("rev-parse", "HEAD^") == before[0]
    assert "## 1.1.0" in released.read("packages/shared-health/CHANGELOG.md")


def release_under(environment, checkout, folder) -> int:
    """Run a release whose whole process group gets the signal; wait for all that it started."""
    (folder / "calls").write_text("")
    alive, held = os.pipe()  # every process of the release holds it as its input
    process = subprocess.Popen(
        [
            "sh",
            "-c",
            'echo $$ > "$KILL_FOLDER/group"; exec "$@"',
            "sh",
            *checkout.command("release", "shared-health", "minor"),
        ],
        cwd=checkout.folder,
        env=environment,
        stdin=held,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(held)
    code = process.wait(timeout=60)
    with os.fdopen(alive, "rb") as end:
        end.read()  # ends when the last of them is gone
    return code


def test_a_broken_name_needs_a_major_version(released):
    init = "packages/shared-probe/src/shared/probe/__init__.py"
    changes = "packages/shared-probe/changes/"
    released.run("new-package", "shared-probe")
    (released.folder / f"{init}i").unlink()  # a package without a face
    released.write(init, '"""A probe."""\n\n__all__ = ["keep"]\n\n\ndef keep(a, b=1): ...\n')
    released.write(changes + "+first.breaking.md", "The first release breaks nobody.\n")
    released.commit()
    first = released.run("release", "shared-probe", "1.0.0")
    assert first.returncode == 0, first.stderr
    assert f"{len(NAMES) + 1} packages keep what they released" in released.run("api").stdout

    released.write(init, '"""A probe."""\n\n__all__ = ["keep"]\n\n\ndef keep(a, c=1): ...\n')
    released.write(changes + "+more.added.md", "A better name.\n")
    released.commit()
    check = released.run("api", "shared-probe", "shared-health")
    assert check.returncode == 1
    assert (
        "api: shared.probe.keep(b): Parameter was removed, as shared-probe-v1.0.0" in check.stdout
    )
    for level in ("patch", "minor", "1.9.0"):
        refused = released.run("release", "shared-probe", level)
        assert refused.returncode == 2
        assert "shared.probe.keep(b): Parameter was removed" in refused.stderr
        assert "that needs a major version, not 1." in refused.stderr

    released.write(changes + "+more.breaking.md", "b is now c.\n")
    released.commit()
    assert released.run("api", "shared-probe").returncode == 0  # it is announced
    refused = released.run("release", "shared-probe", "minor")
    assert "+more.breaking.md breaks callers: that needs a major version" in refused.stderr
    allowed = released.run("release", "shared-probe", "major")
    assert allowed.returncode == 0, allowed.stderr
    assert released.git("tag", "--points-at", "HEAD") == "shared-probe-v2.0.0"
    assert released.run("api", "shared-probe").returncode == 0
