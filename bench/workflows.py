#!/usr/bin/env python3
"""Measures `tiphys run` against ninja in the same run, as ratios (issue: the keel, section 4).

  bench/workflows.py [--program build/release/tiphys] [--steps 5000] [--rounds 5] [--only steps,nothing,start,genomics]

CPU is user and system time of the whole process tree, by the kernel's accounting of finished children. Commands take turns
(A B A B ...), the median of the pairwise ratios counts. Needs ninja; genomics needs python3-yaml and the study's tools.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]


def measure(command, **options):
    """Runs a command to its end: wall and CPU seconds of its process tree, peak memory of its largest process in MiB."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}: {error.decode()[-2000:]}")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss / 1024}


def layers_workflow(path, steps, width=100):
    groups = "\n".join(
        f"        - - name: layer-{layer}\n            template: nothing\n            withSequence: {{count: \"{min(width, steps - layer * width)}\"}}"
        for layer in range((steps + width - 1) // width))
    path.write_text(f"""apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: layers-
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
{groups}
    - name: nothing
      container: {{image: busybox, command: [/bin/true]}}
""")


def layers_ninja(folder, steps, width=100, command="/bin/true"):
    lines = ["rule step", f"  command = {command}"]
    before = ""
    for layer in range((steps + width - 1) // width):
        outputs = [f"out-{layer}-{i}" for i in range(min(width, steps - layer * width))]
        lines += [f"build {out}: step{' | ' + before if before else ''}" for out in outputs]
        lines.append(f"build layer-{layer}: phony {' '.join(outputs)}")
        before = f"layer-{layer}"
    lines.append(f"default {before}")
    (folder / "build.ninja").write_text("\n".join(lines) + "\n")


def pairs(rounds, ours, theirs):
    """Ours and theirs in turn."""
    return [(ours(), theirs()) for _ in range(rounds)]


def ratio_row(name, measured, figure, goal, unit=1.0, digits=2):
    ours = statistics.median(a[figure] for a, _ in measured) * unit
    theirs = statistics.median(b[figure] for _, b in measured) * unit
    ratio = statistics.median(a[figure] / b[figure] for a, b in measured)
    return {"what": name, "ours": round(ours, digits), "peer": round(theirs, digits), "ratio": round(ratio, 2), "goal": goal}


def bench_steps(options, folder):
    layers_workflow(folder / "layers.yaml", options.steps)
    layers_ninja(folder, options.steps)

    def run(isolation):
        state = tempfile.mkdtemp(dir=folder)
        try:
            return measure([options.program, "--state", state, "run", "-o", "name", "-j", "2", "--isolation", isolation, folder / "layers.yaml"])
        finally:
            shutil.rmtree(state, ignore_errors=True)

    def ninja():
        for leftover in (".ninja_log", ".ninja_deps"):
            (folder / leftover).unlink(missing_ok=True)
        return measure(["ninja", "-j2", "-C", folder])

    per_step = 1000 / options.steps
    measured = pairs(options.rounds, lambda: run("namespaces"), ninja)
    rows = [ratio_row("CPU per durable step, namespaces, ms (peer: ninja -j2, bare)", measured, "cpu", "<= 1.0x", per_step, 3)]
    rows.append(ratio_row("the same, wall, ms", measured, "wall", "", per_step, 3))
    rows.append({"what": "peak memory of the program, MiB", "ours": round(max(a["rss"] for a, _ in measured), 1), "peer": round(max(b["rss"] for _, b in measured), 1), "ratio": "", "goal": ""})
    bench = options.program.parent / "bench" / "sandbox_bench"
    if bench.exists():
        bare = json.loads(subprocess.run([bench, "--json"], capture_output=True, text=True, check=True).stdout)
        layer = [run("layer") for _ in range(options.rounds)]
        ours = statistics.median(m["cpu"] for m in layer) * per_step
        rows.append({"what": "CPU per durable step, private writable layer, ms (peer: the bare sandbox in a loop)", "ours": round(ours, 3),
                     "peer": round(bare["layer_cpu_ms"], 3), "ratio": round(ours / bare["layer_cpu_ms"], 2), "goal": "<= 1.2x"})
    return rows


def bench_nothing(options, folder):
    layers_workflow(folder / "layers.yaml", options.steps)
    layers_ninja(folder, options.steps, command="touch $out")
    state = folder / "state-nothing"
    run = [options.program, "--state", state, "run", "-o", "name", "-j", "2", "--isolation", "namespaces", "--reuse", folder / "layers.yaml"]
    measure(run)
    measure(["ninja", "-j2", "-C", folder])
    measured = pairs(options.rounds, lambda: measure(run), lambda: measure(["ninja", "-j2", "-C", folder]))
    shutil.rmtree(state, ignore_errors=True)
    return [ratio_row(f"nothing to do, {options.steps} steps, CPU ms (peer: ninja)", measured, "cpu", "<= 3x", 1000, 1),
            ratio_row("the same, wall, ms", measured, "wall", "", 1000, 1)]


def bench_start(options, folder):
    (folder / "hello.yaml").write_text("""apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: hello-world-}
spec:
  entrypoint: hello
  templates:
    - name: hello
      container: {image: busybox, command: [echo, hello world]}
""")

    def run():
        state = tempfile.mkdtemp(dir=folder)
        try:
            return measure([options.program, "--state", state, "run", folder / "hello.yaml"])
        finally:
            shutil.rmtree(state, ignore_errors=True)

    runs = [run() for _ in range(options.rounds * 4)]
    version = [measure([options.program, "--version"]) for _ in range(options.rounds * 4)]
    return [{"what": "cold start of hello-world to exit, wall ms", "ours": round(statistics.median(m["wall"] for m in runs) * 1000, 1), "peer": "", "ratio": "", "goal": "<= 40 ms"},
            {"what": "tiphys --version, wall ms", "ours": round(statistics.median(m["wall"] for m in version) * 1000, 1), "peer": "", "ratio": "", "goal": "<= 20 ms"}]


def bench_genomics(options, folder):
    study = ROOT / "examples/genomics"

    def ours():
        state = tempfile.mkdtemp(dir=folder)
        try:
            return measure([options.program, "--state", state, "run", "-o", "name", "-j", "2", "-f", study / f"{options.size}.yaml", study / "templates.yaml", study / "genomics.yaml"])
        finally:
            shutil.rmtree(state, ignore_errors=True)

    def ninja():
        out = tempfile.mkdtemp(dir=folder)
        try:
            printed = subprocess.run([sys.executable, ROOT / "bench/genomics_ninja.py", options.size, "--out", out, "--json"], capture_output=True, text=True, check=True).stdout
            return json.loads(printed.splitlines()[-1])
        finally:
            shutil.rmtree(out, ignore_errors=True)

    measured = pairs(max(options.rounds // 2, 1), ours, ninja)
    return [ratio_row(f"genomics {options.size}, wall s (peer: ninja driving the same commands)", measured, "wall", "<= 1.05x"),
            ratio_row("the same, CPU s", measured, "cpu", "")]


BENCHES = {"start": bench_start, "steps": bench_steps, "nothing": bench_nothing, "genomics": bench_genomics}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/tiphys")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", default="demo")
    parser.add_argument("--only", default=",".join(BENCHES))
    options = parser.parse_args()
    print("| what | ours | peer | ratio | goal |\n|---|---|---|---|---|")
    for name in options.only.split(","):
        with tempfile.TemporaryDirectory(prefix="tiphys-bench-") as folder:
            for row in BENCHES[name](options, pathlib.Path(folder)):
                print("| {what} | {ours} | {peer} | {ratio} | {goal} |".format(**row), flush=True)


if __name__ == "__main__":
    main()
