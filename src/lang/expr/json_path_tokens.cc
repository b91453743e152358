/// Text of a JSON path to its steps.
#include "lang/expr/json_path.h"
#include "lang/gotext/gotext.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace tiphys::lang {
namespace {

/// Collects the characters of one step after the other.
class Splitter {
 public:
  explicit Splitter(std::string_view path) : path_(path) {}

  Result<std::vector<std::string>> split() {
    if (path_.empty()) {
      return path_error("unexpected token '' at index 0");
    }
    for (std::size_t at = 0; at < path_.size();) {
      const DecodedRune next = first_rune(path_.substr(at));
      count(next.rune);
      append_rune(step_, next.rune);
      if (at == 0) {
        TRY_VOID(start());
      } else {
        take(next.rune);
      }
      at += next.size;
    }
    if (!step_.empty()) {
      finish(step_.size());
    }
    return std::move(steps_);
  }

 private:
  void count(char32_t rune) {
    if (step_.empty()) {
      quotes_ = 0;
      parentheses_ = 0;
    }
    quotes_ += rune == '\'' ? 1 : 0;
    parentheses_ += rune == '(' ? 1 : (rune == ')' ? -1 : 0);
    brackets_ += rune == '[' ? 1 : (rune == ']' ? -1 : 0);
  }

  Result<> start() {
    if (step_ != "$" && step_ != "@") {
      return path_error(fmt::format("unexpected token '{}' at index 0", step_));
    }
    if (path_.size() > 1 && path_[1] != '.' && path_[1] != '[') {
      std::string next;
      append_rune(next, static_cast<unsigned char>(path_[1]));
      return path_error(fmt::format("unexpected token '{}' at index 1", next));
    }
    finish(1);
    return {};
  }

  /// The first `length` bytes are a step; its leading point does not belong to it.
  void finish(std::size_t length) {
    std::string_view step = std::string_view(step_).substr(0, length);
    if (step != ".." && step.starts_with('.')) {
      step.remove_prefix(1);
    }
    steps_.emplace_back(step);
    step_.clear();
  }

  bool inside() const { return quotes_ % 2 == 1 || parentheses_ != 0; }

  void take(char32_t rune) {
    if (step_ == ".") {
      return;
    }
    if (step_ == "..") {
      finish(2);
      return;
    }
    if (rune == '[') {
      const bool first = step_ == "[" || step_ == ".[";
      if (!first && std::ranges::count(step_, '[') == 1) {
        finish(step_.size() - 1);
        step_ = "[";
      }
      return;
    }
    if (step_.find('[') != std::string::npos) {
      if (!inside() && rune == ']' && brackets_ == 0) {
        finish(step_.size());
      }
    } else if (rune == '.' && !inside()) {
      finish(step_.size() - 1);
      step_ = ".";
    }
  }

  std::string_view path_;
  std::string step_;
  std::vector<std::string> steps_;
  int quotes_ = 0;
  int parentheses_ = 0;
  int brackets_ = 0;
};

std::unexpected<Error> bad_format(std::string_view token) {
  return path_error(fmt::format("invalid token. '{}' does not match any token format", token));
}

std::unexpected<Error> bad_expression(std::string_view text) {
  return path_error(fmt::format("invalid expression. invalid format '{}'", text));
}

bool is_script(std::string_view text) {
  return text.size() > 2 && text.starts_with('(') && text.ends_with(')');
}

bool is_key(std::string_view text) {
  return text.size() > 1 && ((text.starts_with('\'') && text.ends_with('\'')) ||
                             (text.starts_with('"') && text.ends_with('"')));
}

/// What stands inside a subscript: arguments and the signs between them.
struct SubscriptPart {
  enum class Kind : std::uint8_t { nothing, number, text, colon, comma };
  Kind kind = Kind::nothing;
  std::int64_t number = 0;
  std::string text;
};

SubscriptPart part_of(std::string text) {
  if (const auto number = parse_integer(text, 10)) {
    return {SubscriptPart::Kind::number, *number, {}};
  }
  return {SubscriptPart::Kind::text, 0, std::move(text)};
}

class SubscriptReader {
 public:
  SubscriptReader(std::string_view token, std::string_view subscript)
      : token_(token), subscript_(subscript) {}

