#include "doc/go_text.h"
#include "doc/json.h"
#include "doc/text.h"
#include "doc/yaml.h"
#include "doc/yaml_scalar.h"

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>

namespace tiphys::doc {
namespace {

constexpr std::size_t kBestWidth = 80;
constexpr std::size_t kBestIndent = 2;
/// A key of more bytes needs the `? key` form.
constexpr std::size_t kLongestSimpleKey = 128;

std::uint32_t code_point(std::string_view text, std::size_t length) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (length == 1) {
    return byte(0);
  }
  std::uint32_t code = byte(0) & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  return code;
}

bool is_break(std::uint32_t code) {
  return code == '\n' || code == '\r' || code == 0x85 || code == 0x2028 || code == 0x2029;
}

/// go-yaml's idea of it: nothing beyond the basic plane, no tab, no byte order mark.
bool is_printable(std::uint32_t code) {
  return code == '\n' || (code >= 0x20 && code <= 0x7E) || (code >= 0xA0 && code < 0xD800) ||
         (code >= 0xE000 && code <= 0xFFFD && code != 0xFEFF);
}

/// Calls `visit(code, offset, length)` for each character; `text` is valid UTF-8.
template <class Visit>
void for_each_character(std::string_view text, Visit visit) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text.substr(at)), 1);
    visit(code_point(text.substr(at), length), at, length);
    at += length;
  }
}

enum class Style { plain, single_quoted, double_quoted, literal };

/// In which styles a text can be written, by the rules of libyaml's and go-yaml's emitter.
struct Analysis {
  bool plain = true;
  bool single_quoted = true;
  bool block = true;
  bool multiline = false;
};

/// A character that would make a plain text something else at this place.
bool is_indicator(char c, bool first, bool after_blank, bool before_blank) {
  constexpr std::string_view kStarters = "#,[]{}&*!|>'\"%@`";
  if (first) {
    return kStarters.find(c) != std::string_view::npos ||
           (before_blank && (c == '?' || c == ':' || c == '-'));
  }
  return (c == ':' && before_blank) || (c == '#' && after_blank);
}

Analysis analyze(std::string_view text) {
  Analysis result;
  if (text.empty()) {
    result.block = false;
    return result;
  }
  bool indicators = text.starts_with("---") || text.starts_with("...");
  bool break_space = false;
  bool space_break = false;
  bool special = false;
  bool after_space = false;
  bool after_break = false;
  bool after_blank = true;
  const auto visit = [&](std::uint32_t code, std::size_t at, std::size_t length) {
    const std::size_t next = at + length;
    const bool before_blank = next >= text.size() || text[next] == ' ' || text[next] == '\t';
    const bool space = code == ' ';
    const bool line_break = is_break(code);
    indicators |= is_indicator(text[at], at == 0, after_blank, before_blank);
    special |= !is_printable(code);
    break_space |= space && after_break;
    space_break |= line_break && after_space;
    result.multiline |= line_break;
    if ((space || line_break) && (at == 0 || next == text.size())) {
      result.plain = false;
      result.block &= !(space && next == text.size());
    }
    after_space = space;
    after_break = line_break;
    after_blank = space || line_break || code == '\t';
  };
  for_each_character(text, visit);
  const bool only_double = space_break || special;
  result.plain &= !only_double && !break_space && !result.multiline && !indicators;
  result.single_quoted = !only_double && !break_space;
  result.block &= !only_double;
  return result;
}

/// Unicode's letters, roughly: beyond ASCII all but the blocks of symbols, marks and emoji.
bool is_letter(std::uint32_t code) {
  if (code < 0x80) {
    return (code | 0x20U) >= 'a' && (code | 0x20U) <= 'z';
  }
  const bool symbol = code < 0xAA || (code >= 0x2000 && code < 0x2C00) ||
                      (code >= 0x3000 && code <= 0x3004) || (code >= 0xD800 && code < 0xF900) ||
                      (code >= 0xFE00 && code < 0xFE70) || (code >= 0xFF00 && code <= 0xFF20) ||
                      (code >= 0x1F000 && code < 0x20000);
  return !symbol && code != 0xD7 && code != 0xF7;
}

