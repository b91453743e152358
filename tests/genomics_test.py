#!/usr/bin/env python3
"""Runs the study of examples/genomics with the real program and holds it to what it promises.

  tests/genomics_test.py CASE --program PATH [--size tiny]

  results   recall and precision, the negative control, the same bytes when run again
  reuse     what --reuse runs and what it does not, and what `explain` says of it
  artifacts what --reuse does when an earlier result is gone, or is another one than it was
  kill      kill -9 in the middle: only what was in flight runs again, and the end is the same

Which steps ran is read from the program's lines and its record. Exit code 77: the tools of the study are not installed.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
STUDY = ROOT / "examples" / "genomics"
TOOLS = ("bwa", "samtools", "wgsim", "bcftools", "tabix", "bgzip", "freebayes", "python3", "bash")
GENOME = pathlib.Path("/usr/share/doc/bowtie/examples/genomes/NC_008253.fna.gz")
CONTROLS = {"bcftools[2].negative-control", "freebayes[2].negative-control"}
RUN_AGAIN = CONTROLS  # what failed is never reused, and they fail by design
ENDED = re.compile(r"^\S+ . (\S.*?) (Succeeded|Failed|Error)\b(.*)$")

problems = []
checks = 0


def expect(right, what):
    global checks
    checks += 1
    if not right:
        problems.append(what)
        print(f"FAILED: {what}", flush=True)


def place(name):
    """A node's name without the run's and without the values of items: "a[0].call(3)(0)"."""
    return re.sub(r"\((\d+):[^()]*\)", r"(\1)", name.partition(".")[2])


class Run:
    """What one call of the program said of the steps it ended."""

    def __init__(self, study, name, code, output):
        self.study, self.name, self.code, self.output = study, name, code, output
        self.nodes = list(study.nodes(name).values())
        self.pods = {n["name"]: n["phase"] for n in self.nodes if n["type"] == "Pod"}
        ended = [m.groups() for m in map(ENDED.match, output.splitlines()) if m]
        self.ran = {place(n) for n, _, rest in ended if n in self.pods and "(reused)" not in rest}
        self.reused = {place(n) for n, _, rest in ended if n in self.pods and "(reused)" in rest}

    def folder(self):
        return self.study.objects / self.name

    def judge(self, other=None):
        same = ["--same-as", str(other.folder())] if other else []
        judged = subprocess.run([sys.executable, ROOT / "tests" / "genomics_check.py", self.folder(), *same],
                                capture_output=True, text=True, check=False)
        expect(judged.returncode == 0, f"{self.name}: {judged.stdout}")

    def explain(self, node):
        return self.study.call("explain", self.name, node).stdout


class Study:
    """A state directory and the program on it."""

    def __init__(self, folder, options):
        self.state = folder
        self.objects = folder / "artifacts" / "objects"
        self.program = str(options.program.resolve())
        self.size = options.size

    def command(self, *arguments):
        return [self.program, "--state", str(self.state), *arguments]

    def call(self, *arguments):
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, check=False)

    def nodes(self, name):
        got = self.call("get", name, "-o", "json")
        if got.returncode != 0:
            sys.exit(f"get {name}: {got.stderr}")
        return json.loads(got.stdout)["status"].get("nodes") or {}

    def start(self, name):
        return self.command("run", "--name", name, "-f", str(STUDY / f"{self.size}.yaml"))

    def run(self, name, *options):
        done = subprocess.run([*self.start(name), *options, str(STUDY / "templates.yaml"), str(STUDY / "genomics.yaml")],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        run = Run(self, name, done.returncode, done.stdout)
        expect(done.returncode == 0, f"{name}: exit code {done.returncode}: {done.stdout[-1500:]}")
        print(f"{name}: {len(run.ran)} steps ran, {len(run.reused)} were reused", flush=True)
        return run


def expect_ran(run, wanted):
    expect(run.ran == wanted, f"{run.name}: ran without need {sorted(run.ran - wanted)}, "
                              f"did not run {sorted(wanted - run.ran)}")
    expect(len(run.ran) + len(run.reused) == len(run.pods),
           f"{run.name}: {len(run.ran)} ran, {len(run.reused)} reused of {len(run.pods)}")


def expect_words(run, node, *words):
    text = run.explain(node)
    for one in words:
        expect(one in text, f"explain {node} does not say `{one}` but: {text}")


def results(study):
    first = study.run("first")
    first.judge()
    expect(len(first.ran) == len(first.pods), f"{len(first.ran)} of {len(first.pods)} steps ran")
    failed = {place(n) for n, phase in first.pods.items() if phase != "Succeeded"}
    expect(failed == CONTROLS, f"these did not succeed: {failed}")
    again = study.run("again")
    again.judge(first)
    expect(len(again.ran) == len(first.pods), "without --reuse every step runs")
    expect_words(again, "truth", "although all it depends on is the same", "--reuse")


def reuse(study):
    first = study.run("first")
    second = study.run("second", "--reuse")
    second.judge(first)
    expect_ran(second, RUN_AGAIN)
    expect_words(second, "truth", "It did not run", "first.truth")
    expect_words(second, "bcftools[2].negative-control", "did not succeed in first")

    third = study.run("third", "--reuse", "-p", 'interval-min-quality={"0003": 60}')
    third.judge()
    changed = {"plan", "onExit[0].write"} | RUN_AGAIN
    for caller in "bcftools", "freebayes":
        changed |= {f"{caller}[0].call(2)(0)", f"{caller}[1].gather", f"{caller}[2].evaluate"}
    expect_ran(third, changed)
    expect_words(third, "plan", 'its parameter "interval-min-quality" was {} in second and is {"0003": 60} now',
                 'comes from the workflow\'s parameter "interval-min-quality"')
    expect_words(third, "bcftools[0].call(2)(0)", 'its parameter "quality" was 3 in second and is 60 now',
                 'an item of the output parameter "intervals" of step plan', '"interval-min-quality" was {}')
    expect_words(third, "freebayes[1].gather", 'its input "calls" has other content than in second',
                 "made by 10 steps, of which 1 ran anew", "freebayes[0].call(2)(0)", 'its parameter "quality" was 3')
    expect_words(third, "freebayes[0].call(1)(0)", "It did not run", "first.freebayes[0].call(1:")
    expect_words(third, "third", f"{len(third.pods)} steps: {len(third.ran)} ran")
    missing = study.call("explain", "third", "nonsense")
    expect(missing.returncode != 0 and "nonsense" in missing.stderr, "explain of what is not there")

    back = study.run("back", "--reuse")
    back.judge(first)
    expect_ran(back, RUN_AGAIN)


def artifacts(study):
    first = study.run("first")
    truth = first.folder() / "variants" / "truth.vcf.gz"
    truth.unlink()
    second = study.run("second", "--reuse")
    second.judge()
    expect_ran(second, RUN_AGAIN | {"truth"})
    expect_words(second, "truth", "It ran because its result of first cannot be used", "its artifact vcf is gone")

    vcf = second.folder() / "variants" / "truth.vcf.gz"
    bytes_before = vcf.read_bytes()
    vcf.unlink()
    vcf.write_bytes(b"not a truth")
    third = study.run("third", "--reuse")
    third.judge()
    expect_ran(third, RUN_AGAIN | {"truth"})
    expect_words(third, "truth", "its artifact vcf has been replaced")
    expect((third.folder() / "variants" / "truth.vcf.gz").read_bytes() == bytes_before, "the same truth again")


def killed_after(command, steps):
    """Kills the program when it has said of so many steps that they ended. The program's own output is the clock."""
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    ended = 0
    for line in program.stdout:
        ended += 1 if ENDED.match(line) else 0
        if ended == steps:
            program.send_signal(signal.SIGKILL)
            break
    program.stdout.close()
    expect(program.wait() == -signal.SIGKILL, "the program was killed in the middle")


