#include "cli/text/workflow_text.h"

#include "cli/text/aligned_table.h"
#include "workflows/model/model.h"

#include <boost/json.hpp>
#include <fmt/core.h>

#include <algorithm>

namespace tiphys::cli {
namespace {

using doc::find;
using doc::find_string;
using doc::Value;

const Value& member(const Value& value, std::string_view key) {
  static const Value kNull;
  const Value* found = find(value, key);
  return found == nullptr ? kNull : *found;
}

/// Visits the elements of the list at `key`, if there is one.
template <class Visit>
void each(const Value& value, std::string_view key, Visit visit) {
  if (const Value* list = find(value, key); list != nullptr && list->is_array()) {
    for (const Value& element : list->get_array()) {
      visit(element);
    }
  }
}

void line(std::string& out, std::string_view label, std::string_view text) {
  out += fmt::format("{:<20} {}\n", label, text);
}

std::string artifact_text(const Value& artifact) {
  for (const auto& [store, location] : artifact.get_object()) {
    if (!location.is_object()) {
      continue;
    }
    if (const std::string_view key = find_string(location, "key"); !key.empty()) {
      const std::string_view bucket = find_string(location, "bucket");
      return std::string(store) + "://" + (bucket.empty() ? "" : std::string(bucket) + "/") +
             std::string(key);
    }
    if (const std::string_view url = find_string(location, "url"); !url.empty()) {
      return std::string(url);
    }
  }
  return "";
}

/// The effective spec: the merged one when the Workflow came from a template.
const Value& execution_spec(const Value& workflow) {
  const Value& stored = member(member(workflow, "status"), "storedWorkflowTemplateSpec");
  return stored.is_object() ? stored : member(workflow, "spec");
}

/// What stands before a condition that is a complaint.
std::string condition_icon(std::string_view type, const TextStyle& style) {
  if (type != "MetricsError" && type != "SpecWarning") {
    return "";
  }
  const bool error = type == "MetricsError";
  const std::string text = style.utf8 ? (error ? "✖" : "⚠") : (error ? "Error" : "Warning");
  return style.color ? (error ? "\x1b[31m" : "\x1b[33m") + text + "\x1b[0m" : text;
}

void describe_conditions(std::string& out, const Value& status, const TextStyle& style) {
  bool first = true;
  each(status, "conditions", [&](const Value& condition) {
    if (first) {
      line(out, "Conditions:", "");
      first = false;
    }
    const std::string_view message = find_string(condition, "message");
    const std::string_view type = find_string(condition, "type");
    line(out, condition_icon(type, style) + " " + std::string(type),
         message.empty() ? find_string(condition, "status") : message);
  });
}

void describe_times(std::string& out, const Value& workflow, Moment now) {
  const Value& status = member(workflow, "status");
  if (const auto created =
          parse_moment(find_string(member(workflow, "metadata"), "creationTimestamp"))) {
    line(out, "Created:", timestamp(*created, now));
  }
  const auto started = parse_moment(find_string(status, "startedAt"));
  const auto finished = parse_moment(find_string(status, "finishedAt"));
  if (started) {
    line(out, "Started:", timestamp(*started, now));
  }
  if (finished) {
    line(out, "Finished:", timestamp(*finished, now));
  }
  if (started) {
    line(out, "Duration:", long_duration(finished.value_or(now) - *started));
  }
  const Value& estimated = member(status, "estimatedDuration");
  if (find_string(status, "phase") == "Running" && estimated.is_int64() &&
      estimated.get_int64() > 0) {
    line(out, "EstimatedDuration:", long_duration(std::chrono::seconds(estimated.get_int64())));
  }
}

void describe_values(std::string& out, const Value& workflow) {
  const Value& arguments = member(execution_spec(workflow), "arguments");
  bool first = true;
  each(arguments, "parameters", [&](const Value& parameter) {
    if (first) {
      line(out, "Parameters:", "");
      first = false;
    }
    if (const Value* value = find(parameter, "value")) {
      line(out, "  " + std::string(find_string(parameter, "name")) + ":",
           workflows::any_string(*value));
    }
  });
  const Value& outputs = member(member(workflow, "status"), "outputs");
  first = true;
  each(outputs, "parameters", [&](const Value& parameter) {
    if (first) {
      line(out, "Output Parameters:", "");
      first = false;
    }
    if (const Value* value = find(parameter, "value")) {
      line(out, "  " + std::string(find_string(parameter, "name")) + ":",
           workflows::any_string(*value));
    }
  });
  first = true;
  each(outputs, "artifacts", [&](const Value& artifact) {
    if (first) {
      line(out, "Output Artifacts:", "");
      first = false;
    }
    line(out, "  " + std::string(find_string(artifact, "name")) + ":", artifact_text(artifact));
  });
}

bool is_suspended(const Value& workflow) {
  const Value& suspend = member(member(workflow, "spec"), "suspend");
  if (suspend.is_bool() && suspend.get_bool()) {
    return true;
  }
  const Value& nodes = member(member(workflow, "status"), "nodes");
  if (!nodes.is_object()) {
    return false;
  }
  return std::ranges::any_of(nodes.get_object(), [](const auto& node) {
    return find_string(node.value(), "type") == "Suspend" &&
           find_string(node.value(), "phase") == "Running";
  });
}

std::string parameter_column(const Value& workflow) {
  constexpr std::size_t kWidest = 50;
  constexpr std::size_t kTail = 15;
  std::string out;
  each(member(member(workflow, "spec"), "arguments"), "parameters", [&](const Value& parameter) {
    const Value* value = find(parameter, "value");
    if (value == nullptr) {
      return;
    }
    std::string text = workflows::any_string(*value);
    if (text.size() > kWidest) {
      text = text.substr(0, kWidest - 3 - kTail) + "..." + text.substr(text.size() - kTail);
    }
    out += (out.empty() ? "" : ",") + std::string(find_string(parameter, "name")) + "=" + text;
  });
  return out;
}

/// Pods that wait, run and have ended: "0/2/14".
std::string pod_counts(const Value& workflow) {
  int pending = 0;
  int running = 0;
  int completed = 0;
  if (const Value& nodes = member(member(workflow, "status"), "nodes"); nodes.is_object()) {
    for (const auto& node : nodes.get_object()) {
      if (find_string(node.value(), "type") != "Pod") {
        continue;
      }
      const std::string_view phase = find_string(node.value(), "phase");
      if (phase == "Running") {
        ++running;
      } else if (phase.empty() || phase == "Pending") {
        ++pending;
      } else {
        ++completed;
      }
    }
  }
  return fmt::format("{}/{}/{}", pending, running, completed);
}

}  // namespace

std::string workflow_status(const Value& workflow) {
  const std::string phase(find_string(member(workflow, "status"), "phase"));
  if (phase == "Running" && is_suspended(workflow)) {
    return "Running (Suspended)";
  }
  if (phase == "Failed" && !find_string(member(workflow, "spec"), "shutdown").empty()) {
    return "Failed (Terminated)";
  }
  return phase.empty() ? "Pending" : phase;
}

std::string resources_text(const Value& durations) {
  std::string out;
  if (!durations.is_object()) {
    return out;
  }
  std::vector<std::string> names;
  for (const auto& entry : durations.get_object()) {
    names.emplace_back(entry.key());
  }
  std::ranges::sort(names);
  for (const std::string& name : names) {
    const Value& count = member(durations, name);
    const long duration = count.is_number() ? count.to_number<long>() : 0;
    const std::string_view base = name == "memory"                                   ? "100Mi"
                                  : name == "ephemeral-storage" || name == "storage" ? "10Gi"
                                                                                     : "1";
    out += fmt::format("{}{}*({} {})", out.empty() ? "" : ",",
                       short_duration(std::chrono::seconds(duration)), base, name);
  }
  return out;
}

std::string describe_workflow(const Value& workflow, const DescribeOptions& options) {
  const std::string tree = workflow_tree(workflow, options);
  if (options.layout == Layout::brief && !tree.empty()) {
    return tree;
  }
  const Value& metadata = member(workflow, "metadata");
  const Value& status = member(workflow, "status");
  std::string out;
  line(out, "Name:", find_string(metadata, "name"));
  line(out, "Namespace:", find_string(metadata, "namespace"));
  const std::string_view account = find_string(execution_spec(workflow), "serviceAccountName");
  const bool by_template = find(member(workflow, "spec"), "workflowTemplateRef") != nullptr;
  line(out, "ServiceAccount:",
       !account.empty() ? account
       : by_template    ? "unset"
                        : "unset (will run with the default ServiceAccount)");
  line(out, "Status:", workflow_status(workflow));
  if (const std::string_view message = find_string(status, "message"); !message.empty()) {
    line(out, "Message:", message);
  }
  describe_conditions(out, status, options.style);
  describe_times(out, workflow, options.now);
  line(out, "Progress:", find_string(status, "progress"));
  if (const std::string resources = resources_text(member(status, "resourcesDuration"));
      !resources.empty()) {
    line(out, "ResourcesDuration:", resources);
  }
  describe_values(out, workflow);
  if (!tree.empty()) {
    out += "\n" + tree;
  }
  return out;
}

std::string workflow_table(const std::vector<Value>& workflows, const ListOptions& options) {
  if (workflows.empty()) {
    return "No workflows found\n";
  }
  AlignedTable table(3);
  const auto add = [&](std::string_view namespace_, std::vector<std::string> cells) {
    if (options.namespaces) {
      cells.insert(cells.begin(), std::string(namespace_));
    }
    table.add(std::move(cells));
  };
  if (options.headers) {
    std::vector<std::string> head = {"NAME", "STATUS", "AGE", "DURATION", "PRIORITY", "MESSAGE"};
    if (options.wide) {
      head.insert(head.end(), {"P/R/C", "PARAMETERS"});
    }
    add("NAMESPACE", std::move(head));
  }
  for (const Value& workflow : workflows) {
    const Value& metadata = member(workflow, "metadata");
    const Value& status = member(workflow, "status");
    const Value& priority = member(member(workflow, "spec"), "priority");
    const auto created =
        parse_moment(find_string(metadata, "creationTimestamp")).value_or(options.now);
    const auto started = parse_moment(find_string(status, "startedAt"));
    const auto finished = parse_moment(find_string(status, "finishedAt")).value_or(options.now);
    std::vector<std::string> cells = {
        std::string(find_string(metadata, "name")),
        workflow_status(workflow),
        short_duration(options.now - created),
        short_duration(started ? finished - *started : std::chrono::seconds(0)),
        priority.is_int64() ? std::to_string(priority.get_int64()) : "0",
        std::string(find_string(status, "message"))};
    if (options.wide) {
      cells.push_back(pod_counts(workflow));
      cells.push_back(parameter_column(workflow));
    }
    add(find_string(metadata, "namespace"), std::move(cells));
  }
  return table.render();
}

}  // namespace tiphys::cli
