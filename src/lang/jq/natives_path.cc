#include "lang/jq/native.h"
#include "lang/jq/paths.h"

namespace tiphys::lang::jq {
namespace {

Outcome index(const NativeCall& call) {
  return at_key(call.argument(0), call.argument(1), call.budget);
}

/// value, to, from
Outcome slice(const NativeCall& call) {
  return slice_of(call.argument(0), call.argument(2), call.argument(1), call.budget);
}

Outcome getpath(const NativeCall& call) {
  return get_path(call.value, call.argument(0), call.budget);
}

Outcome setpath(const NativeCall& call) {
  return set_path(call.value, call.argument(0), call.argument(1), call.budget);
}

Outcome delpaths(const NativeCall& call) {
  return delete_paths(call.value, call.argument(0), call.budget);
}

constexpr Native kNatives[] = {
    {"_index", 2, index, Native::Role::index},
    {"_slice", 3, slice, Native::Role::slice},
    {"getpath", 1, getpath, Native::Role::getpath},
    {"setpath", 2, setpath},
    {"delpaths", 1, delpaths},
};

}  // namespace

std::span<const Native> path_natives() { return kNatives; }

}  // namespace tiphys::lang::jq
