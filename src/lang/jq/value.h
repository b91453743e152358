#pragma once
/// Values of jq programs: immutable to their users, shared, copied only when they are changed while
/// somebody else holds them. Private to the module.

#include "lang/jq/big_integer.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tiphys::lang::jq {

class Value;
using List = std::vector<Value>;
using Map = std::map<std::string, Value, std::less<>>;

enum class Kind {
  null,
  boolean,
  integer,
  number,
  /// An integer that does not fit into 64 bits.
  big,
  /// A number as it was spelled (fromjson keeps the spelling).
  literal,
  text,
  list,
  map,
  /// What delpaths has taken away and not yet removed; never seen by programs.
  gone,
};

class Value {
 public:
  /// null
  Value() = default;
  Value(const Value&) = default;
  Value& operator=(const Value&) = default;

  /// Leaves null behind.
  Value(Value&& other) noexcept : data_(std::move(other.data_)) { other.data_ = {}; }

  Value& operator=(Value&& other) noexcept {
    if (this != &other) {
      data_ = std::move(other.data_);
      other.data_ = {};
    }
    return *this;
  }

  ~Value() = default;

  static Value boolean(bool value);
  static Value integer(std::int64_t value);
  static Value number(double value);
  static Value big(BigInteger value);
  static Value literal(std::string digits);
  static Value text(std::string value);
  static Value list(List elements);
  static Value map(Map members);
  static Value gone();

  Kind kind() const { return static_cast<Kind>(data_.index()); }

  bool is(Kind kind) const { return this->kind() == kind; }

  bool is_null() const { return is(Kind::null); }

  /// integer, number, big or literal.
  bool is_number() const;
  /// Everything but null and false.
  bool truthy() const;

  // The value must be of that kind.
  bool as_boolean() const { return std::get<bool>(data_); }

  std::int64_t as_integer() const { return std::get<std::int64_t>(data_); }

  double as_number() const { return std::get<double>(data_); }

  const BigInteger& as_big() const { return std::get<BigInteger>(data_); }

  /// Of text and literal.
  const std::string& as_text() const;

  const List& as_list() const { return std::get<ListPointer>(data_)->elements; }

  const Map& as_map() const { return std::get<MapPointer>(data_)->members; }

  /// A literal as the integer, number or big that it means; anything else as it is.
  Value normalized() const;

  /// How deep lists and maps are nested: 0 for scalars, 1 for an empty list.
  std::size_t depth() const;
  /// The same list or map in memory, or equal scalars: whether a path still leads to a value.
  bool is_same(const Value& other) const;

  /// Whether a change of the list or map has to copy it first.
  bool is_shared() const;

  // Changes of a list or map; one that is shared is copied first.
  void append(Value element);
  /// Elements in between become null. A list.
  void set_element(std::size_t index, Value element);
  void set_member(std::string_view key, Value value);
  /// The element or member, replaced by null; so that it can be changed without being shared.
  Value take_element(std::size_t index);
  Value take_member(std::string_view key);

 private:
  struct HeldList {
    List elements;
    std::size_t depth = 1;
  };

  struct HeldMap {
    Map members;
    std::size_t depth = 1;
  };

  struct Literal {
    std::shared_ptr<const std::string> digits;
  };

  struct Gone {};

  using Text = std::shared_ptr<const std::string>;
  using ListPointer = std::shared_ptr<HeldList>;
  using MapPointer = std::shared_ptr<HeldMap>;

  HeldList& own_list();
  HeldMap& own_map();

  // In the order of Kind.
  std::variant<std::monostate, bool, std::int64_t, double, BigInteger, Literal, Text, ListPointer,
               MapPointer, Gone>
      data_;
};

/// Nesting that a value may have; deeper ones end the run.
inline constexpr std::size_t kMaximumDepth = 1000;

/// What jq calls the type: "null", "boolean", "number", "string", "array", "object".
std::string_view type_name(const Value& value);

/// A JSON number's text as gojq reads it: int64, else float64 where it has a fraction or exponent,
/// else big.
Value parse_number(std::string_view digits);

}  // namespace tiphys::lang::jq
