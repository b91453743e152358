#!/usr/bin/env python3
"""Judges the results of one run of examples/genomics by the files it left, not by its word.

  tests/genomics_check.py DIR                    DIR holds variants/ and results/ of one run
  tests/genomics_check.py DIR --same-as OTHER    and its variants equal OTHER's, byte by byte
  tests/genomics_check.py --self-test            shows that each kind of wrong result is refused

Recall and precision of each caller and class are counted anew from the VCF files and must reach the
threshold, the run's own figures must agree, and its negative control must have been refused.
"""

import argparse
import gzip
import hashlib
import json
import os
import shutil
import sys
import tempfile

CALLERS = ("bcftools", "freebayes")
CLASSES = ("snv", "indel")
# What a header may not tell: it would differ from run to run or from place to place.
UNSTABLE = ("##filedate", "##source", "##reference", "##commandline", "##bcftools_")


def read_variants(path, problems):
    found = set()
    with gzip.open(path, "rt") as lines:
        for line in lines:
            if line.startswith("#"):
                if line.lower().startswith(UNSTABLE):
                    problems.append(f"{path}: its header says {line.strip()}")
                continue
            contig, position, _, ref, alt = line.rstrip("\n").split("\t")[:5]
            variant = contig, int(position), ref, alt
            if variant in found:
                problems.append(f"{path}: {variant} is there twice")
            found.add(variant)
    return found


def read_regions(path):
    with open(path) as lines:
        rows = [line.split() for line in lines]
    return [(contig, int(start), int(end)) for contig, start, end in rows]


def within(variants, regions):
    return {v for v in variants
            if any(c == v[0] and start < v[1] <= end for c, start, end in regions)}


def of_class(variants, kind):
    return {v for v in variants if (len(v[2]) == len(v[3])) == (kind == "snv")}


def read_json(path):
    with open(path) as file:
        return json.load(file)


def judge_control(control, threshold):
    figures = [c[n] for c in control["classes"].values() for n in ("recall", "precision")]
    if control["passed"] or min(figures) >= threshold:
        yield "the negative control passed: a tampered truth went unnoticed"


def judge_caller(folder, caller, truth, regions, options):
    """Yields what is wrong with one caller's results."""
    path = os.path.join(folder, "variants", f"{caller}.vcf.gz")
    problems = []
    calls = within(read_variants(path, problems), regions)
    yield from problems
    claimed = read_json(os.path.join(folder, "results", f"evaluation-{caller}.json"))
    with open(path, "rb") as file:
        if hashlib.sha256(file.read()).hexdigest() != claimed["calls_sha256"]:
            yield "the variants are not those that were evaluated"
    for kind in CLASSES:
        true, called = of_class(truth, kind), of_class(calls, kind)
        both = len(true & called)
        if len(true) < options.least:
            yield f"{kind}: {len(true)} variants of truth, which shows nothing"
            continue
        recall, precision = both / len(true), both / len(called) if called else 0.0
        figures = f"{kind}: recall {recall:.4f}, precision {precision:.4f}"
        if min(recall, precision) < options.threshold:
            yield f"{figures}, below {options.threshold}"
        if not options.self_test:
            print(f"{caller} {figures}")
        said = claimed["classes"][kind]
        if (abs(said["recall"] - recall) > 1e-5 or abs(said["precision"] - precision) > 1e-5):
            yield f"{kind}: the run says {said['recall']} and {said['precision']}"
    control = read_json(os.path.join(folder, "results", f"control-{caller}.json"))
    yield from judge_control(control, options.threshold)


def differences(folder, other):
    names = ["truth.vcf.gz"] + [f"{caller}.vcf.gz" for caller in CALLERS]
    for name in names:
        contents = []
        for place in folder, other:
            with open(os.path.join(place, "variants", name), "rb") as file:
                contents.append(file.read())
        if contents[0] != contents[1]:
            yield f"{name}: its bytes differ from those in {other}"