/// go-yaml's order of keys (sorter.go): digits count as numbers, letters come last.
bool key_less(std::string_view a, std::string_view b) {
  const auto digit = [](unsigned char c) { return c >= '0' && c <= '9'; };
  const auto mismatch = std::ranges::mismatch(a, b);
  if (mismatch.in1 == a.end() || mismatch.in2 == b.end()) {
    return a.size() < b.size();
  }
  auto at = static_cast<std::size_t>(mismatch.in1 - a.begin());
  while (at > 0 && (static_cast<unsigned char>(a[at]) & 0xC0U) == 0x80) {
    --at;
  }
  const auto character = [at](std::string_view text) {
    return code_point(text.substr(at), std::max<std::size_t>(utf8_length(text.substr(at)), 1));
  };
  const std::uint32_t left = character(a);
  const std::uint32_t right = character(b);
  if (is_letter(left) || is_letter(right)) {
    return is_letter(left) && is_letter(right) ? left < right : is_letter(right);
  }
  std::uint64_t left_number = 0;
  std::uint64_t right_number = 0;
  if (left == '0' || right == '0') {
    for (std::size_t j = at; j-- > 0 && digit(static_cast<unsigned char>(a[j]));) {
      if (a[j] != '0') {
        left_number = right_number = 1;
        break;
      }
    }
  }
  const auto read = [&digit](std::string_view text, std::size_t from, std::uint64_t& number) {
    while (from < text.size() && digit(static_cast<unsigned char>(text[from]))) {
      number = number * 10 + static_cast<std::uint64_t>(text[from++] - '0');
    }
    return from;
  };
  const std::size_t left_end = read(a, at, left_number);
  const std::size_t right_end = read(b, at, right_number);
  if (left_number != right_number) {
    return static_cast<std::int64_t>(left_number) < static_cast<std::int64_t>(right_number);
  }
  return left_end != right_end ? left_end < right_end : left < right;
}

class Writer {
 public:
  std::string write(const Value& value) {
    write_node(value, Place::root);
    if (column_ > 0) {
      end_line();
    }
    return std::move(out_);
  }

 private:
  enum class Place { root, member, element };

  void put(char c) {
    out_ += c;
    ++column_;
  }

  void put(std::string_view character) {
    out_ += character;
    ++column_;
  }

  void end_line() {
    out_ += '\n';
    column_ = 0;
  }

  void start_line() {
    const auto indent = static_cast<std::size_t>(std::max(indent_, 0));
    if (!at_indent_ || column_ > indent || (column_ == indent && !after_blank_)) {
      end_line();
    }
    while (column_ < indent) {
      put(' ');
    }
    after_blank_ = true;
    at_indent_ = true;
  }

  void put_indicator(char c, bool needs_blank, bool is_blank, bool keeps_indent) {
    if (needs_blank && !after_blank_) {
      put(' ');
    }
    put(c);
    after_blank_ = is_blank;
    at_indent_ = at_indent_ && keeps_indent;
  }

  void write_node(const Value& value, Place place) {
    switch (value.kind()) {
      case boost::json::kind::object:
        write_object(value.get_object());
        return;
      case boost::json::kind::array:
        write_array(value.get_array(), place == Place::member);
        return;
      case boost::json::kind::string:
        write_text(text_of(value.get_string()), false);
        return;
      default:
        write_plain(scalar_text(value), false);
    }
  }

  /// Numbers go through JSON text upstream, so that whole floats come out as integers.
  static std::string scalar_text(const Value& value) {
    if (!value.is_double()) {
      return to_json(value);
    }
    const double number = value.get_double();
    constexpr double kInt64End = 9223372036854775808.0;
    constexpr double kUint64End = 18446744073709551616.0;
    if (number == std::trunc(number) && number >= -kInt64End && number < kUint64End) {
      // Negative zero is the integer 0 after that detour.
      return number == 0 ? "0" : json_number(number);
    }
    return std::isfinite(number) ? go_general_number(number, 64) : "null";
  }

