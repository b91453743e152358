#!/usr/bin/env python3
"""House rules that no compiler checks: formatting, banned calls, sizes, include paths, the names in docs/compatibility.md.

Prints one line per finding as file:line: message and exits 1 when there is any.
"""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Rooms above these sizes are refused (house style 3.2); the lower ones are only reported.
REFUSE = {".cc": 800, ".h": 300}
REPORT = {".cc": 500, ".h": 200}
# Rooms known to be too large, and how they are to be divided.
KNOWN = {
    "src/workflows/engine/machine.h": "one class; launching, settling and the stored form are to become classes of their own",
}


def tracked():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for path in out.splitlines() if (ROOT / path).is_file()]


def check_format(sources):
    program = shutil.which("clang-format-19")
    if program is None:
        return ["clang-format-19 is not installed"]
    run = subprocess.run([program, "--dry-run", "-Werror", *sources], cwd=ROOT, capture_output=True, text=True)
    return sorted({line.split(" error:")[0] + " not formatted: clang-format-19 -i" for line in run.stderr.splitlines() if " error:" in line})


def banned_rules():
    for line in (ROOT / "tools/ci/banned.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern, allowed, why = (part.strip() for part in line.split(" ; ", 2))
            yield re.compile(pattern), re.compile(allowed), why


def check_source(path, rules):
    lines = (ROOT / path).read_text(errors="replace").splitlines()
    suffix = pathlib.Path(path).suffix
    if len(lines) > REFUSE.get(suffix, len(lines)) and path not in KNOWN:
        yield f"{path}:1: {len(lines)} lines, at most {REFUSE[suffix]}: split it by domain"
    elif len(lines) > REPORT.get(suffix, len(lines)):
        print(f"note: {path} has {len(lines)} lines")
    for number, line in enumerate(lines, 1):
        if re.match(r'\s*#include\s+".*\.\./', line):
            yield f"{path}:{number}: an include leaves its module"
        if re.search(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))", line):
            yield f"{path}:{number}: an open end without an issue number"
        code = line.split("//")[0]
        for pattern, allowed, why in rules:
            if pattern.search(code) and not allowed.search(path):
                yield f"{path}:{number}: {pattern.pattern} is banned: {why}"


def check_compatibility(files):
    """Every test that docs/compatibility.md names must exist."""
    page = ROOT / "docs/compatibility.md"
    if not page.exists():
        return
    code = "\n".join((ROOT / path).read_text(errors="replace") for path in files
                     if re.search(r"\.(cc|py|sh|yaml|txt)$", path) and path.startswith(("src/", "tests/", "examples/")))
    for number, line in enumerate(page.read_text().splitlines(), 1):
        for name in re.findall(r"`([A-Za-z0-9_]+\.[A-Za-z0-9_]{4,}|tests/[A-Za-z0-9_./-]+)`", line):
            if name.startswith("tests/"):
                found = (ROOT / name).exists()
            else:
                suite, test = name.split(".", 1)
                found = re.search(rf"\(\s*{suite}\s*,\s*{test}\s*\)", code) or re.search(rf"\b{re.escape(name)}\b", code)
            if not found:
                yield f"docs/compatibility.md:{number}: there is no test {name}"


def main():
    files = tracked()
    sources = [path for path in files if re.match(r"(src|tests|bench)/.*\.(cc|h)$", path)]
    findings = list(check_format(sources)) if sources else []
    rules = list(banned_rules())
    for path in sources:
        findings += check_source(path, rules)
    findings += check_compatibility(files)
    for finding in findings:
        print(finding)
    print(f"lint: {len(sources)} sources, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
