#!/usr/bin/env python3
"""Looks at the real program through a terminal, as a person does.

cli_terminal_test.py --program PATH [TEST...]

Each test runs the program on a pseudo terminal and keeps a small screen: what the sequences the program writes leave
to be seen. Checked are the live tree, its fit to the terminal's size, and what Ctrl-C does once, twice, three times.
"""
import argparse
import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time

LIMIT = 60.0

WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: @NAME@}
spec:
  entrypoint: main
  onExit: bye
  volumes: [{name: work, hostPath: {path: "@WORK@", type: Directory}}]
  templates:
  - name: main
    dag:
      tasks:
      - {name: first, template: quick}
      - {name: wide, template: gate, depends: first, withSequence: {count: "4"}, arguments: {parameters: [{name: i, value: "{{item}}"}]}}
      - {name: last, template: quick, depends: wide}
  - name: quick
    container: {image: busybox, command: ["true"]}
  - name: gate
    inputs: {parameters: [{name: i}]}
    container:
      image: busybox
      command: [bash, -c, "@GATE@"]
      volumeMounts: [{name: work, mountPath: /job}]
  - name: bye
    container:
      image: busybox
      command: [bash, -c, "touch /job/bye; @BYE@"]
      volumeMounts: [{name: work, mountPath: /job}]
