#pragma once
/// Regular expressions of Go's package regexp: RE2's syntax with Go's error texts, and Go's rules
/// for finding one match after another. Matching time is linear in the text; patterns that would
/// need more than 8 MiB are refused.

#include "base/error.h"

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::lang {

/// Never null. Errors (invalid) carry Go's text: "error parsing regexp: missing closing ]: `[`".
Result<std::shared_ptr<const RE2>> compile_regex(std::string_view pattern);

/// A pattern that remembers how it was written.
class GoRegexp {
 public:
  /// Errors: those of compile_regex.
  static Result<GoRegexp> compile(std::string_view pattern);

  /// Whether the pattern matches anywhere in the text.
  bool matches(std::string_view text) const;

  const std::string& pattern() const { return pattern_; }

 private:
  std::string pattern_;
  std::shared_ptr<const RE2> program_;
};

/// The matches of a pattern in a text that do not overlap, one after another; an empty one right
/// behind another match does not count (Go's FindAll). Pattern and text must outlive it.
class RegexMatches {
 public:
  /// `groups` is how many pieces a match tells: 1 for the match alone, one more for each group.
  RegexMatches(const RE2& pattern, std::string_view text, std::size_t groups);

  /// Goes to the next match. False when there is none.
  bool next();

  struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  /// Where the match (0) or a group is; nothing for a group that took no part.
  std::optional<Span> span(std::size_t group) const;

  /// Where the search goes on: what is left of the text bounds the work of the next match.
  std::size_t position() const { return at_; }

 private:
  const RE2& pattern_;
  std::string_view text_;
  std::vector<re2::StringPiece> groups_;
  std::size_t at_ = 0;
  std::optional<std::size_t> last_end_;
};

}  // namespace tiphys::lang
