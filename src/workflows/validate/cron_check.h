#pragma once
/// What a CronWorkflow has beside its workflow. Private to the module.

#include "doc/json.h"
#include "lang/gotime/gotime.h"
#include "workflows/validate/place.h"

namespace tiphys::workflows {

/// Name, schedules, time zone and policies; without `zones` names of time zones pass. Source: Argo
/// Workflows v4.1.2 workflow/validate CronWorkflow.
Result<> check_cron_schedule(const doc::Value& document, const lang::ZoneFiles* zones);

}  // namespace tiphys::workflows
