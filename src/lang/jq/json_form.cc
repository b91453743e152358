#include "lang/jq/json_form.h"

#include "doc/json.h"
#include "lang/gotext/gotext.h"
#include "lang/jsontext/json_text.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tiphys::lang::jq {
namespace {

std::string number_json(double number) {
  if (std::isnan(number)) {
    return "null";
  }
  constexpr double kMaximum = std::numeric_limits<double>::max();
  return doc::json_number(std::clamp(number, -kMaximum, kMaximum));
}

/// Writes until `limit` bytes are there.
class Writer {
 public:
  Writer(std::size_t limit, Budget* budget) : limit_(limit), budget_(budget) {}

  void write(const Value& value) {
    if (is_full()) {
      return;
    }
    switch (value.kind()) {
      case Kind::null:
      case Kind::gone:
        out_ += "null";
        break;
      case Kind::boolean:
        out_ += value.as_boolean() ? "true" : "false";
        break;
      case Kind::integer:
        out_ += std::to_string(value.as_integer());
        break;
      case Kind::number:
        out_ += number_json(value.as_number());
        break;
      case Kind::big:
        out_ += value.as_big().text();
        break;
      case Kind::literal:
        out_ += value.as_text();
        break;
      case Kind::text:
        write_text(value.as_text());
        break;
      case Kind::list:
        write_list(value.as_list());
        break;
      case Kind::map:
        write_map(value.as_map());
        break;
    }
  }

  std::string take() { return std::move(out_); }

 private:
  bool is_full() {
    if (budget_ != nullptr) {
      budget_->spend_bytes(out_.size() - charged_);
      charged_ = out_.size();
      return budget_->exhausted();
    }
    return out_.size() >= limit_;
  }

  void write_list(const List& elements) {
    out_.push_back('[');
    bool is_first = true;
    for (const Value& element : elements) {
      out_ += is_first ? "" : ",";
      is_first = false;
      write(element);
      if (is_full()) {
        return;
      }
    }
    out_.push_back(']');
  }

  void write_map(const Map& members) {
    out_.push_back('{');
    bool is_first = true;
    for (const auto& [key, value] : members) {
      out_ += is_first ? "" : ",";
      is_first = false;
      write_text(key);
      out_.push_back(':');
      write(value);
      if (is_full()) {
        return;
      }
    }
    out_.push_back('}');
  }

  void write_text(std::string_view text) {
    out_.push_back('"');
    while (!text.empty() && (budget_ != nullptr || out_.size() < limit_)) {
      const DecodedRune rune = first_rune(text);
      if (rune.rune == kReplacementRune && rune.size == 1) {
        out_ += "\\ufffd";
      } else if (rune.rune < 0x80) {
        write_ascii(text.front());
      } else {
        out_ += text.substr(0, rune.size);
      }
      text.remove_prefix(rune.size);
    }
    out_.push_back('"');
  }

  void write_ascii(char c) {
    constexpr std::string_view kPlain = "\"\\\b\f\n\r\t";
    constexpr std::string_view kLetters = "\"\\bfnrt";
    if (const std::size_t place = kPlain.find(c); place != std::string_view::npos) {
      out_.push_back('\\');
      out_.push_back(kLetters[place]);
    } else if (c >= ' ' && c <= '~') {
      out_.push_back(c);
    } else {
      constexpr std::string_view kHex = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      out_ += "\\u00";
      out_.push_back(kHex[byte >> 4U]);
      out_.push_back(kHex[byte & 15U]);
    }
  }

  std::string out_;
  std::size_t limit_;
  std::size_t charged_ = 0;
  Budget* budget_;
};

using GoText = std::expected<void, std::string>;

GoText append_go(std::string& out, const Value& value, Budget& budget) {
  budget.spend(1);
  if (budget.exhausted()) {
    return {};
  }
  switch (value.kind()) {
    case Kind::number:
      if (!std::isfinite(value.as_number())) {
        return std::unexpected("json: unsupported value: " + float_text(value.as_number()));
      }
      out += doc::json_number(value.as_number());
      return {};
    case Kind::text:
      budget.spend_bytes(value.as_text().size());
      doc::append_json_string(out, value.as_text());
      return {};
    case Kind::list: {
      out.push_back('[');
      bool is_first = true;
      for (const Value& element : value.as_list()) {
        out += is_first ? "" : ",";
        is_first = false;
        if (auto done = append_go(out, element, budget); !done) {
          return done;
        }
      }
      out.push_back(']');
      return {};
    }
    case Kind::map: {
      out.push_back('{');
      bool is_first = true;
      for (const auto& [key, held] : value.as_map()) {
        out += is_first ? "" : ",";
        is_first = false;
        budget.spend_bytes(key.size());
        doc::append_json_string(out, key);
        out.push_back(':');
        if (auto done = append_go(out, held, budget); !done) {
          return done;
        }
      }
      out.push_back('}');
      return {};
    }
    default:
      out += to_json(value, budget);
      return {};
  }
}

/// Reads text that is known to be JSON.
class Reader {
 public:
  Reader(std::string_view text, Budget& budget) : text_(text), budget_(budget) {}

