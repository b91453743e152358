#include "lang/goregex/goregex.h"

#include "lang/gotext/gotext.h"

#include <algorithm>

namespace tiphys::lang {
namespace {

/// Go also takes `(?<name>`; RE2 of Debian 12 knows `(?P<name>` only.
std::string with_old_group_names(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      out += pattern.substr(i, 2);
      ++i;
      continue;
    }
    in_class = in_class ? c != ']' : c == '[';
    out.push_back(c);
    const std::string_view rest = pattern.substr(i);
    const bool named =
        rest.starts_with("(?<") && rest.size() > 3 && rest[3] != '=' && rest[3] != '!';
    if (!in_class && named) {
      out += "?P";
      ++i;
    }
  }
  return out;
}

std::string_view go_text(RE2::ErrorCode code) {
  switch (code) {
    case RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case RE2::ErrorBadCharClass:
      return "invalid character class";
    case RE2::ErrorBadCharRange:
      return "invalid character class range";
    case RE2::ErrorMissingBracket:
      return "missing closing ]";
    case RE2::ErrorMissingParen:
      return "missing closing )";
    case RE2::ErrorUnexpectedParen:
      return "unexpected )";
    case RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    case RE2::ErrorPatternTooLarge:
      return "expression too large";
    default:
      return "internal error";
  }
}

/// The piece of the pattern that Go shows beside the name of the problem.
std::string go_fragment(const RE2& program, std::string_view pattern) {
  switch (program.error_code()) {
    case RE2::ErrorMissingParen:
    case RE2::ErrorUnexpectedParen:
      return std::string(pattern);
    case RE2::ErrorTrailingBackslash:
      return "";
    default:
      return program.error_arg();
  }
}

}  // namespace

Result<std::shared_ptr<const RE2>> compile_regex(std::string_view pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_shared<RE2>(with_old_group_names(pattern), options);
  if (compiled->ok()) {
    return compiled;
  }
  return fail(ErrorCode::invalid,
              "error parsing regexp: " + std::string(go_text(compiled->error_code())) + ": `" +
                  go_fragment(*compiled, pattern) + "`");
}

Result<GoRegexp> GoRegexp::compile(std::string_view pattern) {
  GoRegexp out;
  out.pattern_ = pattern;
  TRY(out.program_, compile_regex(pattern));
  return out;
}

bool GoRegexp::matches(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *program_);
}

RegexMatches::RegexMatches(const RE2& pattern, std::string_view text, std::size_t groups)
    : pattern_(pattern), text_(text), groups_(groups) {}

bool RegexMatches::next() {
  while (at_ <= text_.size() &&
         pattern_.Match({text_.data(), text_.size()}, at_, text_.size(), RE2::UNANCHORED,
                        groups_.data(), static_cast<int>(groups_.size()))) {
    const Span found = *span(0);
    const bool is_empty_here = found.end == at_;
    const bool is_repeated = is_empty_here && found.begin == last_end_;
    if (is_empty_here) {
      at_ += std::max<std::size_t>(1, first_rune(text_.substr(at_)).size);
    } else {
      at_ = found.end;
    }
    last_end_ = found.end;
    if (!is_repeated) {
      return true;
    }
  }
  return false;
}

std::optional<RegexMatches::Span> RegexMatches::span(std::size_t group) const {
  const re2::StringPiece& piece = groups_[group];
  if (piece.data() == nullptr) {
    return std::nullopt;
  }
  const auto begin = static_cast<std::size_t>(piece.data() - text_.data());
  return Span{begin, begin + piece.size()};
}

}  // namespace tiphys::lang
