#include "cli/selection.h"

#include "cli/duration_text.h"
#include "cli/text/workflow_text.h"
#include "kube/selector.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::cli {
namespace {

using doc::Value;

const Value& member(const Value& value, std::string_view key) {
  static const Value kNull;
  const Value* found = doc::find(value, key);
  return found == nullptr ? kNull : *found;
}

bool is_completed(const Value& workflow) {
  const std::string_view phase = doc::find_string(member(workflow, "status"), "phase");
  return phase == "Succeeded" || phase == "Failed" || phase == "Error";
}

/// The tests of a filter that need no moment.
bool fits(const Value& workflow, const ListCommand& filter) {
  const std::string phase(doc::find_string(member(workflow, "status"), "phase"));
  if ((filter.running && is_completed(workflow)) || (filter.completed && !is_completed(workflow))) {
    return false;
  }
  if (!filter.status.empty() && std::ranges::find(filter.status, phase) == filter.status.end()) {
    return false;
  }
  const Value& metadata = member(workflow, "metadata");
  if (!doc::find_string(metadata, "name").starts_with(filter.prefix)) {
    return false;
  }
  return !filter.resubmitted ||
         doc::find(member(metadata, "labels"), "workflows.argoproj.io/resubmitted-from-workflow") !=
             nullptr;
}

}  // namespace

Result<std::vector<Value>> select_workflows(Session& session, const ListCommand& filter,
                                            const Context& context, bool with_nodes) {
  const Moment now = context.surroundings.now();
  std::optional<Moment> created_after;
  std::optional<Moment> finished_before;
  if (!filter.since.empty()) {
    TRY(const auto age, parse_age(filter.since));
    created_after = now - age;
  }
  if (!filter.older.empty()) {
    TRY(const auto age, parse_age(filter.older));
    finished_before = now - age;
  }
  TRY(const auto selector, kube::LabelSelector::parse(filter.selector));
  TRY(auto workflows, session.list(with_nodes));
  Error failure;
  std::erase_if(workflows, [&](const Value& workflow) {
    const auto labels = kube::labels_of(workflow);
    if (!fits(workflow, filter) || !selector.matches(labels ? *labels : kube::Labels())) {
      return true;
    }
    const auto created =
        parse_moment(doc::find_string(member(workflow, "metadata"), "creationTimestamp"));
    const auto finished = parse_moment(doc::find_string(member(workflow, "status"), "finishedAt"));
    return (created_after && (!created || *created < *created_after)) ||
           (finished_before && (!finished || *finished > *finished_before));
  });
  return workflows;
}

}  // namespace tiphys::cli
