#!/usr/bin/env python3
"""clang-tidy over the sources, two at a time. `tidy.py BUILD_DIR [FILE...]`.

A source is skipped when nothing that can change the answer has changed since it last passed: its own text, every header
of the tree and the configuration. The passes are remembered in BUILD_DIR/tidy-passed.
"""
import concurrent.futures
import hashlib
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def digest(*paths):
    sha = hashlib.sha256()
    for path in paths:
        sha.update(path.read_bytes())
    return sha.hexdigest()


def main():
    build = pathlib.Path(sys.argv[1])
    passed_file = build / "tidy-passed"
    passed = set(passed_file.read_text().split()) if passed_file.exists() else set()
    world = digest(ROOT / ".clang-tidy", *sorted((ROOT / "src").rglob("*.h")))
    commands = json.loads((build / "compile_commands.json").read_text())
    sources = sorted({pathlib.Path(c["file"]) for c in commands})
    wanted = {pathlib.Path(name).resolve() for name in sys.argv[2:]}
    sources = [s for s in sources if (ROOT / "src") in s.parents and not s.name.endswith(("_test.cc", "_fuzz.cc"))
               and (not wanted or s in wanted)]
    keys = {source: hashlib.sha256((world + digest(source)).encode()).hexdigest() for source in sources}
    todo = [source for source in sources if keys[source] not in passed]

    def run(source):
        result = subprocess.run(["clang-tidy-19", "-p", str(build), "--quiet", str(source)], capture_output=True, text=True)
        return source, result.returncode, result.stdout

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for source, code, output in pool.map(run, todo):
            if code == 0:
                passed.add(keys[source])
            else:
                failed += 1
                print(output)
    passed_file.write_text("\n".join(sorted(passed & set(keys.values()))))
    print(f"tidy: {len(sources)} sources, {len(sources) - len(todo)} known, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
