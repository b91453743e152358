#!/usr/bin/env python3
"""Kills the real program a hundred times during one real workflow of sixty steps and resumes it each time.

crash_test.py --program PATH [--kills 100] [--seed N]

Every step writes its name to a file outside its sandbox when it begins and when it ends, by single writes that append.
Held against the program's own record after every kill:
  - what the record says has succeeded stays succeeded, with the same outputs, and never begins again;
  - the run goes on where it was, and the end is the one that a run without kills has.
A step that was in the air when the program died may begin a second time: it had not succeeded.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: crash}
spec:
  entrypoint: main
  onExit: bye
  volumes: [{name: out, hostPath: {path: "@OUT@", type: Directory}}]
  templates:
  - name: main
    dag:
      tasks:
      - {name: plan, template: plan}
      - {name: wide, template: row, depends: plan, withParam: "{{tasks.plan.outputs.result}}", arguments: {parameters: [{name: i, value: "{{item}}"}]}}
      - {name: flaky, template: flaky, depends: plan, withSequence: {count: "4"}, arguments: {parameters: [{name: i, value: "{{item}}"}]}}
      - {name: skipped, template: plan, depends: plan, when: "1 == 2"}
      - name: sum
        template: sum
        depends: wide && flaky && skipped
        arguments:
          parameters: [{name: all, value: "{{tasks.wide.outputs.parameters.double}}"}]
          artifacts: [{name: plan, from: "{{tasks.plan.outputs.artifacts.plan}}"}]
  - name: plan
    script:
      image: bash
      command: [bash]
      source: |
        echo "begin {{node.name}}" >> /out/log
        sleep 0.03
        echo planned > /tmp/plan
        echo "end {{node.name}}" >> /out/log
        seq -s, 0 15 | sed 's/.*/[&]/'
      volumeMounts: [{name: out, mountPath: /out}]
    outputs: {artifacts: [{name: plan, path: /tmp/plan}]}
  - name: row
    inputs: {parameters: [{name: i}]}
    steps:
    - - {name: one, template: step, arguments: {parameters: [{name: v, value: "{{inputs.parameters.i}}"}]}}
    - - {name: two, template: step, arguments: {parameters: [{name: v, value: "{{steps.one.outputs.parameters.double}}"}]}}
    - - {name: three, template: step, arguments: {parameters: [{name: v, value: "{{steps.two.outputs.parameters.double}}"}]}}
    outputs: {parameters: [{name: double, valueFrom: {parameter: "{{steps.three.outputs.parameters.double}}"}}]}
  - name: step
    inputs: {parameters: [{name: v}]}
    container:
      image: busybox
      command: [sh, -c]
      args: ["echo \\"begin {{node.name}}\\" >> /out/log; sleep 0.03; echo $(( 2 * {{inputs.parameters.v}} )) > /tmp/d; echo \\"end {{node.name}}\\" >> /out/log"]
      volumeMounts: [{name: out, mountPath: /out}]
    outputs: {parameters: [{name: double, valueFrom: {path: /tmp/d}}]}
  - name: flaky
    retryStrategy: {limit: 2}
    inputs: {parameters: [{name: i}]}
    container:
      image: busybox
      command: [sh, -c]
      args: ["echo \\"begin {{node.name}}({{retries}})\\" >> /out/log; sleep 0.03; echo \\"end {{node.name}}({{retries}})\\" >> /out/log; exit $(( {{retries}} < 1 ))"]
      volumeMounts: [{name: out, mountPath: /out}]
  - name: sum
    inputs: {parameters: [{name: all}], artifacts: [{name: plan, path: /tmp/plan}]}
    container:
      image: busybox
      command: [sh, -c]
      args: ["echo \\"begin {{node.name}}\\" >> /out/log; cat /tmp/plan > /tmp/sum; echo '{{inputs.parameters.all}}' >> /tmp/sum; echo \\"end {{node.name}}\\" >> /out/log"]
      volumeMounts: [{name: out, mountPath: /out}]
    outputs: {parameters: [{name: sum, globalName: sum, valueFrom: {path: /tmp/sum}}]}
  - name: bye
    container:
      image: busybox
      command: [sh, -c, "echo 'begin bye {{workflow.status}}' >> /out/log; echo 'end bye {{workflow.status}}' >> /out/log"]
      volumeMounts: [{name: out, mountPath: /out}]
"""
MASKED = {"startedAt", "finishedAt", "creationTimestamp", "uid", "resourceVersion", "generation", "managedFields", "resourcesDuration"}


def masked(value):
    if isinstance(value, dict):
        return {k: sorted(v) if k == "children" else masked(v) for k, v in value.items() if k not in MASKED}
    return [masked(x) for x in value] if isinstance(value, list) else value


