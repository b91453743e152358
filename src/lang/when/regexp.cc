#include "lang/when/regexp.h"

#include <fmt/format.h>
#include <re2/re2.h>

namespace tiphys::lang {
namespace {

std::string_view go_name(RE2::ErrorCode code) {
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

/// The piece of the pattern Go shows beside the name of the problem.
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

std::expected<GoRegexp, std::string> GoRegexp::compile(std::string_view pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(8 << 20);
  auto program =
      std::make_shared<const RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!program->ok()) {
    return std::unexpected(fmt::format("error parsing regexp: {}: `{}`",
                                       go_name(program->error_code()),
                                       go_fragment(*program, pattern)));
  }
  return GoRegexp(std::move(program));
}

bool GoRegexp::matches(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *program_);
}

const std::string& GoRegexp::pattern() const { return program_->pattern(); }

}  // namespace tiphys::lang
