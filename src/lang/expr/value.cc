#include "lang/expr/value.h"

#include "lang/expr/parts.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace tiphys::lang {
namespace {

struct FunctionPart {
  ExprFunction function;
};

struct ObjectPart {
  std::shared_ptr<const ExprObject> object;
};

std::int64_t cut_to(ExprKind kind, std::int64_t bits) {
  switch (kind) {
    case ExprKind::int8:
      return static_cast<std::int8_t>(bits);
    case ExprKind::int16:
      return static_cast<std::int16_t>(bits);
    case ExprKind::int32:
      return static_cast<std::int32_t>(bits);
    case ExprKind::uint8:
      return static_cast<std::uint8_t>(bits);
    case ExprKind::uint16:
      return static_cast<std::uint16_t>(bits);
    case ExprKind::uint32:
      return static_cast<std::uint32_t>(bits);
    default:
      return bits;
  }
}

std::size_t depth_of_items(const ExprList& items) {
  std::size_t depth = 0;
  for (const ExprValue& item : items) {
    depth = std::max(depth, item.depth());
  }
  return depth + 1;
}

}  // namespace

std::optional<ExprValue> TableMap::find(std::string_view key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

void TableMap::each(
    const std::function<bool(std::string_view key, const ExprValue& value)>& visit) const {
  for (const auto& [key, value] : entries_) {
    if (!visit(key, value)) {
      return;
    }
  }
}

ExprValue ExprValue::boolean(bool value) {
  ExprValue out;
  out.kind_ = ExprKind::boolean;
  out.scalar_.integer = value ? 1 : 0;
  return out;
}

ExprValue ExprValue::integer(std::int64_t value) { return {ExprKind::int_, {.integer = value}}; }

ExprValue ExprValue::sized_integer(ExprKind kind, std::int64_t bits) {
  return {kind, {.integer = cut_to(kind, bits)}};
}

ExprValue ExprValue::number(double value) { return {ExprKind::float64, {.number = value}}; }

ExprValue ExprValue::float32(float value) { return {ExprKind::float32, {.number = value}}; }

ExprValue ExprValue::string(std::string value) {
  return {ExprKind::string, std::make_shared<const std::string>(std::move(value))};
}

ExprValue ExprValue::list(ExprList items, ExprType element) {
  return ExprParts::make(
      {.items = std::move(items), .type = ExprType::list_of(std::move(element))});
}

ExprValue ExprValue::map(ExprEntries entries, ExprType element) {
  MapPart part;
  for (const auto& entry : entries) {
    part.depth = std::max(part.depth, entry.second.depth() + 1);
  }
  part.map = std::make_shared<const TableMap>(std::move(entries));
  part.type = ExprType::map_of(ExprKind::string, std::move(element));
  return {ExprKind::map, std::make_shared<const MapPart>(std::move(part))};
}

ExprValue ExprValue::map(std::shared_ptr<const ExprMap> map, ExprType element) {
  return {ExprKind::map,
          std::make_shared<const MapPart>(
              MapPart{std::move(map), ExprType::map_of(ExprKind::string, std::move(element)), 1})};
}

ExprValue ExprValue::any_map(std::vector<std::pair<ExprValue, ExprValue>> entries,
                             ExprType element) {
  AnyMapPart part;
  part.type = ExprType::map_of(ExprKind::any, std::move(element));
  for (auto& [key, value] : entries) {
    const std::optional<std::string> hash = hash_key(key);
    if (hash && part.index.emplace(*hash, part.entries.size()).second) {
      part.entries.emplace_back(std::move(key), std::move(value));
    }
  }
  return ExprParts::make(std::move(part));
}

ExprValue ExprValue::time(Instant value) {
  return {ExprKind::time, std::make_shared<const Instant>(std::move(value))};
}

ExprValue ExprValue::duration(Nanos value) {
  return {ExprKind::duration, {.integer = value.count()}};
}

ExprValue ExprValue::function(ExprFunction function) {
  return {ExprKind::function,
          std::make_shared<const FunctionPart>(FunctionPart{std::move(function)})};
}

ExprValue ExprValue::object(std::shared_ptr<const ExprObject> object) {
  return {ExprKind::object, std::make_shared<const ObjectPart>(ObjectPart{std::move(object)})};
}

ExprValue ExprValue::from_json(const doc::Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return {};
    case boost::json::kind::bool_:
      return boolean(value.get_bool());
    case boost::json::kind::int64:
      return number(static_cast<double>(value.get_int64()));
    case boost::json::kind::uint64:
      return number(static_cast<double>(value.get_uint64()));
    case boost::json::kind::double_:
      return number(value.get_double());
    case boost::json::kind::string:
      return string(std::string(doc::text_of(value.get_string())));
    case boost::json::kind::array: {
      ExprList items;
      items.reserve(value.get_array().size());
      for (const doc::Value& item : value.get_array()) {
        items.push_back(from_json(item));
      }
      return list(std::move(items));
    }
    case boost::json::kind::object: {
      ExprEntries entries;
      for (const auto& member : value.get_object()) {
        entries.insert_or_assign(std::string(member.key()), from_json(member.value()));
      }
      return map(std::move(entries));
    }
  }
  return {};
}