class Ground:
    """A state directory, the steps' common file, and the program on them."""

    def __init__(self, folder, program):
        self.program = program
        self.out = folder / "out"
        self.out.mkdir(parents=True)
        self.file = folder / "wf.yaml"
        self.file.write_text(WORKFLOW.replace("@OUT@", str(self.out)))
        self.environment = {**os.environ, "TIPHYS_STATE": str(folder / "state"), "HOME": str(folder), "NO_COLOR": "1"}
        self.messages = folder / "messages"

    def start(self, *arguments):
        with self.messages.open("wb") as messages:
            return subprocess.Popen([self.program, *arguments], env=self.environment, stdout=messages, stderr=messages,
                                    stdin=subprocess.DEVNULL)

    def document(self):
        got = subprocess.run([self.program, "get", "crash", "-o", "json"], env=self.environment, capture_output=True, text=True, check=False)
        if got.returncode == 0:
            return json.loads(got.stdout)
        if "not found" in got.stderr or "no store in" in got.stderr:
            return None
        sys.exit(f"get: {got.stderr}")

    def begun(self):
        log = self.out / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        broken = [line for line in lines if not line.startswith(("begin ", "end "))]
        if broken:
            sys.exit(f"torn lines in the steps' file: {broken[:3]}")
        return collections.Counter(line[6:] for line in lines if line.startswith("begin "))


def succeeded(document):
    nodes = ((document or {}).get("status", {}).get("nodes") or {}).values()
    return {n["name"]: n.get("outputs") for n in nodes if n["type"] == "Pod" and n["phase"] == "Succeeded"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    program = str(options.program.resolve())
    rng = random.Random(options.seed)
    print(f"seed {options.seed}", flush=True)
    problems = []
    done = 0
    # A run may end before it was killed often enough; then another one is begun.
    for _ in range(10):
        if problems or done >= options.kills:
            break
        root = pathlib.Path(tempfile.mkdtemp(prefix="tiphys-crash-")).resolve()
        try:
            found, kills = run(root, program, options.kills - done, rng)
        finally:
            shutil.rmtree(root, ignore_errors=True)
        problems += found
        done += kills
    if not problems and done < options.kills:
        problems.append(f"only {done} kills fell into ten runs: let their steps be longer")
    for problem in problems:
        print("FAIL " + problem)
    print(f"{int(not problems)} passed, {int(bool(problems))} failed")
    return 1 if problems else 0


def run(root, program, kills, rng):
    calm = Ground(root / "calm", program)
    started = time.monotonic()
    code = calm.start("run", str(calm.file), "-j", "2").wait()
    whole = time.monotonic() - started
    expected = calm.document()
    if code != 0 or expected["status"]["phase"] != "Succeeded":
        return [f"without kills: exit code {code}: {calm.messages.read_text()[-2000:]}"], 0
    steps = sum(calm.begun().values())
    print(f"{steps} executions in {whole:.2f} s without kills", flush=True)

    ground = Ground(root / "killed", program)
    problems = []
    safe = {}  # what had succeeded, and how often it had begun by then
    done = early = 0
    # So long a program may live at most; it follows the progress, so that the kills spread over the whole run.
    longest = 0.1
    arguments = ["run", str(ground.file), "-j", "2"]
    while done < kills and not problems:
        process = ground.start(*arguments)
        try:
            process.wait(rng.uniform(0.001, longest))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.returncode == -9:
            done += 1
        longest *= 1.15 if len(safe) * kills < 0.8 * steps * done else 0.6
        longest = min(max(longest, 0.02), 2.0)
        document = ground.document()
        if document is None:
            early += 1
            continue
        arguments = ["run", "--resume", "crash", "-j", "2"]
        problems += check(ground, document, safe)
        if document["metadata"].get("labels", {}).get("workflows.argoproj.io/completed") == "true":
            break
        if process.returncode not in (-9, 0):
            problems.append(f"resume {done}: exit code {process.returncode}: {ground.messages.read_text()[-2000:]}")
    print(f"{done} kills, {early} before it was stored, {len(safe)} steps had succeeded by then", flush=True)
    if not problems and document["status"]["phase"] == "Running":
        code = ground.start(*arguments).wait()
        if code != 0:
            problems.append(f"the last resume: exit code {code}: {ground.messages.read_text()[-2000:]}")
    final = ground.document()
    problems += check(ground, final, safe)
    rename = json.dumps(masked(expected)).replace(str(root / "calm"), str(root / "killed"))
    if not problems and json.loads(rename) != masked(final):
        problems.append("the end is not the one of a run without kills")
    again = {name: n for name, n in ground.begun().items() if n > 1}
    print(f"{sum(again.values()) - len(again)} executions were cut short and begun again", flush=True)
    return problems, done


def check(ground, document, safe):
    """What had succeeded is still so, with the same outputs, and has not begun again."""
    problems = []
    now = succeeded(document)
    begun = ground.begun()

    def count(node):
        return sum(n for name, n in begun.items() if name == node or (node.endswith(".onExit") and name.startswith("bye ")))

    for node, (outputs, times) in safe.items():
        if node not in now:
            problems.append(f"{node} had succeeded and has not any more")
        elif now[node] != outputs:
            problems.append(f"{node} had other outputs before")
        if count(node) != times:
            problems.append(f"{node} had succeeded and began again")
    for node, outputs in now.items():
        if count(node) == 0:
            problems.append(f"{node} has succeeded without having run")
        safe.setdefault(node, (outputs, count(node)))
    return problems


if __name__ == "__main__":
    sys.exit(main())
