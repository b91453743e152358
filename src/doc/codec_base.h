#pragma once
/// What the codecs of all types share (see doc/codec.h): the context of a decoding, with the path
/// and places for its errors, and the visitors that a struct's visit_fields is called with.

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

}  // namespace tiphys::doc
