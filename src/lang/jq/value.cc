#include "lang/jq/value.h"

#include "lang/gotext/gotext.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tiphys::lang::jq {

Value Value::boolean(bool value) {
  Value out;
  out.data_ = value;
  return out;
}

Value Value::integer(std::int64_t value) {
  Value out;
  out.data_ = value;
  return out;
}

Value Value::number(double value) {
  Value out;
  out.data_ = value;
  return out;
}

Value Value::big(BigInteger value) {
  Value out;
  out.data_ = std::move(value);
  return out;
}

Value Value::literal(std::string digits) {
  Value out;
  out.data_ = Literal{std::make_shared<const std::string>(std::move(digits))};
  return out;
}

Value Value::text(std::string value) {
  Value out;
  out.data_ = std::make_shared<const std::string>(std::move(value));
  return out;
}

Value Value::list(List elements) {
  std::size_t depth = 0;
  for (const Value& element : elements) {
    depth = std::max(depth, element.depth());
  }
  Value out;
  out.data_ = std::make_shared<HeldList>(HeldList{std::move(elements), depth + 1});
  return out;
}

Value Value::map(Map members) {
  std::size_t depth = 0;
  for (const auto& [key, value] : members) {
    depth = std::max(depth, value.depth());
  }
  Value out;
  out.data_ = std::make_shared<HeldMap>(HeldMap{std::move(members), depth + 1});
  return out;
}

Value Value::gone() {
  Value out;
  out.data_ = Gone{};
  return out;
}

bool Value::is_number() const {
  return is(Kind::integer) || is(Kind::number) || is(Kind::big) || is(Kind::literal);
}

bool Value::truthy() const { return !is_null() && !(is(Kind::boolean) && !as_boolean()); }

const std::string& Value::as_text() const {
  if (const auto* literal = std::get_if<Literal>(&data_)) {
    return *literal->digits;
  }
  return *std::get<Text>(data_);
}

Value Value::normalized() const { return is(Kind::literal) ? parse_number(as_text()) : *this; }

std::size_t Value::depth() const {
  if (const auto* list = std::get_if<ListPointer>(&data_)) {
    return (*list)->depth;
  }
  const auto* map = std::get_if<MapPointer>(&data_);
  return map == nullptr ? 0 : (*map)->depth;
}

bool Value::is_same(const Value& other) const {
  if (kind() != other.kind()) {
    return false;
  }
  switch (kind()) {
    case Kind::null:
    case Kind::gone:
      return true;
    case Kind::boolean:
      return as_boolean() == other.as_boolean();
    case Kind::integer:
      return as_integer() == other.as_integer();
    case Kind::number:
      return as_number() == other.as_number() ||
             (std::isnan(as_number()) && std::isnan(other.as_number()));
    case Kind::big:
      return BigInteger::compare(as_big(), other.as_big()) == 0;
    case Kind::literal:
    case Kind::text:
      return as_text() == other.as_text();
    case Kind::list:
      return std::get<ListPointer>(data_) == std::get<ListPointer>(other.data_);
    case Kind::map:
      return std::get<MapPointer>(data_) == std::get<MapPointer>(other.data_);
  }
  return false;
}

bool Value::is_shared() const {
  if (const auto* list = std::get_if<ListPointer>(&data_)) {
    return list->use_count() > 1;
  }
  const auto* map = std::get_if<MapPointer>(&data_);
  return map != nullptr && map->use_count() > 1;
}

Value::HeldList& Value::own_list() {
  auto& list = std::get<ListPointer>(data_);
  if (list.use_count() > 1) {
    list = std::make_shared<HeldList>(*list);
  }
  return *list;
}

Value::HeldMap& Value::own_map() {
  auto& map = std::get<MapPointer>(data_);
  if (map.use_count() > 1) {
    map = std::make_shared<HeldMap>(*map);
  }
  return *map;
}

void Value::append(Value element) {
  HeldList& list = own_list();
  list.depth = std::max(list.depth, element.depth() + 1);
  list.elements.push_back(std::move(element));
}

void Value::set_element(std::size_t index, Value element) {
  HeldList& list = own_list();
  list.depth = std::max(list.depth, element.depth() + 1);
  if (index >= list.elements.size()) {
    list.elements.resize(index + 1);
  }
  list.elements[index] = std::move(element);
}

void Value::set_member(std::string_view key, Value value) {
  HeldMap& map = own_map();
  map.depth = std::max(map.depth, value.depth() + 1);
  const auto place = map.members.lower_bound(key);
  if (place != map.members.end() && place->first == key) {
    place->second = std::move(value);
  } else {
    map.members.emplace_hint(place, std::string(key), std::move(value));
  }
}

Value Value::take_element(std::size_t index) {
  List& elements = own_list().elements;
  return index < elements.size() ? std::exchange(elements[index], {}) : Value();
}

Value Value::take_member(std::string_view key) {
  Map& members = own_map().members;
  const auto place = members.find(key);
  return place == members.end() ? Value() : std::exchange(place->second, {});
}

std::string_view type_name(const Value& value) {
  switch (value.kind()) {
    case Kind::null:
    case Kind::gone:
      return "null";
    case Kind::boolean:
      return "boolean";
    case Kind::integer:
    case Kind::number:
    case Kind::big:
    case Kind::literal:
      return "number";
    case Kind::text:
      return "string";
    case Kind::list:
      return "array";
    case Kind::map:
      return "object";
  }
  return "null";
}

Value parse_number(std::string_view digits) {
  if (const auto integer = parse_integer(digits, 10)) {
    return Value::integer(*integer);
  }
  if (digits.find_first_of(".eE") != std::string_view::npos) {
    if (const auto number = parse_float(digits)) {
      return Value::number(*number);
    }
  }
  if (auto big = BigInteger::parse(digits)) {
    return Value::big(*std::move(big));
  }
  return Value::number(digits.starts_with('-') ? -HUGE_VAL : HUGE_VAL);
}

}  // namespace tiphys::lang::jq