def judge(folder, options):
    """All that is wrong with a folder of results; empty when it is right."""
    problems = []
    try:
        truth = read_variants(os.path.join(folder, "variants", "truth.vcf.gz"), [])
        regions = read_regions(os.path.join(folder, "variants", "mappable.bed"))
        truth = within(truth, regions)
        for caller in CALLERS:
            problems += [f"{caller}: {p}" for p in
                         judge_caller(folder, caller, truth, regions, options)]
        if options.same_as:
            problems += differences(folder, options.same_as)
    except (OSError, EOFError, ValueError, KeyError) as error:
        problems.append(f"unreadable results: {error!r}")
    return problems


def write_vcf(path, variants, extra=""):
    text = "##fileformat=VCFv4.2\n" + extra + "#CHROM\tPOS\tID\tREF\tALT\n"
    text += "".join(f"{c}\t{p}\t.\t{r}\t{a}\n" for c, p, r, a in sorted(variants))
    with open(path, "wb") as file:
        file.write(gzip.compress(text.encode(), mtime=0))


def write_study(folder, truth, calls, claim=1.0, control=0.8, extra=""):
    """A made-up run whose claims fit its files unless told otherwise."""
    for name in "variants", "results":
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    write_vcf(os.path.join(folder, "variants", "truth.vcf.gz"), truth)
    with open(os.path.join(folder, "variants", "mappable.bed"), "w") as file:
        file.write("w1\t0\t100000\n")
    for caller in CALLERS:
        path = os.path.join(folder, "variants", f"{caller}.vcf.gz")
        write_vcf(path, calls, extra)
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        for label, figure in ("evaluation", claim), ("control", control):
            classes = {k: {"recall": figure, "precision": figure} for k in CLASSES}
            result = {"passed": figure >= 0.99, "calls_sha256": digest, "classes": classes}
            with open(os.path.join(folder, "results", f"{label}-{caller}.json"), "w") as file:
                json.dump(result, file)


def self_test(options):
    truth = {("w1", 1000 + 100 * i, "A", "C" if i % 2 else "AT") for i in range(200)}
    some = set(sorted(truth)[:20])
    wrong = {("w1", v[1] + 7, v[2], v[3]) for v in some}
    repeats = {("w1", 200000 + i, "A", "C") for i in range(50)}
    cases = [
        ("right results", True, dict(truth=truth, calls=truth)),
        ("calls in repeats do not count", True, dict(truth=truth, calls=truth | repeats)),
        ("truth lost a tenth", False, dict(truth=truth - some, calls=truth)),
        ("calls lost a tenth", False, dict(truth=truth, calls=truth - some)),
        ("calls at wrong places", False, dict(truth=truth, calls=truth | wrong)),
        ("no calls", False, dict(truth=truth, calls=set())),
        ("no truth", False, dict(truth=set(), calls=set())),
        ("claims below the files", False, dict(truth=truth, calls=truth, claim=0.9)),
        ("control passed", False, dict(truth=truth, calls=truth, control=1.0)),
        ("a date in a header", False,
         dict(truth=truth, calls=truth, extra="##fileDate=20200101\n")),
    ]
    failed = 0
    with tempfile.TemporaryDirectory() as top:
        for i, (name, right, study) in enumerate(cases):
            folder = os.path.join(top, str(i))
            write_study(folder, **study)
            if (not judge(folder, options)) != right:
                print(f"FAILED: {name}")
                failed += 1
        first, other = os.path.join(top, "0"), os.path.join(top, "other")
        shutil.copytree(first, other)
        options.same_as = other
        failed += bool(judge(first, options))
        write_vcf(os.path.join(other, "variants", "freebayes.vcf.gz"), truth, "##a=b\n")
        failed += not judge(first, options)
        os.remove(os.path.join(first, "results", "control-bcftools.json"))
        options.same_as = None
        failed += not judge(first, options)
    total = len(cases) + 3
    print(f"{total - failed} passed, {failed} failed")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--threshold", type=float, default=0.99)
    parser.add_argument("--least", type=int, default=20, help="variants of truth in each class")
    parser.add_argument("--same-as", metavar="DIR")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        return self_test(options)
    if not options.folder:
        parser.error("a folder of results, or --self-test")
    problems = judge(options.folder, options)
    for problem in problems:
        print(f"WRONG: {problem}")
    print("1 passed, 0 failed" if not problems else "0 passed, 1 failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
