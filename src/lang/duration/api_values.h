#pragma once
/// The small value types of the Kubernetes API that have their own JSON form: durations, times with
/// seconds or microseconds, and fields that take a number or a text. Reading is as strict and
/// complains in the same words as upstream.
///
/// Source of the rules: k8s.io/apimachinery v0.35.4 pkg/apis/meta/v1 (Duration, Time, MicroTime)
/// and pkg/util/intstr; Go's package time (see lang/gotime).

#include "base/error.h"
#include "lang/gotime/gotime.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tiphys::lang {

/// Duration.Seconds of Go.
double seconds_of(Nanos duration);

/// metav1.Duration: a JSON string for Go's ParseDuration. Errors: invalid.
Result<Nanos> duration_from_json(std::string_view json);
/// `"1h0m0s"`.
std::string duration_to_json(Nanos duration);

enum class TimeForm { seconds, microseconds };

/// metav1.Time or metav1.MicroTime: RFC 3339, for microseconds with exactly six digits. `null` is
/// nothing; so is Go's zero time. Errors: invalid.
Result<std::optional<Instant>> time_from_json(std::string_view json, TimeForm form);
/// In UTC; nothing is `null`.
std::string time_to_json(const std::optional<Instant>& instant, TimeForm form);

/// intstr.IntOrString.
class IntOrString {
 public:
  /// The number 0.
  IntOrString() = default;
  static IntOrString of(std::int32_t number);
  static IntOrString of(std::string text);
  /// A number if the text is one (intstr.Parse).
  static IntOrString parse(std::string_view text);
  /// Errors: invalid.
  static Result<IntOrString> from_json(std::string_view json);

  bool is_number() const { return !text_; }

  /// The number, or the number the text spells, or 0.
  std::int64_t number() const;
  std::string text() const;
  std::string to_json() const;

  enum class Rounding { up, down };

  /// The number, or that percentage of `total`. Errors: invalid, for texts that are no percentage.
  Result<std::int64_t> scaled(std::int64_t total, Rounding rounding) const;

  bool operator==(const IntOrString&) const = default;

 private:
  std::int32_t number_ = 0;
  std::optional<std::string> text_;
};

}  // namespace tiphys::lang
