/// Reading parts of values: members, elements, slices.
#include "lang/expr/builtins.h"
#include "lang/expr/methods.h"
#include "lang/expr/operators.h"
#include "lang/expr/parts.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::lang {
namespace {

std::unexpected<Error> cannot_fetch(const ExprValue& object, const ExprValue& key) {
  return run_error(fmt::format("cannot fetch {} from {}", key.text(), type_text(object)));
}

Result<ExprValue> indexed(const ExprValue& object, const ExprValue& key) {
  TRY(std::int64_t index, to_int(key));
  TRY(const std::int64_t length, go_length(object));
  index += index < 0 ? length : 0;
  if (index < 0 || index >= length) {
    return run_error(fmt::format("index out of range: {} (array length is {})", index, length));
  }
  const auto at = static_cast<std::size_t>(index);
  if (object.kind() == ExprKind::list) {
    return object.as_list()[at];
  }
  return ExprValue::sized_integer(ExprKind::uint8,
                                  static_cast<unsigned char>(object.as_string()[at]));
}

}  // namespace

Result<std::int64_t> go_length(const ExprValue& value) {
  switch (value.kind()) {
    case ExprKind::list:
      return static_cast<std::int64_t>(value.as_list().size());
    case ExprKind::map:
      return static_cast<std::int64_t>(value.as_map() != nullptr ? value.as_map()->size()
                                                                 : value.as_any_map()->size());
    case ExprKind::string:
      return static_cast<std::int64_t>(value.as_string().size());
    default:
      return run_error(fmt::format("invalid argument for len (type {})", type_text(value)));
  }
}

Result<std::optional<ExprValue>> map_entry(const ExprValue& map, const ExprValue& key) {
  const ExprType key_type = map.type().key();
  if (key_type.kind() != ExprKind::any && !key.is_nil() && key.type() != key_type) {
    return run_error(
        fmt::format("reflect.Value.MapIndex: value of type {} is not assignable to "
                    "type {}",
                    type_text(key), key_type.go_name()));
  }
  if (const ExprMap* entries = map.as_map()) {
    return entries->find(key.is_nil() ? "" : key.as_string());
  }
  const ExprValue wanted =
      key.is_nil() && key_type.kind() != ExprKind::any ? zero_value(key_type) : key;
  const auto hash = hash_key(wanted);
  if (!hash) {
    return run_error("runtime error: hash of unhashable type " + type_text(key));
  }
  const AnyMapPart& part = *ExprParts::any_map(map);
  const auto found = part.index.find(*hash);
  return found == part.index.end() ? std::nullopt
                                   : std::optional(part.entries[found->second].second);
}

Result<ExprValue> fetch(const ExprValue& object, const ExprValue& key) {
  if (object.is_nil()) {
    return cannot_fetch(object, key);
  }
  if (key.kind() == ExprKind::string) {
    if (auto method = bound_method(object, key.as_string())) {
      return *std::move(method);
    }
  }
  switch (object.kind()) {
    case ExprKind::list:
    case ExprKind::string:
      return indexed(object, key);
    case ExprKind::map: {
      TRY(auto entry, map_entry(object, key));
      return entry ? *std::move(entry) : zero_value(object.type().element());
    }
    case ExprKind::time:
    case ExprKind::object: {
      if (key.kind() != ExprKind::string) {
        return failed_assertion(key, "string");
      }
      if (object.kind() == ExprKind::object) {
        if (auto field = object.as_object()->field(key.as_string())) {
          return *std::move(field);
        }
      }
      return cannot_fetch(object, key);
    }
    default:
      return cannot_fetch(object, key);
  }
}

Result<ExprValue> slice(const ExprValue& object, const ExprValue& from, const ExprValue& to) {
  const bool sliceable = object.kind() == ExprKind::list || object.kind() == ExprKind::string;
  if (!sliceable) {
    return run_error("cannot slice " + from.text());
  }
  TRY(const std::int64_t length, go_length(object));
  TRY(std::int64_t first, to_int(from));
  TRY(std::int64_t last, to_int(to));
  first = std::max<std::int64_t>(first < 0 ? length + first : first, 0);
  last = std::clamp<std::int64_t>(last < 0 ? length + last : last, 0, length);
  first = std::min(first, last);
  const auto start = static_cast<std::size_t>(first);
  const auto count = static_cast<std::size_t>(last - first);
  if (object.kind() == ExprKind::string) {
    return ExprValue::string(std::string(object.as_string().substr(start, count)));
  }
  const ListPart& part = ExprParts::list(object);
  const auto begin = part.items.begin() + first;
  return ExprParts::make({.items = ExprList(begin, begin + (last - first)),
                          .type = ExprType::list_of(part.type.element()),
                          .nil = part.nil});
}

}  // namespace tiphys::lang