bool ExprValue::as_bool() const {
  CHECK(kind_ == ExprKind::boolean, "the value is no boolean");
  return scalar_.integer != 0;
}

std::int64_t ExprValue::as_integer() const {
  CHECK(is_integer(), "the value is no integer");
  return scalar_.integer;
}

double ExprValue::as_number() const {
  CHECK(is_number(), "the value is no number");
  if (is_float()) {
    return scalar_.number;
  }
  const bool unsigned_value = kind_ == ExprKind::uint64 || kind_ == ExprKind::uint;
  return unsigned_value ? static_cast<double>(static_cast<std::uint64_t>(scalar_.integer))
                        : static_cast<double>(scalar_.integer);
}

std::string_view ExprValue::as_string() const {
  CHECK(kind_ == ExprKind::string, "the value is no text");
  return *static_cast<const std::string*>(part_.get());
}

const ExprList& ExprValue::as_list() const {
  CHECK(kind_ == ExprKind::list, "the value is no list");
  return ExprParts::list(*this).items;
}

const Instant& ExprValue::as_time() const {
  CHECK(kind_ == ExprKind::time, "the value is no time");
  return *static_cast<const Instant*>(part_.get());
}

Nanos ExprValue::as_duration() const {
  CHECK(kind_ == ExprKind::duration, "the value is no duration");
  return Nanos{scalar_.integer};
}

const ExprFunction& ExprValue::as_function() const {
  CHECK(kind_ == ExprKind::function, "the value is no function");
  return static_cast<const FunctionPart*>(part_.get())->function;
}

const std::shared_ptr<const ExprObject>& ExprValue::as_object() const {
  CHECK(kind_ == ExprKind::object, "the value is no object");
  return static_cast<const ObjectPart*>(part_.get())->object;
}

// A map with keys of any type is told from one with text keys by the scalar beside the part.
const ExprMap* ExprValue::as_map() const {
  return kind_ == ExprKind::map && scalar_.integer == 0
             ? static_cast<const MapPart*>(part_.get())->map.get()
             : nullptr;
}

const std::vector<std::pair<ExprValue, ExprValue>>* ExprValue::as_any_map() const {
  const AnyMapPart* part = ExprParts::any_map(*this);
  return part == nullptr ? nullptr : &part->entries;
}

const AnyMapPart* ExprParts::any_map(const ExprValue& value) {
  return value.kind_ == ExprKind::map && value.scalar_.integer == 1
             ? static_cast<const AnyMapPart*>(value.part_.get())
             : nullptr;
}

ExprType ExprParts::map_type(const ExprValue& value) {
  if (const AnyMapPart* part = any_map(value)) {
    return part->type;
  }
  return static_cast<const MapPart*>(value.part_.get())->type;
}

ExprValue ExprParts::make(ListPart part) {
  part.depth = depth_of_items(part.items);
  return {ExprKind::list, std::make_shared<const ListPart>(std::move(part))};
}

ExprValue ExprParts::make(AnyMapPart part) {
  for (const auto& [key, value] : part.entries) {
    part.depth = std::max({part.depth, key.depth() + 1, value.depth() + 1});
  }
  ExprValue out(ExprKind::map, std::make_shared<const AnyMapPart>(std::move(part)));
  out.scalar_.integer = 1;
  return out;
}

ExprType ExprValue::type() const {
  switch (kind_) {
    case ExprKind::list:
      return ExprParts::list(*this).type;
    case ExprKind::map:
      return ExprParts::map_type(*this);
    case ExprKind::function:
      return as_function().type;
    case ExprKind::object:
      return ExprType::object(as_object());
    default:
      return kind_;
  }
}

std::string ExprValue::type_name() const {
  switch (kind_) {
    case ExprKind::any:
    case ExprKind::nil:
      return "nil";
    case ExprKind::boolean:
      return "bool";
    case ExprKind::float32:
    case ExprKind::float64:
      return "float";
    case ExprKind::string:
      return "string";
    case ExprKind::list:
      return "array";
    case ExprKind::map:
      return "map";
    case ExprKind::function:
      return "func";
    case ExprKind::time:
    case ExprKind::duration:
      return type().go_name();
    case ExprKind::object:
      return as_object()->go_name().starts_with('*') ? "unknown" : as_object()->go_name();
    default:
      return kind_ >= ExprKind::uint ? "uint" : "int";
  }
}

