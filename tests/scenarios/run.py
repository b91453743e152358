#!/usr/bin/env python3
"""Runs scenario files through the real program: run.py --program PATH [--restart-seed N] [--keep] FILE...

A scenario is a YAML file:
  description   one sentence
  rows          the rows of docs/compatibility.md that it shows
  needs         paths, relative to the repository, without which it is skipped
  files         name -> text, written into the scenario's folder before the first step; `@WORK@` in any text
                of the scenario is that folder, `@ROOT@` the repository
  restart       true: the workflow of the first step is run once more, killed at random points and resumed
                until it ends; its document must come out the same, times aside. A number is how often to kill
  steps         one after the other, each one of
    tiphys: ARGUMENTS            the program, with --state set to the scenario's own; words split as a shell does
    sh: COMMAND                  a shell command in the scenario's folder; $TIPHYS is the program
      with: stdin, env, background: NAME (do not wait), exit (default 0, null = any), and of its output
      stdout, stderr (patterns that are found), not_stdout, not_stderr, stdout_is (exact text), json (see below)
    wait_for: {workflow, node, ...}   until a node (or, without node, the status) matches the other keys
    signal: {process, send}           a signal to a background process
    join: NAME                        waits for a background process; same expectations as tiphys
    workflow: NAME                    looks at what `get -o json` says of it:
      status, spec, metadata, nodes: {NAME: ...}, never: [patterns of node names], count: {TYPE: how many},
      order: [NAMES] each has ended when the next starts
    file: PATH                        its text: text (exact), matches (patterns), absent: true, mode

A node is named by its display name or its full name; a full name may leave out the workflow ("[0].a", ".a").
Documents are compared by what is asked for: an object must have the keys given, a list of things with names can be
asked by name ({x: value}), a text that begins with ~ is a pattern, <absent> says that there must be no such key.
"""
import argparse
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds until something that should happen counts as not happening
SKIPPED = 77
MASKED = {"startedAt", "finishedAt", "creationTimestamp", "uid", "resourceVersion", "generation", "managedFields",
          "resourcesDuration", "estimatedDuration"}


class Failure(Exception):
    pass


def differences(want, have, where):
    """What of `want` is not in `have`, as sentences."""
    if want == "<absent>":
        return [] if have is None else [f"{where}: should be absent, is {json.dumps(have)}"]
    if isinstance(want, dict) and isinstance(have, list) and all(isinstance(x, dict) and "name" in x for x in have):
        named = {x["name"]: x for x in have}
        out = []
        for name, value in want.items():
            found = named.get(name)
            if found is not None and not isinstance(value, dict) and value != "<absent>":
                found = found.get("value")
            out += differences(value, found, f"{where}[{name}]")
        return out
    if isinstance(want, dict):
        if not isinstance(have, dict):
            return [f"{where}: expected an object, found {json.dumps(have)}"]
        return [text for key, value in want.items() for text in differences(value, have.get(key), f"{where}.{key}")]
    if isinstance(want, list) and isinstance(have, list) and len(want) == len(have):
        return [text for i, (a, b) in enumerate(zip(want, have)) for text in differences(a, b, f"{where}[{i}]")]
    if isinstance(want, str) and want.startswith("~"):
        text = have if isinstance(have, str) else json.dumps(have)
        return [] if re.search(want[1:], text, re.S) else [f"{where}: {json.dumps(have)} does not match {want[1:]}"]
    return [] if want == have else [f"{where}: expected {json.dumps(want)}, found {json.dumps(have)}"]


def as_list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def masked(value):
    """A document without what may differ from run to run."""
    if isinstance(value, dict):
        return {k: (sorted(v) if k == "children" else masked(v)) for k, v in value.items() if k not in MASKED}
    return [masked(x) for x in value] if isinstance(value, list) else value


