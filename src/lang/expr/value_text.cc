#include "lang/expr/parts.h"
#include "lang/expr/sorting.h"
#include "lang/expr/value.h"
#include "lang/gotext/gotext.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tiphys::lang {
namespace {

enum class Html : std::uint8_t { as_is, escaped };

/// Bytes at the front that are UTF-8.
std::size_t valid_prefix(std::string_view text) {
  std::size_t valid = 0;
  while (valid < text.size()) {
    const DecodedRune next = first_rune(text.substr(valid));
    if (next.rune == kReplacementRune && next.size == 1) {
      break;
    }
    valid += next.size;
  }
  return valid;
}

/// A JSON string; a byte that is no UTF-8 is written as the escape of U+FFFD, as Go does.
void append_string(std::string& out, std::string_view text, Html html) {
  out.push_back('"');
  while (!text.empty()) {
    const std::size_t valid = valid_prefix(text);
    std::string quoted;
    doc::append_json_string(quoted, text.substr(0, valid), html == Html::escaped);
    out.append(quoted, 1, quoted.size() - 2);
    if (valid < text.size()) {
      out += "\\ufffd";
    }
    text.remove_prefix(std::min(valid + 1, text.size()));
  }
  out.push_back('"');
}

std::string integer_text(const ExprValue& value) {
  const bool unsigned_value = value.kind() == ExprKind::uint64 || value.kind() == ExprKind::uint;
  return unsigned_value ? std::to_string(static_cast<std::uint64_t>(value.as_integer()))
                        : std::to_string(value.as_integer());
}

std::string number_text(const ExprValue& value) {
  return value.kind() == ExprKind::float32 ? float_text(static_cast<float>(value.as_number()))
                                           : float_text(value.as_number());
}

/// Order of map keys when Go prints a map.
bool prints_before(const ExprValue& a, const ExprValue& b) {
  if (a.is_number() && b.is_number() && a.kind() == b.kind()) {
    return a.as_number() < b.as_number();
  }
  if (a.kind() != b.kind()) {
    return a.kind() < b.kind();
  }
  if (a.kind() == ExprKind::boolean) {
    return !a.as_bool() && b.as_bool();
  }
  return a.text() < b.text();
}

using Entry = std::pair<ExprValue, ExprValue>;

std::vector<Entry> sorted_entries(const std::vector<Entry>& entries) {
  std::vector<std::size_t> places(entries.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  merge_sort(places, [&](std::size_t a, std::size_t b) {
    return prints_before(entries[a].first, entries[b].first);
  });
  std::vector<Entry> out;
  for (const std::size_t place : places) {
    out.push_back(entries[place]);
  }
  return out;
}

void append_list_text(std::string& out, const ExprValue& value, std::size_t limit) {
  out.push_back('[');
  bool first = true;
  for (const ExprValue& item : value.as_list()) {
    if (out.size() > limit) {
      return;
    }
    out += first ? "" : " ";
    first = false;
    append_text(out, item, limit);
  }
  out.push_back(']');
}

void append_map_text(std::string& out, const ExprValue& value, std::size_t limit) {
  out += "map[";
  bool first = true;
  const auto entry = [&](const auto& append_key, const ExprValue& member) {
    out += first ? "" : " ";
    first = false;
    append_key();
    out.push_back(':');
    append_text(out, member, limit);
    return out.size() <= limit;
  };
  if (const auto* any = value.as_any_map()) {
    for (const auto& [key, member] : sorted_entries(*any)) {
      if (!entry([&] { append_text(out, key, limit); }, member)) {
        return;
      }
    }
  } else {
    value.as_map()->each([&](std::string_view key, const ExprValue& member) {
      return entry([&] { out += key; }, member);
    });
  }
  out.push_back(']');
}

std::string typed_float(const ExprValue& value) {
  std::string text = number_text(value);
  if (text.find_first_of(".eIN") == std::string::npos) {
    text += ".0";
  }
  return text;
}

void append_typed(std::string& out, const ExprValue& value);

void append_typed_map(std::string& out, const ExprValue& value) {
  out.push_back('{');
  bool first = true;
  const auto entry = [&](const auto& append_key, const ExprValue& member) {
    out += first ? "" : ", ";
    first = false;
    append_key();
    out += ": ";
    append_typed(out, member);
  };
  if (const auto* any = value.as_any_map()) {
    for (const auto& [key, member] : sorted_entries(*any)) {
      entry([&] { append_typed(out, key); }, member);
    }
  } else {
    value.as_map()->each([&](std::string_view key, const ExprValue& member) {
      entry([&] { append_string(out, key, Html::as_is); }, member);
      return true;
    });
  }
  out.push_back('}');
}

void append_typed(std::string& out, const ExprValue& value) {
  switch (value.kind()) {
    case ExprKind::any:
    case ExprKind::nil:
      out += "nil";
      return;
    case ExprKind::boolean:
      out += value.as_bool() ? "true" : "false";
      return;
    case ExprKind::int_:
      out += integer_text(value);
      return;
    case ExprKind::float64:
      out += typed_float(value);
      return;
    case ExprKind::float32:
      out += "float32(" + number_text(value) + ")";
      return;
    case ExprKind::string:
      append_string(out, value.as_string(), Html::as_is);
      return;
    case ExprKind::time:
      out += "time(\"" + value.as_time().rfc3339() + "\")";
      return;
    case ExprKind::duration:
      out += "duration(" + duration_text(value.as_duration()) + ")";
      return;
    case ExprKind::function:
      out += "func";
      return;
    case ExprKind::object: {
      const std::string name = value.as_object()->go_name();
      out += name.starts_with('*')
                 ? fmt::format("&{}({})", name.substr(1), value.as_object()->text())
                 : doc::to_json(value.as_object()->to_json());
      return;
    }
    case ExprKind::list: {
      out.push_back('[');
      for (std::size_t i = 0; i < value.as_list().size(); ++i) {
        out += i == 0 ? "" : ", ";
        append_typed(out, value.as_list()[i]);
      }
      out.push_back(']');
      return;
    }
    case ExprKind::map:
      append_typed_map(out, value);
      return;
    default:
      out += value.type().go_name() + "(" + integer_text(value) + ")";
      return;
  }
}

}  // namespace

void append_text(std::string& out, const ExprValue& value, std::size_t limit) {
  switch (value.kind()) {
    case ExprKind::any:
    case ExprKind::nil:
      out += "<nil>";
      return;
    case ExprKind::boolean:
      out += value.as_bool() ? "true" : "false";
      return;
    case ExprKind::float32:
    case ExprKind::float64:
      out += number_text(value);
      return;
    case ExprKind::string:
      out += value.as_string();
      return;
    case ExprKind::time:
      out += value.as_time().text();
      return;
    case ExprKind::duration:
      out += duration_text(value.as_duration());
      return;
    case ExprKind::function:
      // Go prints the address, which is nothing to rely on.
      out += "func";
      return;
    case ExprKind::object:
      out += value.as_object()->text();
      return;
    case ExprKind::list:
      append_list_text(out, value, limit);
      return;
    case ExprKind::map:
      append_map_text(out, value, limit);
      return;
    default:
      out += integer_text(value);
      return;
  }
}

std::string ExprValue::text() const {
  std::string out;
  append_text(out, *this, kExprTextLimit);
  return out;
}

std::string ExprValue::typed_text() const {
  std::string out;
  append_typed(out, *this);
  return out;
}

namespace {

std::unexpected<Error> unsupported(std::string_view what, std::string_view name) {
  return fail(ErrorCode::invalid, fmt::format("json: unsupported {}: {}", what, name));
}

/// Writes JSON text as Go's encoder does; also what to_json() is read back from.
class JsonWriter {
 public:
  explicit JsonWriter(int indent) : indent_(indent) {}

