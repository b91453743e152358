/// Functions on lists. Most exist twice upstream, with and without `must`; here both give the same
/// errors, as they do inside expressions.
#include "lang/expr/parts.h"
#include "lang/sprig/functions.h"

#include <fmt/format.h>

#include <cmath>

namespace tiphys::lang::sprig {
namespace {

constexpr std::string_view kNilPanic = "invalid memory address or nil pointer dereference";

/// The items, or the error `message` with the kind of the value in place of {}.
Result<const ExprList*> items_of(const ExprValue& value, fmt::string_view message) {
  if (value.is_nil()) {
    return go_panic(kNilPanic);
  }
  if (value.kind() != ExprKind::list) {
    return failure(fmt::format(fmt::runtime(message), kind_name(value)));
  }
  return &value.as_list();
}

ExprType list_type() { return ExprType::list_of(ExprKind::any); }

Answer push(const Call& call) {
  TRY(const ExprList* items, items_of(call[0], "Cannot push on type {}"));
  ExprList out = *items;
  out.push_back(call[1]);
  return list_answer(call, std::move(out));
}

Answer prepend(const Call& call) {
  TRY(const ExprList* items, items_of(call[0], "Cannot prepend on type {}"));
  ExprList out = {call[1]};
  out.insert(out.end(), items->begin(), items->end());
  return list_answer(call, std::move(out));
}

Answer first(const Call& call) {
  TRY(const ExprList* items, items_of(call[0], "Cannot find first on type {}"));
  return items->empty() ? ExprValue() : items->front();
}

Answer last(const Call& call) {
  TRY(const ExprList* items, items_of(call[0], "Cannot find last on type {}"));
  return items->empty() ? ExprValue() : items->back();
}

Answer rest(const Call& call) {
  TRY(const ExprList* items, items_of(call[0], "Cannot find rest on type {}"));
  return items->empty() ? nil_list()
                        : list_answer(call, ExprList(items->begin() + 1, items->end()));
}

Answer initial(const Call& call) {
  TRY(const ExprList* items, items_of(call[0], "Cannot find initial on type {}"));
  return items->empty() ? nil_list()
                        : list_answer(call, ExprList(items->begin(), items->end() - 1));
}

Answer reverse(const Call& call) {
  TRY(const ExprList* items, items_of(call[0], "Cannot find reverse on type {}"));
  return list_answer(call, ExprList(items->rbegin(), items->rend()));
}

Answer compact(const Call& call) {
  TRY(const ExprList* items, items_of(call[0], "Cannot compact on type {}"));
  ExprList out;
  for (const ExprValue& item : *items) {
    if (!is_empty(item)) {
      out.push_back(item);
    }
  }
  return list_answer(call, std::move(out));
}

Result<bool> contains(const Call& call, ExprArguments items, const ExprValue& wanted) {
  for (const ExprValue& item : items) {
    TRY(const bool same, deeply_equal(call, wanted, item));
    if (same) {
      return true;
    }
  }
  return false;
}

Answer uniq(const Call& call) {
  TRY(const ExprList* items, items_of(call[0], "Cannot find uniq on type {}"));
  ExprList out;
  for (const ExprValue& item : *items) {
    TRY(const bool known, contains(call, out, item));
    if (!known) {
      out.push_back(item);
    }
  }
  return list_answer(call, std::move(out));
}

Answer without(const Call& call) {
  TRY(const ExprList* items, items_of(call[0], "Cannot find without on type {}"));
  ExprList out;
  for (const ExprValue& item : *items) {
    TRY(const bool unwanted, contains(call, call.rest(1), item));
    if (!unwanted) {
      out.push_back(item);
    }
  }
  return list_answer(call, std::move(out));
}

Answer has(const Call& call) {
  if (call[1].is_nil()) {
    return ExprValue::boolean(false);
  }
  TRY(const ExprList* items, items_of(call[1], "Cannot find has on type {}"));
  TRY(const bool found, contains(call, *items, call[0]));
  return ExprValue::boolean(found);
}

Answer slice(const Call& call) {
  TRY(const ExprList* items, items_of(call[0], "list should be type of slice or array but {}"));
  if (items->empty()) {
    return ExprValue();
  }
  if (call[0].type().array_length()) {
    return failure("reflect.Value.Slice: slice of unaddressable array");
  }
  const auto size = static_cast<std::int64_t>(items->size());
  const std::int64_t start = call.size() > 1 ? to_int64(call[1]) : 0;
  const std::int64_t end = call.size() > 2 ? to_int64(call[2]) : size;
  if (start < 0 || end < start || end > size) {
    return failure("reflect.Value.Slice: slice index out of bounds");
  }
  return list_answer(call, ExprList(items->begin() + start, items->begin() + end),
                     call[0].type().element());
}

Answer concat(const Call& call) {
  ExprList out;
  for (const ExprValue& list : call.arguments) {
    TRY(const ExprList* items, items_of(list, "Cannot concat type {} as list"));
    TRY_VOID(call.run.charge(items->size()));
    out.insert(out.end(), items->begin(), items->end());
  }
  return out.empty() ? nil_list() : ExprValue::list(std::move(out));
}

/// Upstream counts with float64, which decides what happens for sizes of 0 and below.
Answer chunk(const Call& call) {
  TRY(const ExprList* items, items_of(call[1], "Cannot chunk type {}"));
  const std::int64_t size = call.integer(0);
  const auto length = static_cast<double>(items->size());
  const std::int64_t count = cut_to_int64(std::floor((length - 1) / static_cast<double>(size)) + 1);
  const auto too_long = [] { return go_panic("makeslice: len out of range"); };
  if (count < 0) {
    return too_long();
  }
  ExprList out;
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t chunk_size = size;
    if (i + 1 == count) {
      chunk_size = cut_to_int64(std::fmod(length, static_cast<double>(size)));
      chunk_size = chunk_size == 0 ? size : chunk_size;
    }
    if (chunk_size < 0) {
      return too_long();
    }
    const auto begin = items->begin() + i * size;
    TRY(ExprValue part, list_answer(call, ExprList(begin, begin + chunk_size)));
    out.push_back(std::move(part));
  }
  return list_answer(call, std::move(out), list_type());
}

Answer list(const Call& call) {
  return list_answer(call, ExprList(call.arguments.begin(), call.arguments.end()));
}

constexpr std::string_view kPush = "func(interface {}, interface {}) []interface {}";
constexpr std::string_view kMustPush = "func(interface {}, interface {}) ([]interface {}, error)";
constexpr std::string_view kList = "func(interface {}) []interface {}";
constexpr std::string_view kMustList = "func(interface {}) ([]interface {}, error)";
constexpr std::string_view kItem = "func(interface {}) interface {}";
constexpr std::string_view kMustItem = "func(interface {}) (interface {}, error)";

constexpr Function kFunctions[] = {
    {"tuple", "func(...interface {}) []interface {}", list},
    {"list", "func(...interface {}) []interface {}", list},
    {"append", kPush, push},
    {"push", kPush, push},
    {"mustAppend", kMustPush, push},
    {"mustPush", kMustPush, push},
    {"prepend", kPush, prepend},
    {"mustPrepend", kMustPush, prepend},
    {"first", kItem, first},
    {"mustFirst", kMustItem, first},
    {"rest", kList, rest},
    {"mustRest", kMustList, rest},
    {"last", kItem, last},
    {"mustLast", kMustItem, last},
    {"initial", kList, initial},
    {"mustInitial", kMustList, initial},
    {"reverse", kList, reverse},
    {"mustReverse", kMustList, reverse},
    {"uniq", kList, uniq},
    {"mustUniq", kMustList, uniq},
    {"compact", kList, compact},
    {"mustCompact", kMustList, compact},
    {"without", "func(interface {}, ...interface {}) []interface {}", without},
    {"mustWithout", "func(interface {}, ...interface {}) ([]interface {}, error)", without},
    {"has", "func(interface {}, interface {}) bool", has},
    {"mustHas", "func(interface {}, interface {}) (bool, error)", has},
    {"slice", "func(interface {}, ...interface {}) interface {}", slice},
    {"mustSlice", "func(interface {}, ...interface {}) (interface {}, error)", slice},
    {"concat", "func(...interface {}) interface {}", concat},
    {"chunk", "func(int, interface {}) [][]interface {}", chunk},
    {"mustChunk", "func(int, interface {}) ([][]interface {}, error)", chunk},
};

}  // namespace

std::span<const Function> list_functions() { return kFunctions; }

}  // namespace tiphys::lang::sprig