"""
WAIT_FOR_OPEN = "until test -e /job/open; do sleep 0.05; done; echo at item {{inputs.parameters.i}}; test {{inputs.parameters.i}} != 2"


class Screen:
    """Rows of text as the sequences the program uses leave them; other sequences fail the test."""

    SEQUENCE = re.compile(r"\x1b\[(\?2026[hl]|\d*A|\d*J|\d*K|[\d;]*m)")

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.rows, self.row, self.column = [""], 0, 0
        self.scrolled = 0

    def feed(self, text):
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                match = self.SEQUENCE.match(text, at)
                assert match, f"unknown sequence {text[at:at + 12]!r}"
                self.sequence(match.group(1))
                at = match.end()
                continue
            self.character(text[at])
            at += 1

    def sequence(self, sequence):
        if sequence.endswith("A"):
            self.row = max(self.row - int(sequence[:-1] or 1), self.scrolled)
        elif sequence.endswith("J"):
            self.rows = self.rows[: self.row + 1]
            self.rows[self.row] = self.rows[self.row][: self.column]
        elif sequence.endswith("K"):
            self.rows[self.row] = self.rows[self.row][: self.column]

    def character(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row += 1
            if self.row == len(self.rows):
                self.rows.append("")
            self.scrolled = max(self.scrolled, self.row - self.height + 1)
        else:
            row = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = row[: self.column] + character + row[self.column + 1:]
            self.column += 1
            assert self.column <= self.width, f"longer than the terminal: {self.rows[self.row]!r}"

    def text(self):
        return "\n".join(self.rows)


class Terminal:
    """The program on a terminal of its own, Ctrl-C included."""

    def __init__(self, arguments, folder, width=80, height=24):
        self.screen = Screen(width, height)
        self.bytes = b""
        self.master, slave = pty.openpty()
        self.size(width, height)
        environment = dict(os.environ, TERM="xterm-256color")
        environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen(arguments, cwd=folder, env=environment, stdin=slave, stdout=slave,
                                        stderr=slave, preexec_fn=self.lead, close_fds=True)
        os.close(slave)
        self.code = None

    @staticmethod
    def lead():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def size(self, width, height):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.screen.width, self.screen.height = width, height

    def interrupt(self):
        os.write(self.master, b"\x03")

    def read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return True
        try:
            part = os.read(self.master, 65536)
        except OSError:
            part = b""
        if not part:
            return False
        self.bytes += part
        text = self.bytes.decode("utf-8", "ignore")
        self.bytes = b"" if text.encode() == self.bytes else self.bytes[len(text.encode()):]
        self.screen.feed(text.replace("^C", ""))
        return True

    def until(self, pattern):
        """Reads until the screen matches."""
        end = time.monotonic() + LIMIT
        while not re.search(pattern, self.screen.text(), re.S):
            assert time.monotonic() < end, f"never saw {pattern!r}:\n{self.screen.text()}"
            assert self.read(0.2), f"ended before {pattern!r}:\n{self.screen.text()}"

    def end(self):
        end = time.monotonic() + LIMIT
        while self.read(0.2):
            assert time.monotonic() < end, f"does not end:\n{self.screen.text()}"
        os.close(self.master)
        self.code = self.process.wait()
        return self.screen.text()


class Case:
    def __init__(self, program):
        self.program = program
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tiphys-terminal-"))
        self.terminals = []

    def write(self, name, gate=WAIT_FOR_OPEN, bye="true"):
        text = WORKFLOW
        for key, value in {"NAME": name, "WORK": str(self.folder), "GATE": gate, "BYE": bye}.items():
            text = text.replace(f"@{key}@", value)
        (self.folder / f"{name}.yaml").write_text(text)

    def command(self, *arguments):
        return [self.program, "--state", str(self.folder / "state"), *arguments]

    def start(self, *arguments, **size):
        terminal = Terminal(self.command(*arguments), self.folder, **size)
        self.terminals.append(terminal)
        return terminal

    def phase(self, name):
        done = subprocess.run(self.command("get", name, "-o", "json"), capture_output=True, text=True)
        match = re.search(r'"phase": "(\w+)",\s+"progress"', done.stdout)
        return match.group(1) if match else done.stderr

    def open(self):
        (self.folder / "open").touch()

    def close(self):
        for terminal in self.terminals:
            if terminal.process.poll() is None:
                terminal.process.kill()
                terminal.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def the_tree_grows_and_stays(case):
    case.write("tree")
    terminal = case.start("run", "tree.yaml", "-j", "4")
    terminal.until(r"● tree +Running .* 1/5 .*4 running\n ├─✔ first .*\n └─● wide \(4 items\): 4 running .*"
                   r"(\n   ├─● wide\(\d:\d\)  \d\S*s){3}\n   └─● wide\(\d:\d\)  \d")
    case.open()
    text = terminal.end()
    assert terminal.code == 1, terminal.code
    assert re.search(r"✖ tree  Failed .*\n ├─✔ first .*\n ├─✖ wide \(4 items\): 3 done, 1 failed .*\n"
                     r" │ └─✖ wide\(2:2\)  .*exit code 1.*\n │ +┊ at item 2\n(.*\n)*.*onExit", text), text
    assert "Running" not in text, text


def it_fits_a_small_terminal_and_follows_its_size(case):
    case.write("small")
    terminal = case.start("run", "small.yaml", "-j", "4", width=60, height=6)
    terminal.until(r"● small.*(\n ● wide\(\d:\d\)  \d\S*s){4}")
    rows = terminal.screen.text().rstrip("\n").split("\n")
    block = rows[next(i for i, row in enumerate(rows) if row.startswith("● small")):]
    assert len(block) < 6, block
    terminal.size(30, 12)
    terminal.until(r"● small.*wide\(3:3\)")
    case.open()
    terminal.end()


def the_first_interrupt_stops_and_the_exit_handler_runs(case):
    case.write("stopped")
    terminal = case.start("run", "stopped.yaml")
    terminal.until(r"● wide\(0:0\)")
    terminal.interrupt()
    text = terminal.end()
    assert terminal.code == 1, terminal.code
    assert "note: stopping: exit handlers run" in text, text
    assert (case.folder / "bye").exists()
    assert case.phase("stopped") == "Failed", case.phase("stopped")


def the_second_interrupt_terminates(case):
    case.write("ended", bye="sleep 1000")
    terminal = case.start("run", "ended.yaml")
    terminal.until(r"● wide\(0:0\)")
    terminal.interrupt()
    terminal.until(r"● onExit")
    terminal.interrupt()
    text = terminal.end()
    assert "note: terminating" in text, text
    assert terminal.code == 1, terminal.code
    assert case.phase("ended") == "Failed", case.phase("ended")


def the_third_interrupt_leaves_and_resume_goes_on(case):
    # A step that ignores its signals keeps the run from ending until its grace period has passed.
    case.write("left", gate="trap '' TERM; touch /job/trapped; until test -e /job/open; do sleep 0.05; done")
    terminal = case.start("run", "left.yaml", "-j", "1")
    terminal.until(r"● wide\(0:0\)")
    while not (case.folder / "trapped").exists():
        time.sleep(0.02)
    for told in ("stopping", "terminating"):
        terminal.interrupt()
        terminal.until("note: " + told)
    terminal.interrupt()
    text = terminal.end()
    assert terminal.code == 130, terminal.code
    assert "tiphys run --resume left" in text, text
    assert case.phase("left") == "Running", case.phase("left")
    case.open()
    again = subprocess.run(case.command("run", "--resume", "left"), capture_output=True, text=True)
    assert again.returncode == 1, again
    assert case.phase("left") == "Failed", case.phase("left")


def another_terminal_watches(case):
    case.write("seen")
    runner = subprocess.Popen(case.command("run", "seen.yaml", "-j", "4"), stdout=subprocess.DEVNULL, cwd=case.folder)
    try:
        while subprocess.run(case.command("get", "seen"), capture_output=True).returncode != 0:
            time.sleep(0.05)
        terminal = case.start("watch", "seen")
        terminal.until(r"● seen .*● wide\(3:3\)")
        case.open()
        text = terminal.end()
        assert terminal.code == 1, terminal.code
        assert re.search(r"✖ seen .*✖ wide\(2:2\)", text, re.S), text
    finally:
        case.open()
        runner.wait()


TESTS = [the_tree_grows_and_stays, it_fits_a_small_terminal_and_follows_its_size,
         the_first_interrupt_stops_and_the_exit_handler_runs, the_second_interrupt_terminates,
         the_third_interrupt_leaves_and_resume_goes_on, another_terminal_watches]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("tests", nargs="*")
    options = parser.parse_args()
    failed = 0
    for test in TESTS:
        if options.tests and test.__name__ not in options.tests:
            continue
        case = Case(os.path.abspath(options.program))
        try:
            test(case)
            print(f"ok {test.__name__}", flush=True)
        except AssertionError as error:
            failed += 1
            print(f"FAILED {test.__name__}: {error}", flush=True)
        finally:
            case.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