def kill(study):
    other = Study(study.state / "calm", argparse.Namespace(program=pathlib.Path(study.program), size=study.size))
    calm = other.run("calm")
    command = [*study.start("killed"), str(STUDY / "templates.yaml"), str(STUDY / "genomics.yaml")]
    done, begun = set(), set()
    resume = study.command("run", "--resume", "killed")
    for share in 6, 4, 4:
        before = len(done)
        killed_after(command, len(calm.pods) // share)
        pods = {place(n["name"]): n["phase"] for n in study.nodes("killed").values() if n["type"] == "Pod"}
        now = {name for name, phase in pods.items() if phase in ("Succeeded", "Failed")}
        expect(done <= now, f"had ended and has not any more: {sorted(done - now)}")
        done, in_flight = now, set(pods) - now
        begun |= in_flight
        expect(len(done) > before, "the run got on")
        print(f"killed: {len(done)} steps had ended, {len(in_flight)} were begun", flush=True)
        command = resume

    resumed = subprocess.run(resume, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    expect(resumed.returncode == 0, f"resume: {resumed.stdout[-1500:]}")
    run = Run(study, "killed", resumed.returncode, resumed.stdout)
    print(f"then {len(run.ran)} ran", flush=True)
    expect(not run.ran & done, f"ran again though it had ended: {sorted(run.ran & done)}")
    expect(run.ran | done == {place(n) for n in calm.pods}, "every step ran before the last kill or after it")
    run.judge(calm)
    expect(begun and all("had begun before" in run.explain(n) for n in begun), "explain tells what had begun before")
    for name in sorted(done - begun)[:3]:
        expect_words(run, name, "It ran because no earlier run of this step is known.\n")


CASES = {"results": results, "reuse": reuse, "artifacts": artifacts, "kill": kill}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--size", default="tiny")
    options = parser.parse_args()
    missing = [tool for tool in TOOLS if shutil.which(tool) is None] + ([] if GENOME.exists() else [str(GENOME)])
    if missing:
        print(f"skipped: not installed: {', '.join(missing)}")
        return 77
    os.environ["NO_COLOR"] = "1"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tiphys-genomics-")).resolve()
    try:
        CASES[options.case](Study(folder, options))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{checks - len(problems)} passed, {len(problems)} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
