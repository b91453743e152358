#include "cli/commands.h"
#include "cli/manifests.h"
#include "cli/node_selector.h"
#include "cli/selection.h"

#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>
#include <ostream>

namespace tiphys::cli {
namespace {

namespace fs = std::filesystem;
using doc::Value;

std::string_view done_word(Control::Verb verb) {
  switch (verb) {
    case Control::Verb::stop:
      return "stopped";
    case Control::Verb::terminate:
      return "terminated";
    case Control::Verb::suspend:
      return "suspended";
    case Control::Verb::resume:
      return "resumed";
    case Control::Verb::set:
      return "values set";
  }
  return "";
}

/// Puts an artifact's place together from --path.
std::string expand_path(std::string path,
                        const std::vector<std::pair<std::string, std::string>>& values) {
  for (const auto& [name, value] : values) {
    const std::string tag = "{" + name + "}";
    for (std::size_t at = path.find(tag); at != std::string::npos;
         at = path.find(tag, at + value.size())) {
      path.replace(at, tag.size(), value);
    }
  }
  return path;
}

/// The last part of an artifact's key: the name of its file.
std::string file_name_of(const Value& artifact) {
  for (const auto& [store, fields] : artifact.as_object()) {
    for (const std::string_view member : {"key", "path", "blob", "url"}) {
      const std::string_view key = doc::find_string(fields, member);
      if (!key.empty()) {
        return fs::path(key).lexically_normal().filename().string();
      }
    }
  }
  return std::string(doc::find_string(artifact, "name"));
}

bool is_deleted(const Value& artifact) {
  const Value* deleted = doc::find(artifact, "deleted");
  return deleted != nullptr && deleted->is_bool() && deleted->get_bool();
}

/// The artifacts of a node that the options mean, each copied into its folder.
Result<int> copy_node(const Context& context, Session& session, const CopyCommand& command,
                      const Value& workflow, const Value& node) {
  const Value* outputs = doc::find(node, "outputs");
  const Value* artifacts = outputs == nullptr ? nullptr : doc::find(*outputs, "artifacts");
  if (artifacts == nullptr || !artifacts->is_array()) {
    return 0;
  }
  int copied = 0;
  for (const Value& artifact : artifacts->get_array()) {
    const std::string name(doc::find_string(artifact, "name"));
    if (!command.artifact_name.empty() && name != command.artifact_name) {
      continue;
    }
    ++copied;
    if (is_deleted(artifact)) {
      context.out << "Skipped \"" << name << "\" of " << doc::find_string(node, "name")
                  << ": it has been deleted\n";
      continue;
    }
    const std::string place = expand_path(
        command.path, {{"namespace", namespace_of(workflow)},
                       {"workflowName", name_of(workflow)},
                       {"nodeId", std::string(doc::find_string(node, "id"))},
                       {"templateName", std::string(doc::find_string(node, "templateName"))},
                       {"artifactName", name}});
    const fs::path folder = fs::path(command.destination) / fs::path(place).relative_path();
    const std::string file = file_name_of(artifact);
    TRY_VOID(session.copy_artifact(workflow, artifact, (folder / file).string()));
    context.out << "Created \"" << file << "\" in " << folder.string() << "\n";
  }
  return copied;
}

}  // namespace

int control_workflows(const Context& context, const ControlCommand& command) {
  auto parameters = parse_assignments(command.output_parameters);
  if (!parameters) {
    return report(context, parameters.error());
  }
  for (auto& [name, value] : *parameters) {
    // "\"Hello, world!\"" is the text without the quotes.
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
      if (const auto text = doc::parse_json(value); text && text->is_string()) {
        value = doc::text_of(text->get_string());
      }
    }
  }
  auto session = context.open(false);
  if (!session) {
    return report(context, session.error());
  }
  const auto names = names_of_verb(**session, command.names, command.filter, context);
  if (!names) {
    return report(context, names.error());
  }
  for (const std::string& name : *names) {
    const auto workflow = (*session)->get(name);
    if (!workflow) {
      return report(context, workflow.error());
    }
    Control control = command.control;
    control.workflow = name_of(*workflow);
    control.namespace_ = namespace_of(*workflow);
    control.parameters = *parameters;
    if (command.dry_run) {
      context.out << "workflow " << control.workflow << " " << done_word(control.verb)
                  << " (dry-run)\n";
      continue;
    }
    if (const auto done = (*session)->control(control); !done) {
      return report(context, done.error());
    }
    context.out << "workflow " << (control.verb == Control::Verb::set ? "" : control.workflow + " ")
                << done_word(control.verb) << "\n";
  }
  return 0;
}

