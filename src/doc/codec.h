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

#include "doc/codec_scalars.h"

namespace tiphys::doc {

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
