#include "lang/expr/go_regex.h"

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

}  // namespace

Result<std::shared_ptr<const RE2>> compile_regex(std::string_view pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_shared<RE2>(with_old_group_names(pattern), options);
  if (compiled->ok()) {
    return compiled;
  }
  const bool whole = compiled->error_code() == RE2::ErrorTrailingBackslash;
  return fail(ErrorCode::invalid,
              "error parsing regexp: " + std::string(go_text(compiled->error_code())) +
                  (whole ? ": ``" : ": `" + compiled->error_arg() + "`"));
}

}  // namespace tiphys::lang
