#pragma once
/// Codecs of texts, booleans, numbers, documents and enums (see doc/codec.h).

#include "doc/codec_base.h"

namespace tiphys::doc {

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

}  // namespace tiphys::doc
