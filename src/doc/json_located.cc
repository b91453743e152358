#include "doc/yaml.h"
#include "doc/yaml_nodes.h"

#include <boost/json.hpp>

namespace tiphys::doc {
namespace {

/// Walks over JSON text that is known to be well-formed and notes where its nodes stand. Columns
/// count characters, as those of YAML do.
class Scanner {
 public:
  Scanner(std::string_view text, const YamlOptions& options)
      : text_(text), options_(options), here_{options.first_line + 1, 1} {}

  Positions scan() {
    skip_blanks();
    scan_value(positions_.add({}, {}, here_));
    return std::move(positions_).finish();
  }

  std::vector<FieldError> take_duplicates() { return std::move(duplicates_); }

 private:
  void advance() {
    const char c = text_[at_++];
    if (c == '\n') {
      ++here_.line;
      here_.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80) {
      ++here_.column;
    }
  }

  char current() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_blanks() {
    while (current() == ' ' || current() == '\t' || current() == '\n' || current() == '\r') {
      advance();
    }
  }

  void skip_string() {
    advance();
    while (at_ < text_.size() && current() != '"') {
      if (current() == '\\') {
        advance();
      }
      advance();
    }
    advance();
  }

  /// The value of the string that stands between `start` and here.
  std::string string_from(std::size_t start) const {
    const std::string_view quoted = text_.substr(start, at_ - start);
    if (quoted.find('\\') == std::string_view::npos) {
      return std::string(quoted.substr(1, quoted.size() - 2));
    }
    const auto parsed = parse_json(quoted);
    return parsed && parsed->is_string() ? std::string(text_of(parsed->get_string()))
                                         : std::string();
  }

  void scan_value(PositionsBuilder::Slot slot) {
    if (current() == '{') {
      scan_object(slot);
    } else if (current() == '[') {
      scan_array(slot);
    } else if (current() == '"') {
      skip_string();
    } else {
      while (at_ < text_.size() &&
             std::string_view(",]} \t\r\n").find(current()) == std::string_view::npos) {
        advance();
      }
    }
  }

  void scan_object(PositionsBuilder::Slot slot) {
    advance();
    skip_blanks();
    while (at_ < text_.size() && current() != '}') {
      const Position key = here_;
      const std::size_t start = at_;
      skip_string();
      const std::string name = string_from(start);
      skip_blanks();
      advance();
      skip_blanks();
      const auto member = positions_.add(name, key, here_);
      const std::size_t before = path_.size();
      path_ += (path_.empty() ? "" : ".") + name;
      scan_value(member);
      path_.resize(before);
      skip_separator();
    }
    advance();
    for (auto& duplicate : positions_.close_object(slot)) {
      note_duplicate(duplicate);
    }
  }

  void scan_array(PositionsBuilder::Slot slot) {
    advance();
    skip_blanks();
    for (std::size_t index = 0; at_ < text_.size() && current() != ']'; ++index) {
      const std::size_t before = path_.size();
      path_ += "[" + std::to_string(index) + "]";
      scan_value(positions_.add({}, {}, here_));
      path_.resize(before);
      skip_separator();
    }
    advance();
    positions_.close_list(slot);
  }

  void skip_separator() {
    skip_blanks();
    if (current() == ',') {
      advance();
      skip_blanks();
    }
  }

  void note_duplicate(const PositionsBuilder::Duplicate& duplicate) {
    if (options_.duplicate_keys == DuplicateKeys::error) {
      duplicates_.push_back({path_ + (path_.empty() ? "" : ".") + duplicate.name,
                             "line " + std::to_string(duplicate.key.line) + ": key \"" +
                                 duplicate.name + "\" already set in map",
                             duplicate.key});
    }
  }

  std::string_view text_;
  const YamlOptions& options_;
  std::size_t at_ = 0;
  Position here_;
  PositionsBuilder positions_;
  std::string path_;
  std::vector<FieldError> duplicates_;
};

}  // namespace

Result<LocatedValue> parse_located_json(std::string_view text, const YamlOptions& options) {
  if (text.size() > options.limits.bytes) {
    return fail(ErrorCode::parse, "JSON text has " + std::to_string(text.size()) +
                                      " bytes, the limit is " +
                                      std::to_string(options.limits.bytes));
  }
  TRY(Value value, parse_json(text, options.first_line));
  Scanner scanner(text, options);
  Positions positions = scanner.scan();
  auto duplicates = scanner.take_duplicates();
  if (!duplicates.empty()) {
    std::string message = "json: unmarshal errors:";
    for (const FieldError& duplicate : duplicates) {
      message += "\n  " + duplicate.message;
    }
    return std::unexpected(Error{ErrorCode::invalid, message, std::move(duplicates)});
  }
  return LocatedValue{std::move(value), std::move(positions)};
}

}  // namespace tiphys::doc