std::size_t ExprValue::depth() const {
  if (kind_ == ExprKind::list) {
    return ExprParts::list(*this).depth;
  }
  if (kind_ != ExprKind::map) {
    return 0;
  }
  const AnyMapPart* any = ExprParts::any_map(*this);
  return any != nullptr ? any->depth : static_cast<const MapPart*>(part_.get())->depth;
}

ExprValue bytes_value(std::string_view bytes) {
  ExprList items;
  items.reserve(bytes.size());
  for (const char byte : bytes) {
    items.push_back(ExprValue::sized_integer(ExprKind::uint8, static_cast<unsigned char>(byte)));
  }
  return ExprValue::list(std::move(items), ExprKind::uint8);
}

std::optional<std::string> bytes_of(const ExprValue& value) {
  if (value.kind() != ExprKind::list || value.type() != ExprType::list_of(ExprKind::uint8)) {
    return std::nullopt;
  }
  std::string out;
  for (const ExprValue& item : value.as_list()) {
    out.push_back(static_cast<char>(item.as_integer()));
  }
  return out;
}

ExprValue nil_list(ExprType element) {
  return ExprParts::make({.items = {}, .type = ExprType::list_of(std::move(element)), .nil = true});
}

ExprValue zero_value(const ExprType& type) {
  if (type.is_integer()) {
    return ExprValue::sized_integer(type.kind(), 0);
  }
  switch (type.kind()) {
    case ExprKind::boolean:
      return ExprValue::boolean(false);
    case ExprKind::float32:
      return ExprValue::float32(0);
    case ExprKind::float64:
      return ExprValue::number(0);
    case ExprKind::string:
      return ExprValue::string("");
    case ExprKind::list:
      return nil_list(type.element());
    case ExprKind::time:
      return ExprValue::time(Instant::zero());
    case ExprKind::duration:
      return ExprValue::duration(Nanos{0});
    default:
      return {};
  }
}

std::optional<std::string> hash_key(const ExprValue& value) {
  const std::string prefix = value.type().go_name() + ":";
  switch (value.kind()) {
    case ExprKind::list:
      if (!value.type().array_length()) {
        return std::nullopt;
      } else {
        std::string out = prefix;
        for (const ExprValue& item : value.as_list()) {
          const auto part = hash_key(item);
          if (!part) {
            return std::nullopt;
          }
          out += std::to_string(part->size()) + ":" + *part;
        }
        return out;
      }
    case ExprKind::map:
    case ExprKind::function:
      return std::nullopt;
    case ExprKind::float32:
    case ExprKind::float64:
      return prefix + std::to_string(std::bit_cast<std::uint64_t>(value.as_number() + 0.0));
    case ExprKind::object:
      return prefix + value.as_object()->text();
    default:
      return prefix + value.text();
  }
}

std::string_view kind_name(const ExprValue& value) {
  switch (value.kind()) {
    case ExprKind::any:
    case ExprKind::nil:
      return "invalid";
    case ExprKind::boolean:
      return "bool";
    case ExprKind::int_:
      return "int";
    case ExprKind::int8:
      return "int8";
    case ExprKind::int16:
      return "int16";
    case ExprKind::int32:
      return "int32";
    case ExprKind::int64:
    case ExprKind::duration:
      return "int64";
    case ExprKind::uint:
      return "uint";
    case ExprKind::uint8:
      return "uint8";
    case ExprKind::uint16:
      return "uint16";
    case ExprKind::uint32:
      return "uint32";
    case ExprKind::uint64:
      return "uint64";
    case ExprKind::float32:
      return "float32";
    case ExprKind::float64:
      return "float64";
    case ExprKind::string:
      return "string";
    case ExprKind::list:
      return value.type().array_length() ? "array" : "slice";
    case ExprKind::map:
      return "map";
    case ExprKind::time:
      return "struct";
    case ExprKind::function:
      return "func";
    case ExprKind::object:
      return value.as_object()->go_name().starts_with('*') ? "ptr" : "struct";
  }
  return "invalid";
}

std::string type_text(const ExprValue& value) { return value.type().go_name(); }

bool is_nil(const ExprValue& value) {
  return value.is_nil() || (value.kind() == ExprKind::list && ExprParts::list(value).nil);
}

}  // namespace tiphys::lang
