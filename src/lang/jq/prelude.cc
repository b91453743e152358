#include "lang/jq/prelude.h"

namespace tiphys::lang::jq {
namespace {

// What each does is in the jq manual; which errors are seen, and which paths a function may be used
// in, follows from how gojq builds them.
constexpr PreludeEntry kPrelude[] = {
    {"not", 0, "def not: if . then false else true end;"},
    {"select", 1, "def select(p): if p then . else empty end;"},
    {"map", 1, "def map(f): [.[] | f];"},
    {"map_values", 1, "def map_values(f): .[] |= f;"},
    {"add", 1, "def add(f): [f] | add;"},
    {"in", 1, "def in(c): . as $key | c | has($key);"},

    {"recurse", 0, "def recurse: recurse(.[]?);"},
    {"recurse", 1, "def recurse(f): def go: ., (f | go); go;"},
    {"recurse", 2, "def recurse(f; p): def go: ., (f | select(p) | go); go;"},
    {"walk", 1,
     "def walk(f): def go: if type == \"array\" then map(go) elif type == \"object\" then "
     "map_values(go) end | f; go;"},
    {"paths", 0, "def paths: path(..) | select(. != []);"},
    {"paths", 1, "def paths(p): path(.. | select(p)) | select(. != []);"},
    {"pick", 1,
     "def pick(f): . as $all | reduce path(f) as $p (null; setpath($p; $all | getpath($p)));"},
    {"del", 1, "def del(f): delpaths([path(f)]);"},

    {"to_entries", 0, "def to_entries: [keys[] as $k | {key: $k, value: .[$k]}];"},
    {"from_entries", 0,
     "def from_entries: map({(.key // .Key // .name // .Name): if has(\"value\") then .value else "
     ".Value end}) | add // {};"},
    {"with_entries", 1, "def with_entries(f): to_entries | map(f) | from_entries;"},

    {"while", 2, "def while(p; f): def go: if p then ., (f | go) else empty end; go;"},
    {"until", 2, "def until(p; f): def go: if p then . else f | go end; go;"},
    {"repeat", 1, "def repeat(f): def go: f, go; go;"},
    {"range", 1, "def range($n): _range(0; $n; 1);"},
    {"range", 2, "def range($from; $to): _range($from; $to; 1);"},
    {"range", 3, "def range($from; $to; $by): _range($from; $to; $by);"},

    {"min_by", 1, "def min_by(f): _min_by(map([f]));"},
    {"max_by", 1, "def max_by(f): _max_by(map([f]));"},
    {"sort_by", 1, "def sort_by(f): _sort_by(map([f]));"},
    {"group_by", 1, "def group_by(f): _group_by(map([f]));"},
    {"unique_by", 1, "def unique_by(f): _unique_by(map([f]));"},

    {"arrays", 0, "def arrays: select(type == \"array\");"},
    {"objects", 0, "def objects: select(type == \"object\");"},
    {"iterables", 0, "def iterables: select(type | . == \"array\" or . == \"object\");"},
    {"booleans", 0, "def booleans: select(type == \"boolean\");"},
    {"numbers", 0, "def numbers: select(type == \"number\");"},
    {"finites", 0, "def finites: select(isfinite);"},
    {"normals", 0, "def normals: select(isnormal);"},
    {"strings", 0, "def strings: select(type == \"string\");"},
    {"nulls", 0, "def nulls: select(. == null);"},
    {"values", 0, "def values: select(. != null);"},
    {"scalars", 0, "def scalars: select(type | . != \"array\" and . != \"object\");"},

    {"combinations", 0,
     "def combinations: if length == 0 then [] else .[0][] as $head | [$head] + (.[1:] | "
     "combinations) end;"},
    {"combinations", 1, "def combinations(n): [limit(n; repeat(.))] | combinations;"},

    {"first", 0, "def first: .[0];"},
    {"first", 1, "def first(g): label $done | g | ., break $done;"},
    {"last", 0, "def last: .[-1];"},
    {"last", 1, "def last(g): reduce g as $v (null; [$v]) | if . then .[0] else empty end;"},
    {"isempty", 1, "def isempty(g): label $done | (g | false, break $done), true;"},
    {"all", 0, "def all: all(.);"},
    {"all", 1, "def all(p): all(.[]; p);"},
    {"all", 2, "def all(g; p): isempty(g | select(p | not));"},
    {"any", 0, "def any: any(.);"},
    {"any", 1, "def any(p): any(.[]; p);"},
    {"any", 2, "def any(g; p): isempty(g | select(p)) | not;"},
    {"limit", 2,
     "def limit($n; g): if $n > 0 then label $done | foreach g as $v ($n; . - 1; $v, if . <= 0 "
     "then break $done else empty end) elif $n == 0 then empty else error(\"limit doesn't support "
     "negative count\") end;"},
    {"skip", 2,
     "def skip($n; g): if $n > 0 then foreach g as $v ($n; . - 1; if . < 0 then $v else empty end) "
     "elif $n == 0 then g else error(\"skip doesn't support negative count\") end;"},
    {"nth", 1, "def nth($n): .[$n];"},
    {"nth", 2,
     "def nth($n; g): if $n >= 0 then first(skip($n; g)) else error(\"nth doesn't support negative "
     "index\") end;"},

    {"truncate_stream", 1,
     "def truncate_stream(f): . as $n | null | f | if .[0] | length > $n then .[0] |= .[$n:] else "
     "empty end;"},
    {"fromstream", 1,
     "def fromstream(f): foreach f as $event (null; if .done then null end | $event as [$p, $v] | "
     "if $event | length == 2 then setpath([\"value\"] + $p; $v) | setpath([\"done\"]; $p | length "
     "== 0) else setpath([\"done\"]; $p | length == 1) end; if .done then .value else empty end);"},
    {"tostream", 0,
     "def tostream: path(def go: (.[]? | go), .; go) as $p | getpath($p) | reduce path(.[]?) as $q "
     "([$p, .]; [$p + $q]);"},

    {"fromdateiso8601", 0, "def fromdateiso8601: strptime(\"%Y-%m-%dT%H:%M:%S%z\") | mktime;"},
    {"todateiso8601", 0, "def todateiso8601: strftime(\"%Y-%m-%dT%H:%M:%SZ\");"},
    {"fromdate", 0, "def fromdate: fromdateiso8601;"},
    {"todate", 0, "def todate: todateiso8601;"},

    {"match", 1, "def match($re): match($re; null);"},
    {"match", 2, "def match($re; $flags): _match($re; $flags; false)[];"},
    {"test", 1, "def test($re): test($re; null);"},
    {"test", 2, "def test($re; $flags): _match($re; $flags; true);"},
    {"capture", 1, "def capture($re): capture($re; null);"},
    {"capture", 2, "def capture($re; $flags): match($re; $flags) | .captures | _captures;"},
    {"scan", 1, "def scan($re): scan($re; null);"},
    {"scan", 2,
     "def scan($re; $flags): match($re; $flags + \"g\") | if .captures == [] then .string else "
     "[.captures[].string] end;"},
    {"splits", 1, "def splits($re): splits($re; null);"},
    {"splits", 2,
     "def splits($re; $flags): .[foreach (match($re; $flags + \"g\"), null) as {$offset, $length} "
     "(null; {start: .after, end: $offset, after: ($offset + $length)})];"},
    {"split", 2, "def split($re; $flags): [splits($re; $flags)];"},
    {"sub", 2, "def sub($re; f): sub($re; f; null);"},
    {"sub", 3,
     "def sub($re; f; $flags): reduce match($re; $flags) as {$offset, $length, $captures} ({s: ., "
     "r: []}; reduce ($captures | _captures | f) as $new (.i = 0; .r[.i] += .s[.after:$offset] + "
     "$new | .i += 1) | .after = $offset + $length) | .r[] + .s[.after:] // .s;"},
    {"gsub", 2, "def gsub($re; f): sub($re; f; \"g\");"},
    {"gsub", 3, "def gsub($re; f; $flags): sub($re; f; $flags + \"g\");"},

    {"inputs", 0,
     "def inputs: try repeat(input) catch if . == \"break\" then empty else error end;"},

    {"INDEX", 1, "def INDEX(f): INDEX(.[]; f);"},
    {"INDEX", 2, "def INDEX(g; f): reduce g as $row ({}; .[$row | f | tostring] = $row);"},
    {"JOIN", 2, "def JOIN($index; f): [.[] | [., $index[f]]];"},
    {"JOIN", 3, "def JOIN($index; g; f): g | [., $index[f]];"},
    {"JOIN", 4, "def JOIN($index; g; f; h): g | [., $index[f]] | h;"},
    {"IN", 1, "def IN(g): any(g == .; .);"},
    {"IN", 2, "def IN(h; g): any(h == g; .);"},
};

}  // namespace

std::span<const PreludeEntry> prelude() { return kPrelude; }

}  // namespace tiphys::lang::jq
