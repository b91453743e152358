#pragma once
/// Cron schedules: five fields (`*/5 8-18 * * MON-FRI`), descriptors (`@daily`) and `@every 90m`,
/// each optionally behind `TZ=zone ` or `CRON_TZ=zone `. A `CronSchedule` is what was read: the
/// minutes, hours, days, months and weekdays it names as sets of bits, or an interval. Reading
/// only; when a schedule is due is not told here.
///
/// Source of the rules and of the error texts: robfig/cron v3.0.1 parser.go, as Argo Workflows uses
/// it.

#include "base/error.h"
#include "lang/gotime/gotime.h"

#include <cstdint>
#include <memory>
#include <optional>
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

}  // namespace tiphys::lang