class Scenario:
    def __init__(self, path, program, folder):
        self.folder = folder
        self.program = program
        self.state = folder / "state"
        self.background = {}
        text = path.read_text().replace("@WORK@", str(folder)).replace("@ROOT@", str(ROOT))
        self.content = yaml.safe_load(text)
        unknown = set(self.content) - {"description", "rows", "needs", "files", "steps", "restart"}
        if unknown:
            raise Failure(f"unknown keys {sorted(unknown)}")
        for name, body in (self.content.get("files") or {}).items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(body if isinstance(body, bytes) else body.encode())

    def environment(self, extra=None):
        out = {k: v for k, v in os.environ.items() if not k.startswith(("TIPHYS", "XDG_"))}
        out.update(HOME=str(self.folder), TIPHYS=str(self.program), TIPHYS_STATE=str(self.state), NO_COLOR="1", LC_ALL="C.UTF-8")
        out.update({k: str(v) for k, v in (extra or {}).items()})
        return out

    def command(self, step):
        if "tiphys" in step:
            return [str(self.program), *shlex.split(step["tiphys"])]
        return ["bash", "-c", step["sh"]]

    def start(self, command, step, out, err):
        process = subprocess.Popen(command, cwd=self.folder, env=self.environment(step.get("env")), stdin=subprocess.PIPE,
                                   stdout=out, stderr=err, start_new_session=True)
        return process

    def carry_out(self, step):
        known = {"tiphys", "sh", "stdin", "env", "background", "exit", "stdout", "stderr", "not_stdout", "not_stderr", "stdout_is",
                 "json"}
        if set(step) - known:
            raise Failure(f"unknown keys {sorted(set(step) - known)}")
        label = step.get("background") or "step"
        out, err = (tempfile.TemporaryFile() for _ in range(2))
        process = self.start(self.command(step), step, out, err)
        process.kept = (out, err)
        if "background" in step:
            process.stdin.close()
            self.background[label] = process
            return
        try:
            process.stdin.write(step.get("stdin", "").encode())
            process.stdin.close()
        except BrokenPipeError:
            pass
        self.judge(process, step)

    def judge(self, process, step):
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise Failure(f"did not end within {PATIENCE} s\n{self.output(process)}") from None
        texts = []
        for stream in process.kept:
            stream.seek(0)
            texts.append(stream.read().decode(errors="replace"))
        problems = []
        if step.get("exit", 0) is not None and code != step.get("exit", 0):
            problems.append(f"exit code {code}, expected {step.get('exit', 0)}")
        for stream, text in zip(("stdout", "stderr"), texts):
            problems += [f"{stream} lacks /{p}/" for p in as_list(step.get(stream)) if not re.search(p, text, re.M)]
            problems += [f"{stream} has /{p}/" for p in as_list(step.get("not_" + stream)) if re.search(p, text, re.M)]
        if "stdout_is" in step and texts[0] != step["stdout_is"]:
            problems.append(f"stdout is not {step['stdout_is']!r}")
        if "json" in step:
            try:
                problems += differences(step["json"], json.loads(texts[0]), "json")
            except ValueError as error:
                problems.append(f"stdout is no JSON: {error}")
        if problems:
            raise Failure("\n".join(problems) + f"\n--- stdout\n{texts[0]}--- stderr\n{texts[1]}")

    @staticmethod
    def output(process):
        out = ""
        for name, stream in zip(("stdout", "stderr"), process.kept):
            stream.seek(0)
            out += f"--- {name}\n{stream.read().decode(errors='replace')}"
        return out

    def document(self, name):
        got = subprocess.run([str(self.program), "get", name, "-o", "json"], cwd=self.folder, env=self.environment(),
                             capture_output=True, text=True, timeout=PATIENCE, check=False)
        if got.returncode != 0:
            raise Failure(f"get {name}: {got.stderr.strip()}")
        return json.loads(got.stdout)

    @staticmethod
    def nodes_called(document, name):
        nodes = list((document.get("status", {}).get("nodes") or {}).values())
        root = document["metadata"]["name"]
        exact = [n for n in nodes if n.get("name") in (name, root + name)]
        return exact or [n for n in nodes if n.get("displayName") == name]

    def wait_for(self, what):
        want = {k: v for k, v in what.items() if k not in ("workflow", "node")}
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                document = self.document(what["workflow"])
                things = self.nodes_called(document, what["node"]) if "node" in what else [document.get("status", {})]
                if any(not differences(want, thing, "") for thing in things):
                    return
                last = json.dumps(things)
            except (Failure, ValueError) as error:
                last = str(error)
            for name, process in self.background.items():
                if process.poll() is not None and process.poll() != -9 and time.monotonic() > deadline - PATIENCE + 5:
                    raise Failure(f"{name} has ended while waiting for {what}; last: {last}\n{self.output(process)}")
            if time.monotonic() > deadline:
                raise Failure(f"waited for {what}; last: {last}")
            time.sleep(0.03)

    def check_workflow(self, step):
        known = {"workflow", "status", "spec", "metadata", "nodes", "never", "count", "order"}
        if set(step) - known:
            raise Failure(f"unknown keys {sorted(set(step) - known)}")
        document = self.document(step["workflow"])
        problems = [text for part in ("status", "spec", "metadata") if part in step
                    for text in differences(step[part], document.get(part), part)]
        for name, want in (step.get("nodes") or {}).items():
            found = self.nodes_called(document, name)
            if not found:
                problems.append(f"no node {name}")
            elif all(differences(want or {}, node, name) for node in found):
                problems += differences(want, found[0], f"node {name}")
        nodes = list((document.get("status", {}).get("nodes") or {}).values())
        for pattern in as_list(step.get("never")):
            problems += [f"node {n['name']} should not be" for n in nodes if re.search(pattern, n["name"])]
        for kind, number in (step.get("count") or {}).items():
            have = sum(1 for n in nodes if n.get("type") == kind)
            problems += [] if have == number else [f"{have} nodes of type {kind}, expected {number}"]
        order = as_list(step.get("order"))
        for first, second in zip(order, order[1:]):
            before, after = self.nodes_called(document, first), self.nodes_called(document, second)
            if not before or not after or not before[0].get("finishedAt") or before[0]["finishedAt"] > after[0]["startedAt"]:
                problems.append(f"{first} has not ended before {second} starts")
        if problems:
            listed = "\n".join(f"  {n.get('type')} {n.get('name')} {n.get('phase')} {n.get('message', '')}" for n in nodes)
            raise Failure("\n".join(problems) + f"\nstatus: {document.get('status', {}).get('phase')} "
                          f"{document.get('status', {}).get('message', '')}\n{listed}")

    def check_file(self, step):
        found = sorted(self.folder.glob(step["file"]))
        if step.get("absent"):
            if found:
                raise Failure(f"{step['file']} exists: {found}")
            return
        if not found:
            raise Failure(f"there is no {step['file']}")
        text = found[0].read_text(errors="replace") if found[0].is_file() else ""
        if "text" in step and text != step["text"]:
            raise Failure(f"{found[0]} is {text!r}, expected {step['text']!r}")
        for pattern in as_list(step.get("matches")):
            if not re.search(pattern, text, re.M):
                raise Failure(f"{found[0]} lacks /{pattern}/:\n{text}")
        if "mode" in step and oct(stat.S_IMODE(found[0].stat().st_mode)) != oct(int(str(step["mode"]), 8)):
            raise Failure(f"{found[0]} has mode {oct(stat.S_IMODE(found[0].stat().st_mode))}")

    def step(self, step):
        if "tiphys" in step or "sh" in step:
            self.carry_out(step)
        elif "wait_for" in step:
            self.wait_for(step["wait_for"])
        elif "signal" in step:
            self.background[step["signal"]["process"]].send_signal(getattr(signal, "SIG" + step["signal"]["send"]))
        elif "join" in step:
            self.judge(self.background.pop(step["join"]), step)
        elif "workflow" in step:
            self.check_workflow(step)
        elif "file" in step:
            self.check_file(step)
        else:
            raise Failure(f"no such step: {sorted(step)}")

    def run(self):
        for number, step in enumerate(self.content["steps"], 1):
            try:
                self.step(step)
            except Failure as failure:
                what = next(iter(step.items()))
                raise Failure(f"step {number} ({what[0]}: {what[1]})\n{failure}") from None

    def run_restarted(self, seed, kills):
        """The first step's workflow again, killed and resumed; its document must be the one that it had."""
        step = self.content["steps"][0]
        expected = masked(self.document("@latest"))
        name = expected["metadata"]["name"]
        shutil.rmtree(self.state)
        rng = random.Random(seed)
        command = self.command(step)
        for kill in range(kills + 1):
            with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
                process = self.start(command, step, out, err)
                process.stdin.write(step.get("stdin", "").encode())
                process.stdin.close()
                process.kept = (out, err)
                try:
                    process.wait(PATIENCE if kill == kills else rng.uniform(0.005, 0.35))
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                if process.returncode != -9:
                    break
                try:
                    ended = self.document(name)["metadata"].get("labels", {}).get("workflows.argoproj.io/completed") == "true"
                    if ended:
                        break
                    command = [str(self.program), "run", "--resume", name]
                except Failure:
                    command = self.command(step)  # killed before it was stored
        have = masked(self.document(name))
        if have != expected:
            shown = [text for text in differences(expected, have, "") + differences(have, expected, "reverse")]
            raise Failure(f"after {kill} kills (seed {seed}) the document differs\n" + "\n".join(shown[:20]))

    def strays(self):
        """Processes that still have something of the scenario's folder mounted or open as their own."""
        out = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    if str(self.state) in (entry / "mountinfo").read_text() or str(self.state) in (entry / "cmdline").read_text():
                        out.append(f"{entry.name}: {(entry / 'cmdline').read_text()!r}")
                except OSError:
                    continue
        return out

    def kill_all(self):
        """Every process that carries the scenario's HOME, however it left its group."""
        mark = f"HOME={self.folder}".encode()
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    os.kill(int(entry.name), signal.SIGKILL)
            except OSError:
                continue

    def end(self):
        for process in self.background.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        deadline = time.monotonic() + 10
        while (left := self.strays()) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.kill_all()
        return left