  Result<> write(const ExprValue& value) {
    if (out_.size() > kExprTextLimit) {
      return fail(ErrorCode::invalid, "memory budget exceeded");
    }
    switch (value.kind()) {
      case ExprKind::any:
      case ExprKind::nil:
        out_ += "null";
        return {};
      case ExprKind::boolean:
        out_ += value.as_bool() ? "true" : "false";
        return {};
      case ExprKind::float32:
      case ExprKind::float64:
        return write_float(value);
      case ExprKind::string:
        append_string(out_, value.as_string(), Html::escaped);
        return {};
      case ExprKind::time:
        out_ += "\"" + value.as_time().rfc3339() + "\"";
        return {};
      case ExprKind::duration:
        out_ += std::to_string(value.as_duration().count());
        return {};
      case ExprKind::function:
        return unsupported("type", value.type().go_name());
      case ExprKind::object:
        out_ += doc::to_json(value.as_object()->to_json());
        return {};
      case ExprKind::list:
        return write_list(value);
      case ExprKind::map:
        return write_map(value);
      default:
        out_ += integer_text(value);
        return {};
    }
  }

  std::string take() { return std::move(out_); }

 private:
  Result<> write_float(const ExprValue& value) {
    const double number = value.as_number();
    if (!std::isfinite(number)) {
      return unsupported("value", float_text(number));
    }
    const bool plain = number == 0 || (std::abs(number) >= 1e-6 && std::abs(number) < 1e21);
    if (value.kind() == ExprKind::float32 && plain) {
      out_ += fmt::format("{}", static_cast<float>(number));
    } else {
      out_ += doc::json_number(number);
    }
    return {};
  }

