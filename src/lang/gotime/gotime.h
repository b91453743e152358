#pragma once
/// Instants, durations and time zones as Go's package time understands them, because the languages
/// in manifests print and parse them with Go's layouts. Three nouns: `Instant`, a point in time
/// together with the zone it is shown in; `Nanos`, a Go time.Duration; `Zone`, the rules of one
/// time zone, shared and immutable. Nothing here reads a clock or a file: the present and the zone
/// files are handed in.
///
/// Source of the rules: the documentation of Go's packages time and time/tzdata; RFC 8536 (TZif).

#include "base/error.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tiphys::lang {

/// A Go time.Duration: signed nanoseconds, arithmetic wraps around.
using Nanos = std::chrono::duration<std::int64_t, std::nano>;

/// "1h30m0s", "1.5s", "100ms", "0s" (Go's Duration.String).
std::string duration_text(Nanos duration);
/// Go's time.ParseDuration, error texts included (`time: invalid duration "x"`). Errors: invalid.
Result<Nanos> parse_duration(std::string_view text);
/// Go's Duration.Round and Duration.Truncate.
Nanos round_duration(Nanos duration, Nanos unit);
Nanos truncate_duration(Nanos duration, Nanos unit);

/// What a zone says at one instant.
struct ZoneOffset {
  /// Seconds east of UTC.
  std::int32_t seconds = 0;
  /// "UTC", "CEST"; empty when the zone has no name (a parsed offset).
  std::string abbreviation;
  bool daylight = false;
};

/// The rules of a time zone.
class Zone {
 public:
  /// "UTC".
  static std::shared_ptr<const Zone> utc();
  /// A zone that is always `seconds` east of UTC.
  static std::shared_ptr<const Zone> fixed(std::string name, std::int32_t seconds);
  /// Reads a compiled zone file (TZif 1 to 4). Errors: invalid.
  static Result<std::shared_ptr<const Zone>> from_tzif(std::string name, std::string_view bytes);

  Zone();
  ~Zone();
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

  /// The name it was made with, as Go's Location.String gives it.
  const std::string& name() const;
  /// The offset in force at a Unix time.
  ZoneOffset at(std::int64_t unix_seconds) const;
  /// Seconds east of UTC that Go's time.Date uses for a wall clock reading, given as if it were
  /// UTC.
  std::int32_t wall_clock_offset(std::int64_t wall_seconds) const;
  /// The offset that carries `abbreviation` around that wall clock reading, if there is one.
  std::optional<std::int32_t> offset_of(std::string_view abbreviation,
                                        std::int64_t wall_seconds) const;

 private:
  struct Rules;
  std::unique_ptr<Rules> rules_;
};

/// Gives the bytes of the zone file of an IANA name ("Asia/Tokyo"), or nothing when there is none.
/// An implementation never sees a name with "..", a leading "/" or a backslash.
class ZoneFiles {
 public:
  virtual ~ZoneFiles() = default;
  virtual std::optional<std::string> load(std::string_view name) const = 0;
};

/// Go's time.LoadLocation: "" and "UTC" are UTC, "Local" is UTC too (programs here run in UTC).
/// `files` may be null. Error: `unknown time zone X`.
Result<std::shared_ptr<const Zone>> load_zone(std::string_view name, const ZoneFiles* files);

/// Year, month (1-12), day and so on of an instant in its zone.
struct CivilTime {
  std::int64_t year = 1;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int nanosecond = 0;
  /// 0 = Sunday.
  int weekday = 1;
  /// 1-366.
  int year_day = 1;
};

/// A point in time with nanoseconds and the zone it is shown in; a Go time.Time without the
/// monotonic reading.
struct Instant {
  std::int64_t unix_seconds = 0;
  /// 0 to 999999999.
  std::int32_t nanosecond = 0;
  /// Never null.
  std::shared_ptr<const Zone> zone = Zone::utc();

  /// Go's zero time, 0001-01-01T00:00:00Z.
  static Instant zero();
  /// Go's time.Date: values outside their range roll over.
  static Instant from_civil(const CivilTime& civil, std::shared_ptr<const Zone> zone);

  CivilTime civil() const;
  ZoneOffset offset() const;
  /// The ISO 8601 year and week.
  std::pair<std::int64_t, int> iso_week() const;
  Instant in(std::shared_ptr<const Zone> other) const;
  Instant plus(Nanos duration) const;
  /// Go's Time.AddDate: years, months and days with roll-over.
  Instant plus_date(std::int64_t years, std::int64_t months, std::int64_t days) const;
  /// Go's Time.Sub: saturates at the ends of Nanos.
  Nanos minus(const Instant& other) const;
  /// Go's Time.Truncate and Time.Round: multiples of `unit` since the zero time.
  Instant truncate(Nanos unit) const;
  Instant round(Nanos unit) const;

  /// Formatted by a Go layout ("2006-01-02T15:04:05Z07:00").
  std::string format(std::string_view layout) const;
  /// "2024-01-02 00:00:00 +0000 UTC" (Go's Time.String).
  std::string text() const;
  /// RFC 3339 with as many fractional digits as there are (how Go marshals a time to JSON).
  std::string rfc3339() const;
};

/// -1, 0, 1 by the point in time alone, the zones do not count.
int compare(const Instant& a, const Instant& b);

/// Go's time.ParseInLocation, error texts included. `zone` is used where the text names none.
/// Errors: invalid.
Result<Instant> parse_time(std::string_view layout, std::string_view text,
                           std::shared_ptr<const Zone> zone = Zone::utc());

inline constexpr std::string_view kRfc3339 = "2006-01-02T15:04:05Z07:00";

}  // namespace tiphys::lang
