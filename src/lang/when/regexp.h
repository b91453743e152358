#pragma once
/// Regular expressions of Go's package regexp (RE2 syntax) with Go's error texts. Matching time is
/// linear in the text; patterns that would need more than 8 MiB are refused.

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace tiphys::lang {

class GoRegexp {
 public:
  /// The error is Go's: "error parsing regexp: missing closing ]: `[`".
  static std::expected<GoRegexp, std::string> compile(std::string_view pattern);

  /// Whether the pattern matches anywhere in the text.
  bool matches(std::string_view text) const;
  const std::string& pattern() const;

 private:
  explicit GoRegexp(std::shared_ptr<const re2::RE2> program) : program_(std::move(program)) {}

  std::shared_ptr<const re2::RE2> program_;
};

}  // namespace tiphys::lang
