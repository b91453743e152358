#!/usr/bin/env python3
"""Runs the study of examples/genomics without a workflow engine: ninja drives the same commands.

The yardstick for the wall time of an engine, and the proof that the commands are right. Scripts,
file names and parameters come out of the example's YAML files (python3-yaml); only the graph is
told again here. Steps run bare, in one folder, under paths relative to it. A step's files lie where
their keys say, so that the folder reads like the artifacts of one run. Wall time is that of ninja,
without what this script does around it.

  bench/genomics_ninja.py demo --out /tmp/study            run once, print wall and CPU time
  bench/genomics_ninja.py tiny --out /tmp/study --again    run twice, compare the results' bytes
  bench/genomics_ninja.py real-reads --out /tmp/study
  bench/genomics_ninja.py tiny --out /tmp/study -p 'interval-min-quality={"0003": 500}'
"""

import argparse
import hashlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time

import yaml

EXAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "examples", "genomics")
TAG = re.compile(r"\{\{(.*?)\}\}")


def load(name):
    with open(os.path.join(EXAMPLE, name)) as file:
        return yaml.safe_load(file)


def parameters_of(workflow, size, given):
    """The workflow's arguments as text, on top those of a parameter file, on top `given`."""
    found = {p["name"]: p["value"] for p in load(workflow)["spec"]["arguments"]["parameters"]}
    if size:
        found.update(load(size))
    found.update(given)
    return {name: str(value) for name, value in found.items()}


class Study:
    """A build.ninja in the making: one edge per step."""

    def __init__(self, out):
        self.out = out
        self.templates = {t["name"]: t for t in load("templates.yaml")["spec"]["templates"]}
        self.edges = []
        self.steps = 0
        self.wall = 0.0
        for folder in ("steps", "logs", "work"):
            os.makedirs(os.path.join(out, folder), exist_ok=True)

    def step(self, template, name=None, after=(), fails=False, parameters=None, artifacts=None):
        """Adds a step and returns the paths of its outputs by name. An artifact is a path, or
        for a gathered folder (path, files that make it up). With `fails`, the step's exit code
        becomes its output `code` instead of ending the build."""
        name = name or template
        spec = self.templates[template]
        inputs, outputs = spec.get("inputs", {}), spec.get("outputs", {})
        values = {"workflow.name": "."}
        for p in inputs.get("parameters", []):
            value = (parameters or {}).get(p["name"], p.get("default"))
            if value is None:
                raise SystemExit(f"{name}: parameter {p['name']} was not supplied")
            values[f"inputs.parameters.{p['name']}"] = str(value)
        needs = list(after)
        for a in inputs.get("artifacts", []):
            path = (artifacts or {})[a["name"]]
            path, files = path if isinstance(path, tuple) else (path, [path])
            values[f"inputs.artifacts.{a['name']}.path"] = path
            needs += files
        made = {}
        for p in outputs.get("parameters", []):
            made[p["name"]] = f"work/{name}.{p['name']}"
            values[f"outputs.parameters.{p['name']}.path"] = made[p["name"]]
        for a in outputs.get("artifacts", []):
            key = a.get("s3", {}).get("key")
            path = os.path.normpath(self.fill(key, values)) if key else f"work/{name}.{a['name']}"
            made[a["name"]] = path
            values[f"outputs.artifacts.{a['name']}.path"] = path
        self.edge(name, spec["script"], values, needs, made, fails)
        return made

    def fill(self, text, values):
        def value(tag):
            if tag.group(1) not in values:
                raise SystemExit(f"unresolved: {tag.group(0)}")
            return values[tag.group(1)]

        return TAG.sub(value, text)

    def edge(self, name, script, values, needs, made, fails):
        path = f"steps/{name}"
        with open(os.path.join(self.out, path), "w") as file:
            file.write(self.fill(script["source"], values))
        command = f"{' '.join(script['command'])} {path} > logs/{name} 2>&1"
        if fails:
            made["code"] = f"work/{name}.code"
            command += f"; echo $$? > {made['code']}"
        elif not made:
            made["done"] = f"work/{name}.done"
            command += f" && : > {made['done']}"
        else:
            command = "exec " + command
        self.edges.append(f"build {' '.join(made.values())}: step | {path} {' '.join(needs)}\n"
                          f"  command = {command}\n")
        self.steps += 1

    def run(self, jobs):
        with open(os.path.join(self.out, "build.ninja"), "w") as file:
            file.write("rule step\n  command = $command\n\n" + "".join(self.edges))
        begin = time.monotonic()
        subprocess.run(["ninja", "-C", self.out, "--quiet", f"-j{jobs}"], check=True)
        self.wall += time.monotonic() - begin

    def json(self, path):
        with open(os.path.join(self.out, path)) as file:
            return json.load(file)


