/// Functions on values of any type: defaults and types.
#include "lang/expr/parts.h"
#include "lang/sprig/functions.h"

#include <algorithm>

namespace tiphys::lang::sprig {
namespace {

Answer default_value(const Call& call) {
  return call.size() < 2 || is_empty(call[1]) ? call[0] : call[1];
}

Answer coalesce(const Call& call) {
  const auto found = std::ranges::find_if_not(call.arguments, is_empty);
  return found == call.arguments.end() ? ExprValue() : *found;
}

Answer type_is_like(const Call& call) {
  const std::string type = type_text(call[1]);
  return ExprValue::boolean(call.text(0) == type || "*" + std::string(call.text(0)) == type);
}

/// Values never change, so a copy is the value itself.
Answer deep_copy(const Call& call) {
  if (call[0].is_nil()) {
    return failure("reflect: call of reflect.Value.Type on zero Value");
  }
  return call[0];
}

Answer deep_equal(const Call& call) {
  TRY(const bool equal, deeply_equal(call, call[0], call[1]));
  return ExprValue::boolean(equal);
}

std::string kind_of(const ExprValue& value) {
  const bool calendar =
      value.kind() == ExprKind::object && (value.as_object()->go_name() == "time.Month" ||
                                           value.as_object()->go_name() == "time.Weekday");
  return calendar ? "int" : std::string(kind_name(value));
}

constexpr Function kFunctions[] = {
    {"default", "func(interface {}, ...interface {}) interface {}", default_value},
    {"empty", "func(interface {}) bool",
     [](const Call& call) -> Answer { return ExprValue::boolean(is_empty(call[0])); }},
    {"coalesce", "func(...interface {}) interface {}", coalesce},
    {"all", "func(...interface {}) bool",
     [](const Call& call) -> Answer {
       return ExprValue::boolean(std::ranges::none_of(call.arguments, is_empty));
     }},
    {"any", "func(...interface {}) bool",
     [](const Call& call) -> Answer {
       return ExprValue::boolean(!std::ranges::all_of(call.arguments, is_empty));
     }},
    {"ternary", "func(interface {}, interface {}, bool) interface {}",
     [](const Call& call) -> Answer { return call[call[2].as_bool() ? 0 : 1]; }},
    {"typeOf", "func(interface {}) string",
     [](const Call& call) { return text_answer(call, type_text(call[0])); }},
    {"typeIs", "func(string, interface {}) bool",
     [](const Call& call) -> Answer {
       return ExprValue::boolean(call.text(0) == type_text(call[1]));
     }},
    {"typeIsLike", "func(string, interface {}) bool", type_is_like},
    {"kindOf", "func(interface {}) string",
     [](const Call& call) { return text_answer(call, kind_of(call[0])); }},
    {"kindIs", "func(string, interface {}) bool",
     [](const Call& call) -> Answer {
       return ExprValue::boolean(call.text(0) == kind_of(call[1]));
     }},
    {"deepEqual", "func(interface {}, interface {}) bool", deep_equal},
    {"deepCopy", "func(interface {}) interface {}", deep_copy},
    {"mustDeepCopy", "func(interface {}) (interface {}, error)", deep_copy},
};

}  // namespace

std::span<const Function> default_functions() { return kFunctions; }

}  // namespace tiphys::lang::sprig
