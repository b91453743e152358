#include "doc/json.h"

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace tiphys::doc {
namespace {

class Writer {
 public:
  Writer(std::string& out, const JsonStyle& style) : out_(out), style_(style) {}

  void write(const Value& value, int depth) {
    switch (value.kind()) {
      case boost::json::kind::null:
        out_ += "null";
        return;
      case boost::json::kind::bool_:
        out_ += value.get_bool() ? "true" : "false";
        return;
      case boost::json::kind::int64:
        write_integer(value.get_int64());
        return;
      case boost::json::kind::uint64:
        write_integer(value.get_uint64());
        return;
      case boost::json::kind::double_:
        out_ += json_number(value.get_double());
        return;
      case boost::json::kind::string:
        append_json_string(out_, text_of(value.get_string()), style_.escape_html);
        return;
      case boost::json::kind::array:
        write_array(value.get_array(), depth);
        return;
      case boost::json::kind::object:
        write_object(value.get_object(), depth);
        return;
    }
  }

 private:
  template <class Integer>
  void write_integer(Integer number) {
    std::array<char, 24> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
    out_.append(buffer.data(), end);
  }

  void break_line(int depth) {
    if (style_.indent > 0) {
      out_ += '\n';
      out_.append(static_cast<std::size_t>(style_.indent * depth), ' ');
    }
  }

  void write_array(const Array& array, int depth) {
    out_ += '[';
    bool first = true;
    for (const Value& element : array) {
      if (!first) {
        out_ += ',';
      }
      first = false;
      break_line(depth + 1);
      write(element, depth + 1);
    }
    if (!first) {
      break_line(depth);
    }
    out_ += ']';
  }

  void write_member(std::string_view key, const Value& value, bool first, int depth) {
    if (!first) {
      out_ += ',';
    }
    break_line(depth + 1);
    append_json_string(out_, key, style_.escape_html);
    out_ += style_.indent > 0 ? ": " : ":";
    write(value, depth + 1);
  }

  void write_object(const Object& object, int depth) {
    out_ += '{';
    bool first = true;
    if (style_.sort_keys) {
      std::vector<const boost::json::key_value_pair*> members;
      members.reserve(object.size());
      for (const auto& member : object) {
        members.push_back(&member);
      }
      std::ranges::sort(members, {},
                        [](const auto* member) { return std::string_view(member->key()); });
      for (const auto* member : members) {
        write_member(member->key(), member->value(), first, depth);
        first = false;
      }
    } else {
      for (const auto& member : object) {
        write_member(member.key(), member.value(), first, depth);
        first = false;
      }
    }
    if (!first) {
      break_line(depth);
    }
    out_ += '}';
  }

  std::string& out_;
  const JsonStyle& style_;
};

/// Builds the document while the library's parser reads. It differs from the library's own builder
/// in one point: doubles are read from their text, because the parser's are off by one unit in the
/// last place now and then.
struct Builder {
  static constexpr std::size_t max_object_size = Object::max_size();
  static constexpr std::size_t max_array_size = Array::max_size();
  static constexpr std::size_t max_key_size = boost::json::string::max_size();
  static constexpr std::size_t max_string_size = boost::json::string::max_size();

  using View = boost::json::string_view;
  using Code = boost::json::error_code;

  boost::json::value_stack stack;

  bool on_document_begin(Code&) { return true; }

  bool on_document_end(Code&) { return true; }

  bool on_object_begin(Code&) { return true; }

  bool on_object_end(std::size_t count, Code&) {
    stack.push_object(count);
    return true;
  }

  bool on_array_begin(Code&) { return true; }

  bool on_array_end(std::size_t count, Code&) {
    stack.push_array(count);
    return true;
  }

  bool on_key_part(View text, std::size_t, Code&) {
    stack.push_chars(text);
    return true;
  }

  bool on_key(View text, std::size_t, Code&) {
    stack.push_key(text);
    return true;
  }

  bool on_string_part(View text, std::size_t, Code&) {
    stack.push_chars(text);
    return true;
  }

  bool on_string(View text, std::size_t, Code&) {
    stack.push_string(text);
    return true;
  }

  bool on_number_part(View, Code&) { return true; }

  bool on_int64(std::int64_t number, View, Code&) {
    stack.push_int64(number);
    return true;
  }

  bool on_uint64(std::uint64_t number, View, Code&) {
    stack.push_uint64(number);
    return true;
  }

  /// The whole document is one buffer, so `text` is the whole number.
  bool on_double(double approximate, View text, Code& code) {
    double number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem == std::errc::result_out_of_range) {
      if (std::fabs(approximate) >= 1) {
        code = boost::json::make_error_code(boost::json::error::exponent_overflow);
        return false;
      }
      number = std::copysign(0.0, approximate);
    }
    stack.push_double(number);
    return true;
  }

  bool on_bool(bool flag, Code&) {
    stack.push_bool(flag);
    return true;
  }

  bool on_null(Code&) {
    stack.push_null();
    return true;
  }

  bool on_comment_part(View, Code&) { return true; }

  bool on_comment(View, Code&) { return true; }
};

Position position_at(std::string_view text, std::size_t offset) {
  Position position{1, 1};
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++position.line;
      position.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80) {
      ++position.column;
    }
  }
  return position;
}

}  // namespace