  Result<std::vector<SubscriptPart>> read() {
    for (std::size_t at = 0; at < subscript_.size();) {
      const DecodedRune next = first_rune(subscript_.substr(at));
      append_rune(buffer_, next.rune);
      TRY_VOID(take(next.rune, at == 0));
      at += next.size;
    }
    if (!buffer_.empty()) {
      parts_.push_back(part_of(std::move(buffer_)));
    }
    return std::move(parts_);
  }

 private:
  bool quoted() const { return single_ || double_; }

  Result<> take(char32_t rune, bool first) {
    switch (rune) {
      case ' ':
        if (!quoted() && depth_ == 0) {
          buffer_ = std::string(trim_space(buffer_));
        }
        return {};
      case '(':
        depth_ += quoted() ? 0 : 1;
        return {};
      case ')':
        --depth_;
        return depth_ == 0 ? take_script() : Result<>();
      case '\'':
        return double_ || depth_ != 0 ? Result<>() : take_quote(single_, '\'');
      case '"':
        return single_ || depth_ != 0 ? Result<>() : take_quote(double_, '"');
      case ':':
        return quoted() || depth_ != 0 ? Result<>() : take_colon(first);
      case ',':
        if (!quoted() && depth_ == 0) {
          take_comma();
        }
        return {};
      default:
        return {};
    }
  }

  Result<> take_script() {
    if (!is_script(buffer_)) {
      return bad_expression(buffer_);
    }
    parts_.push_back({SubscriptPart::Kind::text, 0, std::move(buffer_)});
    buffer_.clear();
    return {};
  }

  Result<> take_quote(bool& open, char quote) {
    if (buffer_.size() > 1 && buffer_[buffer_.size() - 2] == '\\') {
      buffer_.erase(buffer_.size() - 2, 1);
      return {};
    }
    open = !open;
    if (open) {
      return buffer_.size() == 1 && buffer_[0] == quote ? Result<>() : bad_format(token_);
    }
    if (!is_key(buffer_)) {
      return bad_format(token_);
    }
    parts_.push_back({SubscriptPart::Kind::text, 0, std::move(buffer_)});
    buffer_.clear();
    return {};
  }

  Result<> take_colon(bool first) {
    buffer_.pop_back();
    if (!buffer_.empty()) {
      const auto number = parse_integer(buffer_, 10);
      if (!number) {
        return bad_format(token_);
      }
      parts_.push_back({SubscriptPart::Kind::number, *number, {}});
    } else if (first) {
      parts_.push_back({});
    }
    parts_.push_back({SubscriptPart::Kind::colon, 0, {}});
    buffer_.clear();
    return {};
  }

  void take_comma() {
    buffer_.pop_back();
    if (!buffer_.empty()) {
      parts_.push_back(part_of(std::move(buffer_)));
    }
    parts_.push_back({SubscriptPart::Kind::comma, 0, {}});
    buffer_.clear();
  }

