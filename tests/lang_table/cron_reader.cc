// Table cron.

#include "lang/cron/cron.h"
#include "reader.h"

#include <boost/json.hpp>

namespace tiphys::table {
namespace {

using namespace lang;

Result<doc::Array> next_times(const doc::Value& in, std::string_view schedule, int count) {
  TRY(std::optional<Instant> at, parse_time(kRfc3339, text_at(in, "from")));
  const CronSyntax syntax =
      text_at(in, "parser") == "five-fields-only" ? CronSyntax::five_fields : CronSyntax::standard;
  TRY(const CronSchedule parsed, parse_cron(schedule, runtime().zones, syntax));
  doc::Array times;
  for (int i = 0; i < count && at; ++i) {
    at = next_time(parsed, *at);
    times.push_back(text_value(at ? at->rfc3339() : "never"));
  }
  return times;
}

Result<doc::Value> workflow_schedules(const doc::Value& in) {
  doc::Array out;
  std::string text;
  const doc::Value* list = doc::find(in, "schedules");
  if (list != nullptr && list->is_array()) {
    for (const doc::Value& one : list->get_array()) {
      const auto plain = doc::text_of(one.as_string());
      const std::string schedule = with_zone(plain, text_at(in, "timezone"));
      TRY(doc::Array times, next_times(in, schedule, 2));
      out.push_back(doc::Object{{"next", std::move(times)}, {"schedule", text_value(schedule)}});
      text += (text.empty() ? "" : ",") + std::string(plain);
    }
  }
  return doc::Object{{"schedules", std::move(out)}, {"text", text_value(text)}};
}

}  // namespace

Outcome read_cron(const Case& one) {
  if (text_at(one.in, "op") == "cronWorkflow") {
    auto schedules = workflow_schedules(one.in);
    return schedules ? Outcome(*std::move(schedules)) : failed(schedules.error());
  }
  auto times = next_times(one.in, text_at(one.in, "schedule"), 5);
  return times ? Outcome(*std::move(times)) : failed(times.error());
}

}  // namespace tiphys::table