std::string_view text_of(const boost::json::string& text) { return {text.data(), text.size()}; }

std::string json_number(double number) {
  if (!std::isfinite(number)) {
    return "null";
  }
  std::array<char, 400> buffer;
  const double magnitude = std::fabs(number);
  const bool exponent = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
  const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  char* end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, format).ptr;
  std::string text(buffer.data(), end);
  // Go writes e-9 where C++ writes e-09.
  if (exponent) {
    const std::size_t e = text.find('e');
    if (e != std::string::npos && text[e + 2] == '0' && e + 3 < text.size()) {
      text.erase(e + 2, 1);
    }
    return text;
  }
  // Above 2^53 C++ spells the exact value, Go the shortest digits that read back, filled up with
  // zeros.
  if (magnitude >= 9007199254740992.0) {
    const auto scientific = std::chars_format::scientific;
    end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), magnitude, scientific).ptr;
    const std::string_view shortest(buffer.data(), end);
    std::size_t kept = 0;
    for (const char c : shortest.substr(0, shortest.find('e'))) {
      kept += c == '.' ? 0U : 1U;
    }
    const std::size_t sign = number < 0 ? 1 : 0;
    std::size_t digit = sign;
    for (const char c : shortest.substr(0, shortest.find('e'))) {
      if (c != '.') {
        text[digit++] = c;
      }
    }
    std::fill(text.begin() + static_cast<std::ptrdiff_t>(sign + kept), text.end(), '0');
  }
  return text;
}

void append_json_string(std::string& out, std::string_view text, bool escape_html) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool html = escape_html && (c == '<' || c == '>' || c == '&');
    const bool separator = c == 0xE2 && i + 2 < text.size() &&
                           static_cast<unsigned char>(text[i + 1]) == 0x80 &&
                           (static_cast<unsigned char>(text[i + 2]) & 0xFEU) == 0xA8;
    if (c >= 0x20 && c != '"' && c != '\\' && !html && !separator) {
      continue;
    }
    out.append(text, done, i - done);
    done = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (separator) {
          out += (static_cast<unsigned char>(text[i + 2]) & 1U) != 0 ? "\\u2029" : "\\u2028";
          i += 2;
          done = i + 1;
        } else {
          out += "\\u00";
          out += kHex[c >> 4U];
          out += kHex[c & 0xFU];
        }
    }
  }
  out.append(text, done);
  out += '"';
}

void append_json(std::string& out, const Value& value, const JsonStyle& style) {
  Writer(out, style).write(value, 0);
}

std::string to_json(const Value& value, const JsonStyle& style) {
  std::string out;
  append_json(out, value, style);
  return out;
}

Result<Value> parse_json(std::string_view text, std::size_t first_line) {
  boost::json::parse_options options;
  options.max_depth = kMaximumDepth;
  boost::json::basic_parser<Builder> parser(options);
  parser.handler().stack.reset();
  boost::json::error_code code;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), code);
  if (!code && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos) {
    code = boost::json::make_error_code(boost::json::error::extra_data);
  }
  if (code) {
    Position position = position_at(text, used);
    position.line += first_line;
    std::string message = "invalid JSON at line " + std::to_string(position.line) + ", column " +
                          std::to_string(position.column) + ": " + code.message();
    return std::unexpected(Error{ErrorCode::parse, message, {{"", code.message(), position}}});
  }
  return parser.handler().stack.release();
}

const Value* find(const Value& value, std::string_view key) {
  const Object* object = value.if_object();
  return object == nullptr ? nullptr : object->if_contains({key.data(), key.size()});
}

std::string_view find_string(const Value& value, std::string_view key) {
  const Value* member = find(value, key);
  if (member == nullptr || !member->is_string()) {
    return {};
  }
  return text_of(member->get_string());
}

}  // namespace tiphys::doc
