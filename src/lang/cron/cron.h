#pragma once
/// Cron schedules: five fields (`*/5 8-18 * * MON-FRI`), descriptors (`@daily`) and `@every 90m`,
/// each optionally behind `TZ=zone ` or `CRON_TZ=zone `. A `CronSchedule` is what was read: the
/// minutes, hours, days, months and weekdays it names as sets of bits, or an interval. `next_time`
/// tells when it is due. No clock is read and no file: the present and the zone files are handed
/// in.
///
/// Source of the rules and of the error texts: robfig/cron v3.0.1 parser.go and spec.go, as Argo
/// Workflows uses it.

#include "base/error.h"
#include "lang/gotime/gotime.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tiphys::lang {

/// Bit i of a set stands for the value i.
struct CronSchedule {
  std::uint64_t minutes = 0;
  std::uint64_t hours = 0;
  std::uint64_t days = 0;
  std::uint64_t months = 0;
  std::uint64_t weekdays = 0;
  /// Whether the field was `*` or `?`: a day must satisfy both fields where one of them is such a
  /// star, else either of them.
  bool days_star = false;
  bool weekdays_star = false;
  /// Set for `@every`: whole seconds, at least one; the sets are empty then.
  std::optional<Nanos> every;
  /// Null unless the schedule names a zone.
  std::shared_ptr<const Zone> zone;
};

enum class CronSyntax {
  /// Five fields and descriptors (robfig's ParseStandard; CronWorkflows).
  standard,
  /// Five fields only (calendars, sync windows).
  five_fields,
};

/// What to do with the name of a zone when there are no zone files to look it up in.
enum class UnknownZones { refuse, accept };

/// Errors: invalid, robfig's texts, such as `expected exactly 5 fields, found 4: [* * * *]`.
/// `files` may be null.
Result<CronSchedule> parse_cron(std::string_view schedule, const ZoneFiles* files,
                                CronSyntax syntax = CronSyntax::standard,
                                UnknownZones unknown_zones = UnknownZones::refuse);

/// The first time after `after` at which the schedule is due, shown in the zone of `after`; nothing
/// when there is none within five years (`0 0 30 2 *`). Without a zone of its own the schedule is
/// read in the zone of `after`. A time of day that does not exist on the day clocks go forward is
/// skipped that day; where clocks go back, `30 1 * * *` is due at the first 1:30 and again an hour
/// later, as robfig does it.
/// For `@every` it is the interval behind the whole second of `after`.
std::optional<Instant> next_time(const CronSchedule& schedule, const Instant& after);

/// How a CronWorkflow's `timezone` joins one of its schedules: "CRON_TZ=Asia/Tokyo 0 0 * * *";
/// without a zone the schedule as it is.
std::string with_zone(std::string_view schedule, std::string_view zone);

}  // namespace tiphys::lang
