#include "lang/names/names.h"

#include "base/fnv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tiphys::lang {
namespace {

/// 253 characters of a Kubernetes name, less ten digits of hash and a dash.
constexpr std::size_t kMaxPodNamePrefix = 242;

bool is_decimal(char byte) { return byte >= '0' && byte <= '9'; }

bool is_alphanumeric(char byte) {
  return is_decimal(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/// strconv.Atoi of a loop index: an optional sign and digits.
std::optional<std::int64_t> number_in(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && is_decimal(text[1])) {
    text.remove_prefix(1);
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

/// The length of a step group "[12]" at the start, 0 when there is none.
std::size_t group_length(std::string_view text) {
  if (!text.starts_with('[')) {
    return 0;
  }
  std::size_t at = 1;
  while (at < text.size() && is_decimal(text[at])) {
    ++at;
  }
  return at > 1 && at < text.size() && text[at] == ']' ? at + 1 : 0;
}

std::string_view text_of(TemplateScope scope) {
  switch (scope) {
    case TemplateScope::local:
      return "local";
    case TemplateScope::namespaced:
      return "namespaced";
    case TemplateScope::cluster:
      return "cluster";
  }
  return "";
}

}  // namespace

std::string node_id(std::string_view workflow, std::string_view node) {
  if (node == workflow) {
    return std::string(workflow);
  }
  return fmt::format("{}-{}", workflow, fnv1a_32(node));
}

PodNames pod_names_of(std::optional<std::string_view> annotation) {
  return annotation == "v1" ? PodNames::v1 : PodNames::v2;
}

std::string_view text_of(PodNames version) { return version == PodNames::v1 ? "v1" : "v2"; }

std::string pod_name(std::string_view workflow, std::string_view node,
                     std::string_view template_name, PodNames version) {
  if (version == PodNames::v1) {
    return node_id(workflow, node);
  }
  if (workflow == node) {
    return std::string(workflow);
  }
  std::string name(workflow);
  if (!template_name.empty()) {
    name += '-';
    name += template_name;
  }
  name.resize(std::min(name.size(), kMaxPodNamePrefix));
  return fmt::format("{}-{}", name, fnv1a_32(node));
}

Result<std::string> loop_child_name(std::string_view name, std::size_t index,
                                    std::string_view description) {
  std::string child = fmt::format("{}({}:", name, index);
  child.reserve(child.size() + description.size() + 1);
  for (const char byte : description) {
    if (byte != '(' && byte != ')') {
      child += byte;
    }
  }
  child += ')';
  if (name.find_first_of("(:") != std::string_view::npos) {
    return fail(ErrorCode::internal,
                fmt::format("the index of {} cannot be told from its name", child));
  }
  return child;
}

Result<std::int64_t> loop_index_of(std::string_view name) {
  const std::size_t bracket = name.find('(');
  const std::size_t colon = name.find(':');
  if (bracket == std::string_view::npos || colon == std::string_view::npos) {
    return -1;
  }
  if (colon < bracket) {
    return fail(ErrorCode::invalid, fmt::format("no loop index in name {}", name));
  }
  return number_in(name.substr(bracket + 1, colon - bracket - 1)).value_or(-1);
}

std::string display_name(std::string_view node, std::string_view boundary) {
  std::string_view rest = node;
  if (rest.starts_with(boundary)) {
    rest.remove_prefix(boundary.size());
  }
  const std::string_view behind_group = rest.substr(group_length(rest));
  if (behind_group.starts_with('.')) {
    return std::string(behind_group.substr(1));
  }
  return std::string(rest);
}

std::string task_name(std::string_view node) {
  // Walk back over bracketed parts; a part that never opens leaves the name whole.
  char opener = 0;
  std::size_t end = node.size();
  for (std::size_t i = node.size(); i > 0; --i) {
    const char byte = node[i - 1];
    if (opener != 0) {
      opener = byte == opener ? '\0' : opener;
    } else if (byte == ')') {
      opener = '(';
    } else if (byte == ']') {
      opener = '[';
    } else {
      end = i;
      break;
    }
  }
  std::string_view name = node.substr(0, end);
  if (const std::size_t dot = name.rfind('.'); dot != std::string_view::npos) {
    name.remove_prefix(dot + 1);
  }
  return std::string(name);
}

Result<> check_display_name(std::string_view name) {
  const auto inner = [](char byte) { return is_alphanumeric(byte) || byte == '-' || byte == '.'; };
  if (name.size() >= 2 && name.size() <= 63 && is_alphanumeric(name.front()) &&
      is_alphanumeric(name.back()) && std::ranges::all_of(name, inner)) {
    return {};
  }
  return fail(ErrorCode::invalid,
              "displayName must match the regex "
              "^[a-zA-Z0-9][a-zA-Z0-9-.]{0,61}[a-zA-Z0-9]$");
}

std::string on_exit_name(std::string_view node) { return fmt::format("{}.onExit", node); }

std::string agent_pod_name(std::string_view workflow) {
  return fmt::format("{}-agent", node_id(workflow, "agent"));
}

Result<ArtifactGcTime> artifact_gc_time(std::string_view strategy) {
  if (strategy == "OnWorkflowCompletion") {
    return ArtifactGcTime::on_workflow_completion;
  }
  if (strategy == "OnWorkflowDeletion") {
    return ArtifactGcTime::on_workflow_deletion;
  }
  return fail(ErrorCode::invalid, fmt::format("ArtifactGCStrategy \"{}\" not valid", strategy));
}

std::string artifact_gc_pod_name(std::string_view workflow, ArtifactGcTime time,
                                 std::string_view service_account,
                                 const std::map<std::string, std::string>& labels,
                                 const std::map<std::string, std::string>& annotations) {
  std::string bytes(service_account);
  for (const auto* metadata : {&labels, &annotations}) {
    for (const auto& [key, value] : *metadata) {
      bytes += key;
      bytes += value;
    }
  }
  const std::string_view moment =
      time == ArtifactGcTime::on_workflow_completion ? "wfcomp" : "wfdel";
  return fmt::format("{}-artgc-{}-{}", workflow, moment, fnv1a_32(bytes));
}

Result<TemplateScope> template_scope(std::string_view text) {
  for (const auto scope :
       {TemplateScope::local, TemplateScope::namespaced, TemplateScope::cluster}) {
    if (text == text_of(scope)) {
      return scope;
    }
  }
  return fail(ErrorCode::invalid, fmt::format("unknown template scope \"{}\"", text));
}

std::optional<std::string> stored_template_id(TemplateScope scope, std::string_view resource,
                                              const TemplateHolder& holder) {
  if (holder.reference) {
    return fmt::format("{}/{}/{}", holder.reference->cluster_scope ? "cluster" : "namespaced",
                       holder.reference->name, holder.reference->template_name);
  }
  if (scope == TemplateScope::local) {
    return std::nullopt;
  }
  if (holder.has_inline) {
    return fmt::format("{}/{}/inline/{}", text_of(scope), resource, holder.name);
  }
  return fmt::format("{}/{}/{}", text_of(scope), resource, holder.template_name);
}

std::string cron_child_name(std::string_view cron, std::int64_t scheduled_unix_seconds) {
  return fmt::format("{}-{}", cron, scheduled_unix_seconds);
}

}  // namespace tiphys::lang
