#include "cli/selection.h"

#include "cli/duration_text.h"
#include "cli/text/workflow_text.h"
#include "kube/selector.h"

#include <boost/json.hpp>

#include <algorithm>
#include <numeric>

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

struct FieldTerm {
  std::string field;
  std::string value;
  bool equal = true;
};

Result<std::vector<FieldTerm>> parse_fields(std::string_view text) {
  std::vector<FieldTerm> out;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, comma);
    const std::size_t equals = part.find('=');
    FieldTerm term;
    if (equals != std::string_view::npos && equals > 0) {
      term.equal = part[equals - 1] != '!';
      term.field = part.substr(0, term.equal ? equals : equals - 1);
      term.value = part.substr(equals + (part.substr(equals).starts_with("==") ? 2 : 1));
    }
    if (term.field != "metadata.name" && term.field != "metadata.namespace" &&
        term.field != "status.phase") {
      return fail(ErrorCode::invalid,
                  "--field-selector: expected metadata.name, metadata.namespace or status.phase "
                  "with = or !=, found " +
                      std::string(part));
    }
    out.push_back(std::move(term));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

bool matches(const std::vector<FieldTerm>& terms, const Value& workflow) {
  return std::ranges::all_of(terms, [&](const FieldTerm& term) {
    const std::size_t dot = term.field.find('.');
    const std::string_view value =
        doc::find_string(member(workflow, term.field.substr(0, dot)), term.field.substr(dot + 1));
    return (value == term.value) == term.equal;
  });
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

/// The order of argo's lists: what runs, the newest first, then what has ended, the latest first.
bool comes_first(const Value& a, const Value& b) {
  const std::string_view finished_a = doc::find_string(member(a, "status"), "finishedAt");
  const std::string_view finished_b = doc::find_string(member(b, "status"), "finishedAt");
  if (finished_a.empty() || finished_b.empty()) {
    return finished_a.empty() && !finished_b.empty();
  }
  return finished_a > finished_b;
}

std::vector<Value> in_order(std::vector<Value> workflows) {
  std::vector<std::size_t> order(workflows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return comes_first(workflows[a], workflows[b]) ||
           (!comes_first(workflows[b], workflows[a]) && a < b);
  });
  std::vector<Value> out;
  out.reserve(workflows.size());
  for (const std::size_t place : order) {
    out.push_back(std::move(workflows[place]));
  }
  return out;
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
  TRY(const auto fields, parse_fields(filter.field_selector));
  TRY(auto workflows, session.list(with_nodes));
  std::erase_if(workflows, [&](const Value& workflow) {
    const auto labels = kube::labels_of(workflow);
    if (!fits(workflow, filter) || !matches(fields, workflow) ||
        !selector.matches(labels ? *labels : kube::Labels())) {
      return true;
    }
    const auto created =
        parse_moment(doc::find_string(member(workflow, "metadata"), "creationTimestamp"));
    const auto finished = parse_moment(doc::find_string(member(workflow, "status"), "finishedAt"));
    return (created_after && (!created || *created < *created_after)) ||
           (finished_before && (!finished || *finished > *finished_before));
  });
  return in_order(std::move(workflows));
}

std::string full_name_of(const Value& workflow) {
  const Value& metadata = member(workflow, "metadata");
  return std::string(doc::find_string(metadata, "namespace")) + "/" +
         std::string(doc::find_string(metadata, "name"));
}

Result<std::vector<std::string>> names_of_verb(Session& session,
                                               const std::vector<std::string>& names,
                                               const ListCommand& filter, const Context& context) {
  if (names.empty() && !filter.selects()) {
    return fail(ErrorCode::invalid, "requires either selector or workflow");
  }
  std::vector<std::string> out = names;
  if (filter.selects()) {
    TRY(const auto selected, select_workflows(session, filter, context, false));
    for (const Value& workflow : selected) {
      std::string name = full_name_of(workflow);
      // Named and selected is once.
      if (std::ranges::find(names, name.substr(name.find('/') + 1)) == names.end()) {
        out.push_back(std::move(name));
      }
    }
  }
  return out;
}

}  // namespace tiphys::cli
