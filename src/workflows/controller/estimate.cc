#include "workflows/controller/estimate.h"

#include "doc/json.h"
#include "kube/time.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace tiphys::workflows {
namespace {

constexpr std::string_view kPhaseLabel = "workflows.argoproj.io/phase";
constexpr std::array<std::string_view, 3> kOriginLabels = {
    "workflows.argoproj.io/workflow-template", "workflows.argoproj.io/cluster-workflow-template",
    "workflows.argoproj.io/cron-workflow"};

std::int64_t seconds_of(const kube::Object& workflow) {
  const doc::Value* status = doc::find(workflow.document(), "status");
  if (status == nullptr) {
    return 0;
  }
  const auto started = kube::parse_time(doc::find_string(*status, "startedAt"));
  const auto finished = kube::parse_time(doc::find_string(*status, "finishedAt"));
  if (!started || !finished) {
    return 0;
  }
  const auto length = std::chrono::duration_cast<std::chrono::seconds>(*finished - *started);
  return std::max<std::int64_t>(length.count(), 0);
}

}  // namespace

std::int64_t estimate_seconds(const kube::Api& api, const Metadata& run) {
  for (const std::string_view label : kOriginLabels) {
    const auto origin = run.labels.find(std::string(label));
    if (origin == run.labels.end()) {
      continue;
    }
    kube::ObjectRef newest;
    for (const kube::ObjectRef& other :
         api.list("Workflow", run.namespace_,
                  kube::LabelSelector::equals(origin->first, origin->second))) {
      if (other->label(kPhaseLabel) == "Succeeded" &&
          (newest == nullptr || other->creation_time() > newest->creation_time() ||
           (other->creation_time() == newest->creation_time() &&
            other->resource_version() > newest->resource_version()))) {
        newest = other;
      }
    }
    return newest == nullptr ? 0 : seconds_of(*newest);
  }
  return 0;
}

}  // namespace tiphys::workflows
