#include "workflows/validate/cron_check.h"

#include "lang/cron/cron.h"
#include "lang/gotext/gotext.h"
#include "workflows/validate/workflow_check.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace tiphys::workflows {
namespace {

/// Eleven less than other names have: a run's name ends in its time.
constexpr std::size_t kLongestCronName = 52;

Result<> check_schedules(const doc::Value& spec, const lang::ZoneFiles* zones) {
  const Place place("spec");
  const doc::Value* schedules = find_in(spec, "schedules");
  if (schedules == nullptr || !schedules->is_array() || schedules->get_array().empty()) {
    return fail_at(place, ".schedules", "cron workflow must have at least one schedule");
  }
  for (std::size_t i = 0; i < schedules->get_array().size(); ++i) {
    const auto* text = schedules->get_array()[i].if_string();
    const std::string schedule(text == nullptr ? "" : doc::text_of(*text));
    auto parsed =
        lang::parse_cron(schedule, zones, lang::CronSyntax::standard, lang::UnknownZones::accept);
    if (!parsed) {
      return fail_at(place.element(".schedules", i), "",
                     "cron schedule " + schedule + " is malformed: " + parsed.error().message);
    }
  }
  return {};
}

Result<> check_policies(const doc::Value& spec, const lang::ZoneFiles* zones) {
  static constexpr std::array<std::string_view, 4> kPolicies = {"", "Allow", "Forbid", "Replace"};
  const Place place("spec");
  const std::string_view zone = doc::find_string(spec, "timezone");
  if (auto loaded = lang::load_zone(zone, zones); !loaded && zones != nullptr) {
    return fail_at(place, ".timezone",
                   "invalid timezone " + lang::quote(zone) + ": " + loaded.error().message);
  }
  const std::string_view policy = doc::find_string(spec, "concurrencyPolicy");
  if (std::ranges::find(kPolicies, policy) == kPolicies.end()) {
    return fail_at(place, ".concurrencyPolicy",
                   "'" + std::string(policy) + "' is not a valid concurrencyPolicy");
  }
  const doc::Value* deadline = find_in(spec, "startingDeadlineSeconds");
  if (deadline != nullptr && deadline->is_int64() && deadline->get_int64() < 0) {
    return fail_at(place, ".startingDeadlineSeconds", "startingDeadlineSeconds must be positive");
  }
  return {};
}

}  // namespace

Result<> check_cron_schedule(const doc::Value& document, const lang::ZoneFiles* zones) {
  const doc::Value* name = find_in(document, "metadata.name");
  if (name != nullptr && name->is_string() && name->get_string().size() > kLongestCronName) {
    return fail_at(Place("metadata"), ".name",
                   "cron workflow name " + lang::quote(doc::text_of(name->get_string())) +
                       " must not be more than 52 characters long (currently " +
                       std::to_string(name->get_string().size()) + ")");
  }
  const doc::Value* spec = find_in(document, "spec");
  const doc::Value none;
  TRY_VOID(check_schedules(spec == nullptr ? none : *spec, zones));
  return check_policies(spec == nullptr ? none : *spec, zones);
}

}  // namespace tiphys::workflows