def variant_study(study, p, jobs):
    def given(*names):
        return {name: p[name] for name in names}

    fasta = study.step("reference", parameters=given("genome", "windows", "window-size"))["fasta"]
    ref = {"reference": study.step("index", artifacts={"fasta": fasta})["reference"]}
    plan = study.step("plan", artifacts=ref,
                      parameters=given("intervals", "min-quality", "interval-min-quality"))
    truth = study.step("truth", parameters=given("seed", "spacing"), artifacts=ref)
    regions = study.step("mappable", artifacts=ref)
    haplotypes = [
        study.step("haplotype", f"haplotype-{h}", parameters={"haplotype": h},
                   artifacts=ref | {"truth": truth["vcf"], "truth-index": truth["tbi"]})["fasta"]
        for h in (1, 2)]
    mapped = []
    for i in range(1, int(p["chunks"]) + 1):
        chunk = f"{i:04d}"
        reads = study.step("simulate", f"simulate-{chunk}",
                           parameters=given("chunks", "coverage", "seed") | {"chunk": chunk},
                           artifacts=ref | {"haplotypes": ("haplotypes", haplotypes)})
        mapped.append(study.step("map", f"map-{chunk}", parameters={"chunk": chunk},
                                 artifacts=ref | reads)["bam"])
    # What follows depends on how the plan turns out, as it does in the workflow.
    study.run(jobs)
    contigs, intervals = study.json(plan["contigs"]), study.json(plan["intervals"])
    merged, results = {}, []
    for contig in contigs:
        merged[contig] = study.step("merge", f"merge-{contig}", parameters={"contig": contig},
                                    artifacts={"mapped": ("mapped", mapped)})
        results.append(study.step("quality", f"quality-{contig}", parameters={"contig": contig},
                                  artifacts={"bam": merged[contig]["bam"]})["stats"])
    for caller in "bcftools", "freebayes":
        calls = [
            study.step("call", f"call-{caller}-{i['id']}", parameters=i | {"caller": caller},
                       artifacts=ref | merged[i["contig"]])["calls"] for i in intervals]
        vcf = study.step("gather", f"gather-{caller}", parameters={"caller": caller},
                         artifacts=ref | {"calls": (f"calls/{caller}", calls)})["vcf"]
        common = given("threshold") | {"caller": caller}
        results.append(study.step(
            "evaluate", f"evaluate-{caller}", parameters=common | {"label": "evaluation"},
            artifacts=ref | regions | {"truth": truth["vcf"], "calls": vcf})["result"])
        wrong = study.step("tamper", f"tamper-{caller}", artifacts={"truth": truth["vcf"]})
        control = study.step(
            "evaluate", f"negative-control-{caller}", parameters=common | {"label": "control"},
            artifacts=ref | regions | {"truth": wrong["truth"], "calls": vcf}, fails=True)
        results.append(control["result"])
        code = f"$(cat {control['code']})"
        study.step("expect-failure", f"expect-failure-{caller}", after=[control["code"]],
                   parameters={"status": f"$([ {code} = 0 ] && echo Succeeded || echo Failed)",
                               "exit-code": code})
    study.step("report", parameters={"title": "Variants of E. coli 536", "status": "Succeeded"},
               artifacts={"results": ("results", results)})
    study.run(jobs)


def real_reads(study, p, jobs):
    fasta = study.step("reference", parameters={"genome": p["genome"]})["fasta"]
    ref = {"reference": study.step("index", artifacts={"fasta": fasta})["reference"]}
    split = study.step("split", parameters={n: p[n] for n in ("reads1", "reads2", "chunks")})
    study.run(jobs)
    mapped = [
        study.step("map", f"map-{chunk}", parameters={"chunk": chunk},
                   artifacts=ref | {f"reads{m}": (f"reads/{chunk}_{m}.fq", [split["reads"]])
                                    for m in (1, 2)})["bam"]
        for chunk in study.json(split["chunks"])]
    bam = study.step("merge", parameters={"contig": "s1"},
                     artifacts={"mapped": ("mapped", mapped)})["bam"]
    stats = study.step("quality", artifacts={"bam": bam},
                       parameters={"contig": "s1", "min-mapped": p["min-mapped"]})["stats"]
    study.step("report", artifacts={"results": ("results", [stats])},
               parameters={"title": "Real reads of E. coli K-12 on E. coli 536",
                           "status": "Succeeded"})
    study.run(jobs)


def timed(size, out, jobs, given):
    shutil.rmtree(out, ignore_errors=True)
    study = Study(out)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    if size == "real-reads":
        real_reads(study, parameters_of("real-reads.yaml", None, given), jobs)
    else:
        variant_study(study, parameters_of("genomics.yaml", f"{size}.yaml", given), jobs)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{size}: {study.steps} steps, {study.wall:.1f} s wall, {cpu:.1f} s CPU, "
          f"-j{jobs}", flush=True)
    return {"wall": study.wall, "cpu": cpu}


def digests(out):
    """The study's results: whatever a reader would keep."""
    found = {}
    for folder in "variants", "results", "report":
        for where, _, names in os.walk(os.path.join(out, folder)):
            for name in names:
                path = os.path.join(where, name)
                with open(path, "rb") as file:
                    digest = hashlib.sha256(file.read()).hexdigest()
                found[os.path.relpath(path, out)] = digest
    return found


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("size", choices=["tiny", "demo", "big", "real-reads"])
    options.add_argument("--out", required=True, help="a folder of its own: it is emptied first")
    options.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    options.add_argument("-p", "--parameter", action="append", default=[], metavar="NAME=VALUE")
    options.add_argument("--again", action="store_true",
                         help="run a second time, into OUT.again, and compare the results")
    options.add_argument("--json", action="store_true",
                         help="the figures as one line of JSON, last")
    chosen = options.parse_args()
    given = dict(p.split("=", 1) for p in chosen.parameter)
    figures = timed(chosen.size, chosen.out, chosen.jobs, given)
    with open(os.path.join(chosen.out, "logs", "report")) as file:
        print(file.read(), end="")
    if chosen.json:
        print(json.dumps(figures))
    if not chosen.again:
        return 0
    again = chosen.out.rstrip("/") + ".again"
    timed(chosen.size, again, chosen.jobs, given)
    first, second = digests(chosen.out), digests(again)
    differing = sorted(n for n in first.keys() | second.keys() if first.get(n) != second.get(n))
    print(f"{len(first)} files compared, differing: {' '.join(differing) or 'none'}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