  Outcome read(std::size_t depth) {
    budget_.spend(1);
    if (depth > kMaximumDepth || budget_.exhausted()) {
      return over_limit("a JSON text is nested too deeply");
    }
    skip_blanks();
    switch (text_[at_]) {
      case '[':
        return read_list(depth);
      case '{':
        return read_map(depth);
      case '"':
        return Value::text(read_text());
      case 'n':
        at_ += 4;
        return Value();
      case 't':
        at_ += 4;
        return Value::boolean(true);
      case 'f':
        at_ += 5;
        return Value::boolean(false);
      default: {
        const std::size_t end =
            std::min(text_.find_first_not_of("+-.0123456789eE", at_), text_.size());
        const std::size_t begin = std::exchange(at_, end);
        return Value::literal(std::string(text_.substr(begin, end - begin)));
      }
    }
  }

 private:
  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size() - 1); }

  std::string read_text() {
    const std::size_t begin = at_++;
    while (text_[at_] != '"') {
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    ++at_;
    budget_.spend_bytes(at_ - begin);
    return json_unescape(text_.substr(begin, at_ - begin));
  }

  /// Behind an element: whether another one follows.
  bool goes_on() {
    skip_blanks();
    return text_[at_++] == ',';
  }

  Outcome read_list(std::size_t depth) {
    List elements;
    ++at_;
    skip_blanks();
    if (text_[at_] == ']') {
      ++at_;
      return Value::list({});
    }
    do {
      auto element = read(depth + 1);
      if (!element) {
        return element;
      }
      elements.push_back(*std::move(element));
    } while (goes_on());
    return Value::list(std::move(elements));
  }

  Outcome read_map(std::size_t depth) {
    Map members;
    ++at_;
    skip_blanks();
    if (text_[at_] == '}') {
      ++at_;
      return Value::map({});
    }
    do {
      skip_blanks();
      std::string key = read_text();
      skip_blanks();
      ++at_;
      auto value = read(depth + 1);
      if (!value) {
        return value;
      }
      members.insert_or_assign(std::move(key), *std::move(value));
    } while (goes_on());
    return Value::map(std::move(members));
  }

  std::string_view text_;
  Budget& budget_;
  std::size_t at_ = 0;
};

}  // namespace

std::string Problem::shown() const {
  if (kind == Kind::message || kind == Kind::limit || kind == Kind::broken) {
    return text;
  }
  Budget budget(std::uint64_t{1} << 20U);
  const std::string error =
      "error: " + (value.is(jq::Kind::text) ? value.as_text() : to_json(value, budget));
  return kind == Kind::halt ? "halt " + error : error;
}

std::string to_json(const Value& value, Budget& budget) {
  Writer writer(0, &budget);
  writer.write(value);
  return writer.take();
}

std::string preview(const Value& value) {
  constexpr std::size_t kWritten = 32;
  constexpr std::size_t kShown = 30;
  Writer writer(kWritten, nullptr);
  writer.write(value);
  std::string out = writer.take();
  if (out.size() <= kShown) {
    return out;
  }
  out.resize(std::min(out.size(), kWritten));
  const std::string_view end = value.is(Kind::text)   ? " ...\""
                               : value.is(Kind::list) ? " ...]"
                               : value.is(Kind::map)  ? " ...}"
                                                      : " ...";
  while (out.size() > kShown - end.size()) {
    out.resize(out.size() - last_rune(out).size);
  }
  return out.append(end);
}

std::string preview_with_type(const Value& value) {
  return value.is_null() ? "null" : std::string(type_name(value)) + " (" + preview(value) + ")";
}

std::expected<std::string, std::string> to_go_json(const Value& value, Budget& budget) {
  std::string out;
  if (auto done = append_go(out, value, budget); !done) {
    return std::unexpected(std::move(done).error());
  }
  return out;
}

Outcome from_json(std::string_view text, Budget& budget) { return Reader(text, budget).read(1); }

}  // namespace tiphys::lang::jq
