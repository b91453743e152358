#pragma once
/// Typed structs from and to documents. A struct lists its fields once, in a function beside it:
///
///   template <class V>
///   void visit_fields(V& v, Parameter& p) {
///     v.field("name", p.name, Empty::kept);
///     v.field("value", p.value);
///   }
///
/// `decode` ignores unknown members and takes null for absent; `encode` leaves empty fields out as
/// Go's omitempty does (false, 0, "", empty lists and maps, absent optionals; never structs),
/// unless they are `Empty::kept`. Fields may be std::string, bool, integers, double, std::optional,
/// std::vector, std::map<std::string, T>, structs with visit_fields, doc::Value, IntOrString and
/// enums that specialise EnumNames.

#include "base/error.h"
#include "doc/json.h"
#include "doc/positions.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include <array>
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace tiphys::doc {

enum class Empty { left_out, kept };

using IntOrString = std::variant<std::int64_t, std::string>;

/// Specialise with `static constexpr std::array<std::pair<E, std::string_view>, N> kTable`. A value
/// whose name is empty is the empty one.
template <class E>
struct EnumNames;

template <class T>
concept NamedEnum = std::is_enum_v<T> && requires { EnumNames<T>::kTable; };

class Decoder;
class Encoder;

template <class T>
concept VisitedStruct = std::is_class_v<T> && requires(Decoder& v, T& s) { visit_fields(v, s); };

/// Where decoding stands, and what was wrong so far.
class DecodeContext {
 public:
  explicit DecodeContext(const Positions* positions)
      : positions_(positions), node_(positions == nullptr ? Positions::kNone : positions->root()) {}

  /// Notes "<path>: expected <expected>, found <what value is>".
  void wrong_type(std::string_view expected, const Value& value);
  /// Notes "<path>: <what>".
  void add(std::string_view what);

  /// Runs `body` one step further down.
  template <class Body>
  void within(std::string_view key, const Body& body) {
    const std::size_t size = path_.size();
    const Positions::Node node = node_;
    path_ += size == 0 ? "" : ".";
    path_ += key;
    node_ = positions_ == nullptr ? Positions::kNone : positions_->member(node, key);
    body();
    path_.resize(size);
    node_ = node;
  }

  template <class Body>
  void within(std::size_t index, const Body& body) {
    const std::size_t size = path_.size();
    const Positions::Node node = node_;
    path_ += "[" + std::to_string(index) + "]";
    node_ = positions_ == nullptr ? Positions::kNone : positions_->element(node, index);
    body();
    path_.resize(size);
    node_ = node;
  }

  /// Nothing, or an invalid Error with all causes; its message is the first of them.
  Result<> result() &&;

 private:
  const Positions* positions_;
  Positions::Node node_;
  std::string path_;
  std::vector<FieldError> causes_;
};

/// How a type stands in a document: its words in messages, its decoding and encoding.
template <class T>
struct Codec;

/// The visitor that fills a struct.
class Decoder {
 public:
  Decoder(DecodeContext& context, const Object& object) : context_(context), object_(object) {}

  template <class T>
  void field(std::string_view name, T& target, Empty = Empty::left_out) {
    const Value* value = object_.if_contains({name.data(), name.size()});
    if (value != nullptr && !value->is_null()) {
      context_.within(name, [&] { Codec<T>::decode(context_, *value, target); });
    }
  }

 private:
  DecodeContext& context_;
  const Object& object_;
};

/// The visitor that writes a struct.
class Encoder {
 public:
  explicit Encoder(Object& object) : object_(object) {}

  template <class T>
  void field(std::string_view name, const T& source, Empty empty = Empty::left_out) {
    if (empty == Empty::kept || !Codec<T>::is_empty(source)) {
      object_[{name.data(), name.size()}] = Codec<T>::encode(source);
    }
  }

 private:
  Object& object_;
};

template <>
struct Codec<std::string> {
  static constexpr std::string_view kOne = "a string";
  static constexpr std::string_view kMany = "strings";

  static bool is_empty(const std::string& text) { return text.empty(); }

  static Value encode(const std::string& text) {
    return boost::json::string(text.data(), text.size());
  }

  static void decode(DecodeContext& context, const Value& value, std::string& target) {
    if (!value.is_string()) {
      context.wrong_type(kOne, value);
      return;
    }
    target = std::string(text_of(value.get_string()));
  }
};

template <>
struct Codec<bool> {
  static constexpr std::string_view kOne = "a boolean";
  static constexpr std::string_view kMany = "booleans";

  static bool is_empty(bool flag) { return !flag; }

  static Value encode(bool flag) { return flag; }

  static void decode(DecodeContext& context, const Value& value, bool& target) {
    if (!value.is_bool()) {
      context.wrong_type(kOne, value);
      return;
    }
    target = value.get_bool();
  }
};

template <std::integral T>
  requires(!std::same_as<T, bool>)
struct Codec<T> {
  static constexpr std::string_view kOne = "an integer";
  static constexpr std::string_view kMany = "integers";

  static bool is_empty(T number) { return number == 0; }

  static Value encode(T number) { return number; }

  static void decode(DecodeContext& context, const Value& value, T& target) {
    if (value.is_int64() && std::in_range<T>(value.get_int64())) {
      target = static_cast<T>(value.get_int64());
    } else if (value.is_uint64() && std::in_range<T>(value.get_uint64())) {
      target = static_cast<T>(value.get_uint64());
    } else {
      context.wrong_type(kOne, value);
    }
  }
};

template <>
struct Codec<double> {
  static constexpr std::string_view kOne = "a number";
  static constexpr std::string_view kMany = "numbers";

  static bool is_empty(double number) { return number == 0; }

  static Value encode(double number) { return number; }

  static void decode(DecodeContext& context, const Value& value, double& target) {
    if (value.is_double()) {
      target = value.get_double();
    } else if (value.is_int64()) {
      target = static_cast<double>(value.get_int64());
    } else if (value.is_uint64()) {
      target = static_cast<double>(value.get_uint64());
    } else {
      context.wrong_type(kOne, value);
    }
  }
};

template <>
struct Codec<Value> {
  static constexpr std::string_view kOne = "a value";
  static constexpr std::string_view kMany = "values";

  static bool is_empty(const Value& value) { return value.is_null(); }

  static Value encode(const Value& value) { return value; }

  static void decode(DecodeContext&, const Value& value, Value& target) { target = value; }
};

template <>
struct Codec<IntOrString> {
  static constexpr std::string_view kOne = "an integer or a string";
  static constexpr std::string_view kMany = "integers or strings";

  /// A struct in Go, so never left out.
  static bool is_empty(const IntOrString&) { return false; }

  static Value encode(const IntOrString& value) {
    const auto* text = std::get_if<std::string>(&value);
    return text == nullptr ? Value(std::get<std::int64_t>(value))
                           : Codec<std::string>::encode(*text);
  }

  static void decode(DecodeContext& context, const Value& value, IntOrString& target) {
    if (value.is_int64()) {
      target = value.get_int64();
    } else if (value.is_string()) {
      target = std::string(text_of(value.get_string()));
    } else {
      context.wrong_type(kOne, value);
    }
  }
};

template <NamedEnum T>
struct Codec<T> {
  static constexpr std::string_view kOne = "a string";
  static constexpr std::string_view kMany = "strings";

  static std::string_view name_of(T value) {
    for (const auto& [entry, name] : EnumNames<T>::kTable) {
      if (entry == value) {
        return name;
      }
    }
    return {};
  }

  static bool is_empty(T value) { return name_of(value).empty(); }

  static Value encode(T value) { return Codec<std::string>::encode(std::string(name_of(value))); }

  static void decode(DecodeContext& context, const Value& value, T& target) {
    if (!value.is_string()) {
      context.wrong_type(kOne, value);
      return;
    }
    std::string names;
    for (const auto& [entry, name] : EnumNames<T>::kTable) {
      if (text_of(value.get_string()) == name) {
        target = entry;
        return;
      }
      names += (names.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    }
    context.add("Unsupported value: " + to_json(value) + ": supported values: " + names);
  }
};

template <class T>
struct Codec<std::optional<T>> {
  static constexpr std::string_view kOne = Codec<T>::kOne;
  static constexpr std::string_view kMany = Codec<T>::kMany;

  static bool is_empty(const std::optional<T>& value) { return !value.has_value(); }

  static Value encode(const std::optional<T>& value) {
    return value ? Codec<T>::encode(*value) : Value();
  }

  static void decode(DecodeContext& context, const Value& value, std::optional<T>& target) {
    Codec<T>::decode(context, value, target.emplace());
  }
};

template <class T>
struct Codec<std::vector<T>> {
  static constexpr std::string_view kOne = "a list";
  static constexpr std::string_view kMany = "lists";

  static bool is_empty(const std::vector<T>& list) { return list.empty(); }

  static Value encode(const std::vector<T>& list) {
    Array array;
    array.reserve(list.size());
    for (const T& element : list) {
      array.push_back(Codec<T>::encode(element));
    }
    return array;
  }

  static void decode(DecodeContext& context, const Value& value, std::vector<T>& target) {
    const Array* array = value.if_array();
    if (array == nullptr) {
      context.wrong_type("a list of " + std::string(Codec<T>::kMany), value);
      return;
    }
    target.clear();
    target.reserve(array->size());
    for (std::size_t i = 0; i < array->size(); ++i) {
      T element{};
      if (!(*array)[i].is_null()) {
        context.within(i, [&] { Codec<T>::decode(context, (*array)[i], element); });
      }
      target.push_back(std::move(element));
    }
  }
};

template <class T>
struct Codec<std::map<std::string, T>> {
  static constexpr std::string_view kOne = "an object";
  static constexpr std::string_view kMany = "objects";

  static bool is_empty(const std::map<std::string, T>& map) { return map.empty(); }

  static Value encode(const std::map<std::string, T>& map) {
    Object object;
    for (const auto& [key, value] : map) {
      object[key] = Codec<T>::encode(value);
    }
    return object;
  }

  static void decode(DecodeContext& context, const Value& value, std::map<std::string, T>& target) {
    const Object* object = value.if_object();
    if (object == nullptr) {
      context.wrong_type("an object of " + std::string(Codec<T>::kMany), value);
      return;
    }
    target.clear();
    for (const auto& member : *object) {
      const std::string_view key = member.key();
      T& element = target[std::string(key)];
      if (!member.value().is_null()) {
        context.within(key, [&] { Codec<T>::decode(context, member.value(), element); });
      }
    }
  }
};

template <VisitedStruct T>
struct Codec<T> {
  static constexpr std::string_view kOne = "an object";
  static constexpr std::string_view kMany = "objects";

  static bool is_empty(const T&) { return false; }

  static Value encode(const T& source) {
    Object object;
    Encoder encoder(object);
    // visit_fields is written once for both directions; the encoder only reads.
    visit_fields(encoder, const_cast<T&>(source));
    return object;
  }

  static void decode(DecodeContext& context, const Value& value, T& target) {
    const Object* object = value.if_object();
    if (object == nullptr) {
      context.wrong_type(kOne, value);
      return;
    }
    Decoder decoder(context, *object);
    visit_fields(decoder, target);
  }
};

/// Fills `target`; members that `value` does not have keep what they hold. Errors: invalid, with a
/// cause for each field at fault.
template <class T>
Result<> decode_into(const Value& value, T& target, const Positions* positions = nullptr) {
  DecodeContext context(positions);
  Codec<T>::decode(context, value, target);
  return std::move(context).result();
}

template <class T>
Result<T> decode(const Value& value, const Positions* positions = nullptr) {
  T target{};
  TRY_VOID(decode_into(value, target, positions));
  return target;
}

template <class T>
Value encode(const T& source) {
  return Codec<T>::encode(source);
}

}  // namespace tiphys::doc
