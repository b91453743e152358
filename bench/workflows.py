#!/usr/bin/env python3
"""Measures `tiphys run` against ninja in the same run, as ratios.

  bench/workflows.py [--program build/release/tiphys] [--steps 5000] [--rounds 5] [--only start,steps,nothing,growth,genomics]

Commands take turns (A B A B ...), the median of the pairwise ratios counts. CPU is user and system time of all processes
that a command starts, counted by a control group of its own; where none can be made, what the kernel says of finished
children, which leaves out processes that nobody waited for. As root, the two figures of `start` are taken ahead of
everything else on the machine (real-time priority). Needs ninja; genomics needs python3-yaml and the study's tools.
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


class CpuGroup:
    """A control group that counts the CPU time of whoever was started in it."""

    def __init__(self):
        self.folder = None
        for base, figure, unit in (("/sys/fs/cgroup/cpuacct", "cpuacct.usage", 1e9), ("/sys/fs/cgroup", "cpu.stat", 1e6)):
            folder = pathlib.Path(base, f"tiphys-bench-{os.getpid()}-{time.monotonic_ns()}")
            try:
                folder.mkdir()
            except OSError:
                continue
            if (folder / figure).exists():
                self.folder, self.figure, self.unit = folder, figure, unit
                return
            folder.rmdir()

    def enter(self):
        if self.folder:
            (self.folder / "cgroup.procs").write_text("0")

    def seconds(self):
        """CPU time so far, or None; the group is gone afterwards."""
        if not self.folder:
            return None
        words = (self.folder / self.figure).read_text().split()
        for _ in range(100):
            try:
                self.folder.rmdir()
                break
            except OSError:
                time.sleep(0.01)
        return int(words[1] if words[0] == "usage_usec" else words[0]) / self.unit


def wall_ahead(command):
    """Milliseconds of wall that a command takes when nothing else on the machine is in its way; needs root for that."""
    if os.geteuid() == 0:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
    try:
        started = time.monotonic()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        return (time.monotonic() - started) * 1000
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def measure(command, **options):
    """Runs a command to its end: wall and CPU seconds of all it starts, peak memory of its largest process in MiB."""
    group = CpuGroup()
    with tempfile.TemporaryFile() as errors:
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, preexec_fn=group.enter, **options)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}: {errors.read().decode()[-2000:]}")
    cpu = group.seconds()
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime if cpu is None else cpu, "rss": usage.ru_maxrss / 1024}


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
        table = subprocess.run([bench, "300"], capture_output=True, text=True, check=True).stdout
        bare = next(float(line.split()[-3]) for line in table.splitlines() if line.startswith("plain loop, layer"))
        layer = [run("layer") for _ in range(max(options.rounds // 2, 1))]
        ours = statistics.median(m["cpu"] for m in layer) * per_step
        rows.append({"what": "CPU per durable step, private writable layer, ms (peer: the bare sandbox in a loop)", "ours": round(ours, 3),
                     "peer": round(bare, 3), "ratio": round(ours / bare, 2), "goal": "<= 1.2x"})
    return rows


def bench_nothing(options, folder):
    layers_workflow(folder / "layers.yaml", options.steps)
    layers_ninja(folder, options.steps, command="touch $out")
    state = folder / "state-nothing"
    run = [options.program, "--state", state, "run", "-o", "name", "-j", "2", "--isolation", "namespaces", folder / "layers.yaml"]
    measure(run)
    run.append("--reuse")
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
            return wall_ahead([options.program, "--state", state, "run", folder / "hello.yaml"])
        finally:
            shutil.rmtree(state, ignore_errors=True)

    runs = [run() for _ in range(options.rounds * 4)]
    version = [wall_ahead([options.program, "--version"]) for _ in range(options.rounds * 4)]
    return [{"what": "cold start of hello-world to exit, wall ms", "ours": round(statistics.median(runs), 1), "peer": "", "ratio": "", "goal": "<= 40 ms"},
            {"what": "tiphys --version, wall ms", "ours": round(statistics.median(version), 1), "peer": "", "ratio": "", "goal": "<= 20 ms"}]


def bench_growth(options, folder):
    """What a step costs as runs grow, without isolation."""
    rows = []
    for steps in (options.steps // 5, options.steps, options.steps * 10):
        layers_workflow(folder / "layers.yaml", steps)
        state = tempfile.mkdtemp(dir=folder)
        run = measure([options.program, "--state", state, "run", "-o", "name", "-j", "2", "--isolation", "process", folder / "layers.yaml"])
        shutil.rmtree(state, ignore_errors=True)
        cost = run["cpu"] * 1000 / steps
        ratio = round(cost / rows[0]["ours"], 2) if rows else 1.0
        rows.append({"what": f"CPU per step of {steps} steps, ms; peak memory {run['rss']:.1f} MiB", "ours": round(cost, 3), "peer": "", "ratio": ratio, "goal": "<= 1.3x"})
    return rows


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


BENCHES = {"start": bench_start, "steps": bench_steps, "nothing": bench_nothing, "growth": bench_growth, "genomics": bench_genomics}


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
