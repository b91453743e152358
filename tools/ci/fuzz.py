#!/usr/bin/env python3
"""Runs a libFuzzer program for FUZZ_SECONDS seconds (5 without it) from its kept corpus.

    fuzz.py PROGRAM CORPUS

What the run finds on its way goes to a folder of its own, so that the kept corpus stays as it is; an input that
crashes, hangs or takes too much memory is left beside the program as <program>-crash-..., and the exit code is 1.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile


def main():
    program, corpus = map(pathlib.Path, sys.argv[1:3])
    seconds = int(os.environ.get("FUZZ_SECONDS", "5"))
    with tempfile.TemporaryDirectory() as grown:
        for place in corpus.rglob("*"):
            if place.is_file():
                shutil.copy(place, pathlib.Path(grown) / place.name)
        finished = subprocess.run(
            [str(program), grown, f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=2048", "-max_len=4096",
             "-print_final_stats=1", "-verbosity=0", f"-artifact_prefix={program}-"], check=False)
    return 1 if finished.returncode != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
