#!/usr/bin/env python3
"""Holds docs/commands.md against the program: every verb has its section, every flag of its --help stands in it, and
no section names a flag that the program does not have.

commands_documented.py --program PATH docs/commands.md
"""
import argparse
import pathlib
import re
import subprocess
import sys

FLAG = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")


def help_of(program, *verb):
    done = subprocess.run([program, *verb, "--help"], capture_output=True, text=True, check=True)
    return done.stdout


def flags_of(text):
    """The flags that begin the lines of a help text."""
    out = set()
    for line in text.splitlines():
        match = re.match(r"  (-\S+)", line)
        if match:
            names = re.sub(r"\{[^}]*\}.*", "", match.group(1).split(":")[0])
            out.update(name for name in names.split(",") if name.startswith("-"))
    return out - {"-h", "--help"}


def verbs_of(text):
    """The verbs that a help text lists below its headings."""
    out, inside = [], False
    for line in text.splitlines():
        if re.match(r"\S.*:$", line):
            inside = line not in ("Options:", "Positionals:")
        elif inside and (match := re.match(r"  ([a-z][\w-]*)[\s,]", line)):
            out.append(match.group(1))
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("document")
    options = parser.parse_args()
    sections, name = {}, None
    for line in pathlib.Path(options.document).read_text().splitlines():
        if line.startswith("## "):
            name = line[3:].strip("` ")
            sections[name] = ""
        elif name is not None:
            sections[name] += line + "\n"
    wrong = []

    def check(title, text):
        if title not in sections:
            wrong.append(f"no section for {title}")
            return
        flags, documented = flags_of(text), set()
        for quoted in re.findall(r"^\| (`.*?) \|", sections[title], re.M):
            documented.update(FLAG.findall(quoted))
        wrong.extend(f"{title}: {flag} is not documented" for flag in sorted(flags - documented))
        wrong.extend(f"{title}: {flag} is documented, but there is none" for flag in sorted(documented - flags))

    top = help_of(options.program)
    check("every verb", top)
    for verb in verbs_of(top):
        text = help_of(options.program, verb)
        inner = verbs_of(text)
        for part in inner:
            check(f"{verb} {part}", help_of(options.program, verb, part))
        if not inner:
            check(verb, text)
    for line in wrong:
        print(line)
    print(f"{len(sections)} sections, {len(wrong)} wrong")
    return 1 if wrong or len(sections) < 5 else 0


if __name__ == "__main__":
    sys.exit(main())