  void new_line() {
    if (indent_ > 0) {
      out_.push_back('\n');
      out_.append(level_ * static_cast<std::size_t>(indent_), ' ');
    }
  }

  Result<> write_list(const ExprValue& value) {
    if (ExprParts::list(value).nil) {
      out_ += "null";
      return {};
    }
    if (const auto bytes = bytes_of(value)) {
      out_ += "\"" + base64_encode(*bytes) + "\"";
      return {};
    }
    if (value.as_list().empty()) {
      out_ += "[]";
      return {};
    }
    out_.push_back('[');
    ++level_;
    bool first = true;
    for (const ExprValue& item : value.as_list()) {
      out_ += first ? "" : ",";
      first = false;
      new_line();
      TRY_VOID(write(item));
    }
    --level_;
    new_line();
    out_.push_back(']');
    return {};
  }

  Result<> write_map(const ExprValue& value) {
    const ExprMap* map = value.as_map();
    if (map == nullptr) {
      return unsupported("type", value.type().go_name());
    }
    if (map->size() == 0) {
      out_ += "{}";
      return {};
    }
    out_.push_back('{');
    ++level_;
    bool first = true;
    Result<> result;
    map->each([&](std::string_view key, const ExprValue& member) {
      out_ += first ? "" : ",";
      first = false;
      new_line();
      append_string(out_, key, Html::escaped);
      out_ += indent_ > 0 ? ": " : ":";
      result = write(member);
      return result.has_value();
    });
    --level_;
    new_line();
    out_.push_back('}');
    return result;
  }

  int indent_;
  std::size_t level_ = 0;
  std::string out_;
};

}  // namespace

Result<std::string> ExprValue::to_json_text(int indent) const {
  JsonWriter writer(indent);
  TRY_VOID(writer.write(*this));
  return writer.take();
}

Result<doc::Value> ExprValue::to_json() const {
  switch (kind_) {
    case ExprKind::nil:
      return doc::Value(nullptr);
    case ExprKind::boolean:
      return doc::Value(as_bool());
    case ExprKind::string:
      return doc::Value(valid_utf8(as_string()));
    case ExprKind::object:
      return as_object()->to_json();
    default:
      if (is_integer()) {
        const bool large = kind_ == ExprKind::uint64 || kind_ == ExprKind::uint;
        return large ? doc::Value(static_cast<std::uint64_t>(as_integer()))
                     : doc::Value(as_integer());
      }
      if (kind_ == ExprKind::float64 && std::isfinite(as_number())) {
        return doc::Value(as_number());
      }
      break;
  }
  // The text is bounded, a value with shared parts is not.
  TRY(const std::string text, to_json_text());
  return doc::parse_json(text);
}

}  // namespace tiphys::lang