  std::string_view token_;
  std::string_view subscript_;
  std::string buffer_;
  std::vector<SubscriptPart> parts_;
  int depth_ = 0;
  bool single_ = false;
  bool double_ = false;
};

using ScriptPtr = std::shared_ptr<const PathScript>;

Result<ScriptPtr> script_in(std::string_view text, PathBudget& budget) {
  return PathScript::compile(text.substr(1, text.size() - 2), budget);
}

Result<PathToken> single(std::string_view token, const SubscriptPart& part, PathBudget& budget) {
  if (part.kind == SubscriptPart::Kind::number) {
    return PathToken{.kind = PathKind::index, .index = part.number};
  }
  if (part.kind == SubscriptPart::Kind::text && is_key(part.text)) {
    return PathToken{.kind = PathKind::key, .key = part.text.substr(1, part.text.size() - 2)};
  }
  if (part.kind == SubscriptPart::Kind::text && is_script(part.text)) {
    TRY(ScriptPtr script, script_in(part.text, budget));
    return PathToken{.kind = PathKind::script, .script = std::move(script)};
  }
  return bad_format(token);
}

std::unexpected<Error> expression_error(const Error& error) {
  const bool named = error.message.starts_with("invalid expression");
  return path_error(named ? error.message : "invalid expression. " + error.message);
}

Result<PathArgument> argument(std::string_view token, const SubscriptPart& part, bool range,
                              PathBudget& budget) {
  switch (part.kind) {
    case SubscriptPart::Kind::nothing:
      return range ? Result<PathArgument>(PathArgument()) : bad_format(token);
    case SubscriptPart::Kind::number:
      return PathArgument(part.number);
    default:
      break;
  }
  if (is_script(part.text)) {
    Result<ScriptPtr> script = script_in(part.text, budget);
    if (!script) {
      return expression_error(script.error());
    }
    return PathArgument(*std::move(script));
  }
  if (range) {
    return bad_expression(part.text);
  }
  return is_key(part.text)
             ? Result<PathArgument>(PathArgument(part.text.substr(1, part.text.size() - 2)))
             : bad_format(token);
}

Result<PathToken> several(std::string_view token, const std::vector<SubscriptPart>& parts,
                          PathBudget& budget) {
  std::size_t colons = 0;
  std::size_t commas = 0;
  bool after_colon = false;
  std::vector<SubscriptPart> plain;
  for (const SubscriptPart& part : parts) {
    if (part.kind == SubscriptPart::Kind::colon) {
      ++colons;
      if (after_colon) {
        plain.push_back({});
      }
      after_colon = true;
      continue;
    }
    if (part.kind == SubscriptPart::Kind::comma) {
      ++commas;
    } else {
      plain.push_back(part);
    }
    after_colon = false;
  }
  const bool neither = colons == 0 && commas == 0;
  const bool range = colons > 0;
  if (neither || (colons > 0 && commas > 0) || (commas > 0 && commas >= plain.size()) ||
      colons > 2) {
    return bad_format(token);
  }
  if (colons == 1 && plain.size() == 1) {
    plain.push_back({});
  }
  if (range && plain.size() < 2) {
    return bad_format(token);
  }
  PathToken out{.kind = range ? PathKind::range : PathKind::set};
  for (std::size_t i = 0; i < plain.size() && !(range && i >= 3); ++i) {
    TRY(PathArgument value, argument(token, plain[i], range, budget));
    out.arguments.push_back(std::move(value));
  }
  return out;
}

}  // namespace

Result<> PathBudget::spend() {
  if (steps == 0) {
    return path_error("step budget exceeded");
  }
  --steps;
  return {};
}

std::unexpected<Error> path_error(std::string message) {
  return fail(ErrorCode::invalid, std::move(message));
}

Result<std::vector<std::string>> split_path(std::string_view path) {
  return Splitter(path).split();
}

Result<PathToken> parse_path_token(std::string_view text, PathBudget& budget) {
  text = trim_space(text);
  if (text.empty()) {
    return path_error("invalid token. token string is empty");
  }
  constexpr std::pair<std::string_view, PathKind> kWords[] = {{"$", PathKind::root},
                                                              {"@", PathKind::current},
                                                              {"*", PathKind::wildcard},
                                                              {"..", PathKind::recursive},
                                                              {"length", PathKind::length}};
  for (const auto& [word, kind] : kWords) {
    if (text == word) {
      return PathToken{.kind = kind};
    }
  }
  if (!text.starts_with('[')) {
    return PathToken{.kind = PathKind::key, .key = std::string(text)};
  }
  const bool closed = text.size() > 1 && text.ends_with(']');
  const std::string_view subscript =
      closed ? trim_space(text.substr(1, text.size() - 2)) : std::string_view();
  if (subscript.empty()) {
    return bad_format(text);
  }
  if (subscript == "*") {
    return PathToken{.kind = PathKind::wildcard};
  }
  if (subscript.starts_with('?')) {
    if (!subscript.starts_with("?(") || !subscript.ends_with(')')) {
      return bad_format(text);
    }
    TRY(ScriptPtr script,
        PathScript::compile(trim_space(subscript.substr(2, subscript.size() - 3)), budget));
    return PathToken{.kind = PathKind::filter, .script = std::move(script)};
  }
  TRY(const auto parts, SubscriptReader(text, subscript).read());
  return parts.size() == 1 ? single(text, parts[0], budget) : several(text, parts, budget);
}

Result<PathTokens> parse_path(std::string_view path, PathBudget& budget) {
  TRY(const auto steps, split_path(path));
  PathTokens tokens;
  for (const std::string& step : steps) {
    TRY(PathToken token, parse_path_token(step, budget));
    tokens.push_back(std::move(token));
  }
  return tokens;
}

}  // namespace tiphys::lang
