#pragma once
/// What a run may still cost, and how functions of jq fail. Private to the module.

#include "lang/jq/value.h"

#include <cstdint>
#include <expected>
#include <string>

namespace tiphys::lang::jq {

/// Steps that are left. Functions charge what they look at and build before they do it; when
/// nothing is left they may return anything, the machine ends the run.
class Budget {
 public:
  explicit Budget(std::uint64_t steps) : left_(steps) {}

  /// False when that is more than is left.
  bool spend(std::uint64_t steps) {
    left_ = steps > left_ ? 0 : left_ - steps;
    return left_ > 0;
  }

  /// For so many bytes that are built.
  bool spend_bytes(std::uint64_t bytes) { return spend(1 + bytes / 32); }

  bool exhausted() const { return left_ == 0; }

 private:
  std::uint64_t left_;
};

/// Why a value did not come to be.
struct Problem {
  enum class Kind {
    /// Can be caught; the text is what `catch` gets.
    message,
    /// `error(value)`.
    value,
    /// `break` to a label.
    broken,
    /// `halt` and `halt_error`.
    halt,
    /// The budget is used up, or a value is nested too deeply: ends the run.
    limit,
  };

  Kind kind = Kind::message;
  std::string text;
  Value value;
  std::int64_t label = 0;

  /// As the run's error.
  std::string shown() const;
};

using Outcome = std::expected<Value, Problem>;

inline std::unexpected<Problem> problem(std::string text) {
  return std::unexpected(Problem{.text = std::move(text)});
}

inline std::unexpected<Problem> over_limit(std::string text) {
  return std::unexpected(Problem{.kind = Problem::Kind::limit, .text = std::move(text)});
}

}  // namespace tiphys::lang::jq
