#include "doc/pointer.h"

#include <boost/json.hpp>

#include <charconv>

namespace tiphys::doc {
namespace {

const Value* element_at(const Array& array, std::string_view token) {
  std::size_t index = 0;
  const char* const end = token.data() + token.size();
  const auto [stop, problem] = std::from_chars(token.data(), end, index);
  const bool leading_zero = token.size() > 1 && token.front() == '0';
  if (problem != std::errc() || stop != end || leading_zero || index >= array.size()) {
    return nullptr;
  }
  return &array[index];
}

}  // namespace

Result<std::vector<std::string>> parse_pointer(std::string_view pointer) {
  std::vector<std::string> tokens;
  if (!pointer.empty() && pointer.front() != '/') {
    return fail(ErrorCode::parse, "JSON pointer must start with a slash: " + std::string(pointer));
  }
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      tokens.emplace_back();
    } else if (pointer[i] != '~') {
      tokens.back() += pointer[i];
    } else if (i + 1 < pointer.size() && (pointer[i + 1] == '0' || pointer[i + 1] == '1')) {
      tokens.back() += pointer[++i] == '0' ? '~' : '/';
    } else {
      return fail(
          ErrorCode::parse,
          "JSON pointer has a tilde that is followed by neither 0 nor 1: " + std::string(pointer));
    }
  }
  return tokens;
}

std::string escape_pointer_token(std::string_view token) {
  std::string out;
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

const Value* at_pointer(const Value& document, std::string_view pointer) {
  const auto tokens = parse_pointer(pointer);
  if (!tokens) {
    return nullptr;
  }
  const Value* value = &document;
  for (const std::string& token : *tokens) {
    const Array* array = value->if_array();
    value = array != nullptr ? element_at(*array, token) : find(*value, token);
    if (value == nullptr) {
      return nullptr;
    }
  }
  return value;
}

}  // namespace tiphys::doc