int delete_workflows(const Context& context, const DeleteCommand& command) {
  const ListCommand& filter = command.filter;
  const bool by_filter = command.all || filter.completed || filter.resubmitted ||
                         !filter.older.empty() || !filter.prefix.empty() || filter.all_namespaces ||
                         !filter.status.empty() || filter.selects();
  if (!by_filter && command.names.empty()) {
    return report(context, Error{ErrorCode::invalid,
                                 "name workflows to delete, or say which by --all, --completed, "
                                 "--older, --prefix, --status or -l",
                                 {}});
  }
  Context place = context;
  place.namespace_ = filter.all_namespaces ? "" : context.namespace_;
  auto session = command.dry_run ? place.open(false) : place.open_to_change();
  if (!session) {
    return report(context, session.error());
  }
  std::vector<std::string> names;
  for (const std::string& name : command.names) {
    const auto workflow = (*session)->get(name);
    if (!workflow && workflow.error().code == ErrorCode::not_found) {
      context.out << "Workflow '" << name << "' not found\n";
      continue;
    }
    if (!workflow) {
      return report(context, workflow.error());
    }
    names.push_back(full_name_of(*workflow));
  }
  if (by_filter) {
    auto selected = select_workflows(**session, filter, context, false);
    if (!selected) {
      return report(context, selected.error());
    }
    for (const Value& workflow : *selected) {
      std::string name = full_name_of(workflow);
      if (std::ranges::find(names, name) == names.end()) {
        names.push_back(std::move(name));
      }
    }
  }
  if (names.empty() && command.names.empty()) {
    context.out << "No resources found\n";
  }
  for (const std::string& name : names) {
    if (!command.dry_run) {
      if (const auto removed =
              (*session)->remove(name, command.force ? Removal::forced : Removal::ordinary);
          !removed) {
        return report(context, removed.error());
      }
    }
    context.out << "Workflow '" << name.substr(name.find('/') + 1) << "' deleted"
                << (command.dry_run ? " (dry-run)" : "") << "\n";
  }
  return 0;
}

int copy_artifacts(const Context& context, const CopyCommand& command) {
  auto session = context.open(false);
  if (!session) {
    return report(context, session.error());
  }
  const auto workflow = (*session)->get(command.workflow);
  if (!workflow) {
    return report(context, workflow.error());
  }
  const Value* status = doc::find(*workflow, "status");
  const Value* nodes = status == nullptr ? nullptr : doc::find(*status, "nodes");
  int copied = 0;
  if (nodes != nullptr && nodes->is_object()) {
    for (const auto& entry : nodes->get_object()) {
      const Value& node = entry.value();
      const bool meant =
          (command.node_id.empty() || doc::find_string(node, "id") == command.node_id) &&
          (command.template_name.empty() ||
           doc::find_string(node, "templateName") == command.template_name);
      if (!meant || doc::find_string(node, "type") == "Retry") {
        continue;
      }
      const auto count = copy_node(context, **session, command, *workflow, node);
      if (!count) {
        return report(context, count.error());
      }
      copied += *count;
    }
  }
  if (copied == 0) {
    return report(context, Error{ErrorCode::not_found,
                                 "no artifacts of workflow " + name_of(*workflow) + " match",
                                 {}});
  }
  return 0;
}

}  // namespace tiphys::cli