  void put_flow(std::string_view brackets) {
    put_indicator(brackets[0], true, true, false);
    put_indicator(brackets[1], false, false, false);
  }

  void write_object(const Object& object) {
    if (object.empty()) {
      put_flow("{}");
      return;
    }
    std::vector<const boost::json::key_value_pair*> members;
    members.reserve(object.size());
    for (const auto& member : object) {
      members.push_back(&member);
    }
    std::ranges::sort(members, key_less,
                      [](const auto* member) { return std::string_view(member->key()); });
    const int outer = indent_;
    indent_ = indent_ < 0 ? 0 : indent_ + static_cast<int>(kBestIndent);
    for (const auto* member : members) {
      start_line();
      const std::string key = with_valid_utf8(member->key());
      if (key.size() <= kLongestSimpleKey && !analyze(key).multiline) {
        write_text(key, true);
        put_indicator(':', false, false, false);
      } else {
        put_indicator('?', true, false, true);
        write_text(key, false);
        start_line();
        put_indicator(':', true, false, true);
      }
      write_node(member->value(), Place::member);
    }
    indent_ = outer;
  }

  void write_array(const Array& array, bool in_member) {
    if (array.empty()) {
      put_flow("[]");
      return;
    }
    const int outer = indent_;
    const bool same_indent = in_member && !at_indent_;
    indent_ = indent_ < 0 ? 0 : indent_ + (same_indent ? 0 : static_cast<int>(kBestIndent));
    for (const Value& element : array) {
      start_line();
      put_indicator('-', true, false, true);
      write_node(element, Place::element);
    }
    indent_ = outer;
  }

  /// Continuation lines of a text stand one level deeper.
  void write_text(std::string_view raw, bool is_key) {
    const int outer = indent_;
    indent_ = std::max(indent_, 0) + static_cast<int>(kBestIndent);
    write_styled(raw, is_key);
    indent_ = outer;
  }

  void write_styled(std::string_view raw, bool is_key) {
    const std::string text = with_valid_utf8(raw);
    const Analysis can = analyze(text);
    Style style = Style::double_quoted;
    if (text.find('\n') != std::string::npos) {
      style = can.block && !is_key ? Style::literal : Style::double_quoted;
    } else if (reads_back_as_text(text)) {
      style = can.plain && !(is_key && text.empty()) ? Style::plain
              : can.single_quoted                    ? Style::single_quoted
                                                     : Style::double_quoted;
    }
    // Line breaks other than \n: the emitter folds them in quotes, unless in a key.
    if (style == Style::single_quoted && can.multiline && is_key) {
      style = Style::double_quoted;
    }
    switch (style) {
      case Style::plain:
        write_plain(text, !is_key);
        return;
      case Style::single_quoted:
        write_single_quoted(text, !is_key);
        return;
      case Style::double_quoted:
        write_double_quoted(text, !is_key);
        return;
      case Style::literal:
        write_literal(text);
        return;
    }
  }

  bool folds_at(std::string_view text, std::size_t at, bool after_space) const {
    return !after_space && column_ > kBestWidth && !(at + 1 < text.size() && text[at + 1] == ' ');
  }

  void write_plain(std::string_view text, bool may_fold) {
    if (!after_blank_) {
      put(' ');
    }
    bool after_space = false;
    for_each_character(text, [&](std::uint32_t code, std::size_t at, std::size_t length) {
      if (code == ' ' && may_fold && folds_at(text, at, after_space)) {
        start_line();
      } else {
        put(text.substr(at, length));
      }
      after_space = code == ' ';
      at_indent_ = at_indent_ && after_space;
    });
    after_blank_ = false;
    at_indent_ = false;
  }