def run_one(path, options):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tiphys-scenario-")).resolve()
    scenario = None
    failure = None
    try:
        scenario = Scenario(path, options.program, folder)
        missing = [need for need in scenario.content.get("needs", []) if not (ROOT / need).exists()]
        if missing:
            return f"skipped, there is no {', '.join(missing)}", True
        scenario.run()
        if scenario.content.get("restart"):
            kills = 4 if scenario.content["restart"] is True else scenario.content["restart"]
            scenario.run_restarted(options.restart_seed, kills)
    except Failure as error:
        failure = str(error)
    finally:
        left = scenario.end() if scenario else []
        if left and failure is None:
            failure = "processes are left:\n" + "\n".join(left)
        if not (options.keep and failure):
            shutil.rmtree(folder, ignore_errors=True)
    return failure, False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=lambda text: pathlib.Path(text).resolve(), required=True)
    parser.add_argument("--restart-seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--keep", action="store_true", help="keep the folder of a scenario that fails")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    failed = skipped = 0
    for path in options.files:
        started = time.monotonic()
        problem, skip = run_one(path, options)
        skipped += skip
        failed += bool(problem) and not skip
        print(f"{'skip' if skip else 'FAIL' if problem else 'ok'} {path.stem} ({time.monotonic() - started:.2f} s)", flush=True)
        if problem:
            print("  " + problem.replace("\n", "\n  "), flush=True)
    print(f"{len(options.files) - failed - skipped} passed, {failed} failed")
    return 1 if failed else SKIPPED if skipped == len(options.files) else 0


if __name__ == "__main__":
    sys.exit(main())
