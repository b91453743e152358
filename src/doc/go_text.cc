#include "doc/go_text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace tiphys::doc {
namespace {

void append_go_text(std::string& out, const Value& value);

void append_object(std::string& out, const Object& object) {
  std::vector<const boost::json::key_value_pair*> members;
  members.reserve(object.size());
  for (const auto& member : object) {
    members.push_back(&member);
  }
  std::ranges::sort(members, {},
                    [](const auto* member) { return std::string_view(member->key()); });
  out += "map[";
  for (const auto* member : members) {
    out += member == members.front() ? "" : " ";
    out += std::string_view(member->key());
    out += ':';
    append_go_text(out, member->value());
  }
  out += ']';
}

void append_go_text(std::string& out, const Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      out += "<nil>";
      return;
    case boost::json::kind::string:
      out += text_of(value.get_string());
      return;
    case boost::json::kind::double_:
      out += go_general_number(value.get_double(), 64);
      return;
    case boost::json::kind::object:
      append_object(out, value.get_object());
      return;
    case boost::json::kind::array: {
      out += '[';
      bool first = true;
      for (const Value& element : value.get_array()) {
        out += first ? "" : " ";
        first = false;
        append_go_text(out, element);
      }
      out += ']';
      return;
    }
    default:
      append_json(out, value);
  }
}

}  // namespace

std::string go_general_number(double number, int bits) {
  if (std::isnan(number)) {
    return "NaN";
  }
  if (std::isinf(number)) {
    return number < 0 ? "-Inf" : "+Inf";
  }
  std::array<char, 400> buffer;
  char* const begin = buffer.data();
  char* const limit = begin + buffer.size();
  const auto print = [&](std::chars_format format) {
    return bits == 32 ? std::to_chars(begin, limit, static_cast<float>(number), format).ptr
                      : std::to_chars(begin, limit, number, format).ptr;
  };
  const std::string scientific(begin, print(std::chars_format::scientific));
  const std::size_t e = scientific.find('e');
  int exponent = 0;
  const std::size_t digits = e + (scientific[e + 1] == '+' ? 2 : 1);
  std::from_chars(scientific.data() + digits, scientific.data() + scientific.size(), exponent);
  constexpr int kFirstSmall = -4;
  constexpr int kFirstLarge = 6;
  if (exponent < kFirstSmall || exponent >= kFirstLarge) {
    return scientific;
  }
  return {begin, print(std::chars_format::fixed)};
}

std::string go_text(const Value& value) {
  std::string out;
  append_go_text(out, value);
  return out;
}

}  // namespace tiphys::doc