  void write_single_quoted(std::string_view text, bool may_fold) {
    put_indicator('\'', true, false, false);
    bool after_space = false;
    bool after_break = false;
    for_each_character(text, [&](std::uint32_t code, std::size_t at, std::size_t length) {
      if (code == ' ') {
        if (may_fold && at > 0 && at + 1 < text.size() && folds_at(text, at, after_space)) {
          start_line();
        } else {
          put(text.substr(at, length));
        }
        after_space = true;
        return;
      }
      if (is_break(code)) {
        out_ += text.substr(at, length);
        column_ = 0;
        at_indent_ = true;
        after_break = true;
        return;
      }
      if (after_break) {
        start_line();
      }
      if (code == '\'') {
        put('\'');
      }
      put(text.substr(at, length));
      at_indent_ = false;
      after_space = false;
      after_break = false;
    });
    put_indicator('\'', false, false, false);
    after_blank_ = false;
    at_indent_ = false;
  }

  void put_escape(std::uint32_t code) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    put('\\');
    constexpr std::string_view kCodes("\0\a\b\t\n\v\f\r\x1b\"\\", 11);
    constexpr std::string_view kNames = "0abtnvfre\"\\";
    if (code < 0x80 && kCodes.find(static_cast<char>(code)) != std::string_view::npos) {
      put(kNames[kCodes.find(static_cast<char>(code))]);
      return;
    }
    if (code == 0x85 || code == 0xA0 || code == 0x2028 || code == 0x2029) {
      put(code == 0x85 ? 'N' : code == 0xA0 ? '_' : code == 0x2028 ? 'L' : 'P');
      return;
    }
    const unsigned width = code <= 0xFF ? 2 : code <= 0xFFFF ? 4 : 8;
    put(width == 2 ? 'x' : width == 4 ? 'u' : 'U');
    for (unsigned shift = width * 4; shift > 0; shift -= 4) {
      put(kHex[(code >> (shift - 4)) & 0xFU]);
    }
  }

  void write_double_quoted(std::string_view text, bool may_fold) {
    put_indicator('"', true, false, false);
    // go-yaml asks for a byte order mark at the start of the text, whichever character it is at.
    const bool escape_all = text.starts_with("\xEF\xBB\xBF");
    bool after_space = false;
    for_each_character(text, [&](std::uint32_t code, std::size_t at, std::size_t length) {
      const bool space = code == ' ';
      if (escape_all || !is_printable(code) || is_break(code) || code == '"' || code == '\\') {
        put_escape(code);
      } else if (space && may_fold && !after_space && column_ > kBestWidth && at > 0 &&
                 at + 1 < text.size()) {
        start_line();
        if (text[at + 1] == ' ') {
          put('\\');
        }
      } else {
        put(text.substr(at, length));
      }
      after_space = space;
    });
    put_indicator('"', false, false, false);
    after_blank_ = false;
    at_indent_ = false;
  }

  /// `|` with its hints: an indent when the text starts with a blank, `-` when no line break ends
  /// it, `+` when several do.
  void write_literal(std::string_view text) {
    put_indicator('|', true, false, false);
    std::vector<bool> breaks;
    for_each_character(text, [&](std::uint32_t code, std::size_t, std::size_t) {
      breaks.push_back(is_break(code));
    });
    if (text.front() == ' ' || breaks.front()) {
      put_indicator(static_cast<char>('0' + kBestIndent), false, false, false);
    }
    if (!breaks.back()) {
      put_indicator('-', false, false, false);
    } else if (breaks.size() == 1 || breaks[breaks.size() - 2]) {
      put_indicator('+', false, false, false);
    }
    end_line();
    at_indent_ = true;
    after_blank_ = true;
    bool after_break = true;
    for_each_character(text, [&](std::uint32_t code, std::size_t at, std::size_t length) {
      if (is_break(code)) {
        out_ += text.substr(at, length);
        column_ = 0;
        at_indent_ = true;
        after_break = true;
        return;
      }
      if (after_break) {
        start_line();
      }
      put(text.substr(at, length));
      at_indent_ = false;
      after_break = false;
    });
  }

  std::string out_;
  std::size_t column_ = 0;
  int indent_ = -1;
  bool after_blank_ = true;
  bool at_indent_ = true;
};

}  // namespace

std::string to_yaml(const Value& value) { return Writer().write(value); }

}  // namespace tiphys::doc
