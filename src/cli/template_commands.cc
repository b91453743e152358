#include "cli/commands.h"
#include "cli/manifests.h"
#include "cli/text/aligned_table.h"
#include "cli/text/humanize.h"
#include "cli/zone_folder.h"
#include "doc/yaml.h"
#include "kube/selector.h"
#include "workflows/validate/validate.h"

#include <boost/json.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <ostream>

namespace tiphys::cli {
namespace {

using doc::Value;

const Value& metadata_of(const Value& object) {
  static const Value kNull;
  const Value* metadata = doc::find(object, "metadata");
  return metadata == nullptr ? kNull : *metadata;
}

std::string space_of(const Context& context, const TemplateCommand& command) {
  if (command.cluster_scoped()) {
    return "";
  }
  return context.namespace_.empty() ? "default" : context.namespace_;
}

/// "workflow template", "cluster workflow template".
std::string words_for(const TemplateCommand& command) {
  return command.cluster_scoped() ? "cluster workflow template" : "workflow template";
}

void print_template(const Context& context, const TemplateCommand& command, const Value& object) {
  if (command.output == "name") {
    context.out << name_of(object) << "\n";
  } else if (command.output == "json") {
    context.out << doc::to_json(object, {.escape_html = false, .sort_keys = true, .indent = 4})
                << "\n";
  } else if (command.output == "yaml") {
    context.out << doc::to_yaml(object);
  } else {
    const Value& metadata = metadata_of(object);
    const auto line = [&](std::string_view label, std::string_view text) {
      context.out << fmt::format("{:<20} {}\n", label, text);
    };
    line("Name:", doc::find_string(metadata, "name"));
    if (!command.cluster_scoped()) {
      line("Namespace:", doc::find_string(metadata, "namespace"));
    }
    const auto created = parse_moment(doc::find_string(metadata, "creationTimestamp"));
    line("Created:", created ? timestamp(*created, context.surroundings.now()) : "");
  }
}

/// The templates in the files, checked among themselves and against what is stored.
std::optional<std::vector<Value>> load_templates(const Context& context,
                                                 const TemplateCommand& command, Session& session) {
  auto loaded = load_manifests(command.files, context.surroundings, command.strict);
  if (!loaded) {
    report(context, loaded.error());
    return std::nullopt;
  }
  bool refused = false;
  for (const LoadFailure& failure : loaded->failures) {
    context.error << describe_failure(failure) << "\n";
    refused = true;
  }
  const std::string space = space_of(context, command);
  std::vector<workflows::Candidate> candidates;
  for (LoadedManifest& manifest : loaded->manifests) {
    candidates.push_back({&manifest.content.value, &manifest.content.positions});
  }
  std::vector<std::unique_ptr<Value>> fetched;
  const auto zones = ZoneFolder::open();
  workflows::ValidateOptions options;
  options.zones = zones.get();
  options.strict = command.strict;
  options.known = [&](std::string_view kind, std::string_view name) -> const Value* {
    auto object = session.object(kind, space, std::string(name));
    return !object || object->is_null()
               ? nullptr
               : fetched.emplace_back(std::make_unique<Value>(*std::move(object))).get();
  };
  for (const workflows::Finding& finding : workflows::validate(candidates, options)) {
    const LoadedManifest& manifest = loaded->manifests[finding.candidate];
    if (manifest.kind() == command.kind && finding.severity == workflows::Severity::error) {
      context.error << manifest.file << ":" << finding.position.line << ":"
                    << finding.position.column << ": in "
                    << workflows::describe_object(manifest.content.value) << ": " << finding.message
                    << "\n";
      refused = true;
    }
  }
  std::vector<Value> out;
  for (LoadedManifest& manifest : loaded->manifests) {
    if (manifest.kind() != command.kind) {
      continue;
    }
    Value& object = manifest.content.value;
    Value& metadata = object.as_object()["metadata"];
    if (metadata.is_object()) {
      if (command.cluster_scoped()) {
        metadata.get_object().erase("namespace");
      } else if (doc::find_string(metadata, "namespace").empty()) {
        metadata.get_object()["namespace"] = space;
      }
      if (name_of(object).empty()) {
        const std::string base(doc::find_string(metadata, "generateName"));
        if (!base.empty()) {
          metadata.get_object()["name"] = base + context.surroundings.random_suffix();
        }
      }
    }
    if (const auto checked = check_names(object); !checked) {
      report(context, Error(checked.error()).with_context(manifest.file));
      refused = true;
    }
    out.push_back(std::move(object));
  }
  if (!refused && out.empty()) {
    std::string text = "No " + words_for(command) + " found in given files";
    report(context, Error{ErrorCode::invalid, std::move(text), {}});
    return std::nullopt;
  }
  return refused ? std::nullopt : std::optional(std::move(out));
}

int write_templates(const Context& context, const TemplateCommand& command, Session::Write write) {
  auto session = context.open_to_change();
  if (!session) {
    return report(context, session.error());
  }
  auto objects = load_templates(context, command, **session);
  if (!objects) {
    return 1;
  }
  std::vector<std::pair<std::string, std::string>> names;
  for (const Value& object : *objects) {
    names.emplace_back(doc::find_string(metadata_of(object), "namespace"), name_of(object));
  }
  if (const auto stored = (*session)->store(*std::move(objects), write); !stored) {
    return report(context,
                  Error(stored.error())
                      .with_context(std::string("failed to ") +
                                    (write == Session::Write::create ? "create " : "update ") +
                                    words_for(command)));
  }
  for (const auto& [space, name] : names) {
    const auto stored = (*session)->object(command.kind, space, name);
    if (!stored) {
      return report(context, stored.error());
    }
    print_template(context, command, *stored);
  }
  return 0;
}

}  // namespace

int create_templates(const Context& context, const TemplateCommand& command) {
  return write_templates(context, command, Session::Write::create);
}

int update_templates(const Context& context, const TemplateCommand& command) {
  return write_templates(context, command, Session::Write::update);
}

int get_templates(const Context& context, const TemplateCommand& command) {
  auto session = context.open(false);
  if (!session) {
    return report(context, session.error());
  }
  for (const std::string& name : command.names) {
    const auto object = (*session)->object(command.kind, space_of(context, command), name);
    if (!object) {
      return report(context, object.error());
    }
    if (object->is_null()) {
      return report(context, Error{ErrorCode::not_found,
                                   (command.cluster_scoped() ? "clusterworkflowtemplates"
                                                             : "workflowtemplates") +
                                       (".argoproj.io \"" + name + "\" not found"),
                                   {}});
    }
    print_template(context, command, *object);
  }
  return 0;
}

int list_templates(const Context& context, const TemplateCommand& command) {
  const auto selector = kube::LabelSelector::parse(command.selector);
  if (!selector) {
    return report(context, selector.error());
  }
  auto session = context.open(false);
  if (!session) {
    return report(context, session.error());
  }
  const auto objects =
      (*session)->objects(command.kind, command.all_namespaces ? "" : space_of(context, command));
  if (!objects) {
    return report(context, objects.error());
  }
  AlignedTable table(3);
  const bool spaces = command.all_namespaces && !command.cluster_scoped();
  const auto add = [&](std::string_view space, std::vector<std::string> cells) {
    if (spaces) {
      cells.insert(cells.begin(), std::string(space));
    }
    table.add(std::move(cells));
  };
  add("NAMESPACE", {"NAME"});
  for (const Value& object : *objects) {
    const auto labels = kube::labels_of(object);
    if (!selector->matches(labels ? *labels : kube::Labels())) {
      continue;
    }
    if (command.output == "name") {
      context.out << name_of(object) << "\n";
    }
    add(doc::find_string(metadata_of(object), "namespace"), {name_of(object), ""});
  }
  if (command.output != "name") {
    context.out << table.render();
  }
  return 0;
}

int delete_templates(const Context& context, const TemplateCommand& command) {
  auto session = context.open_to_change();
  if (!session) {
    return report(context, session.error());
  }
  const std::string space = space_of(context, command);
  std::vector<std::string> names = command.names;
  if (command.all) {
    const auto objects = (*session)->objects(command.kind, space);
    if (!objects) {
      return report(context, objects.error());
    }
    names.clear();
    std::ranges::transform(*objects, std::back_inserter(names), name_of);
  }
  for (const std::string& name : names) {
    if (const auto removed = (*session)->remove_object(command.kind, space, name); !removed) {
      return report(context, removed.error());
    }
    context.out << command.kind << " '" << name << "' deleted\n";
  }
  return 0;
}

}  // namespace tiphys::cli
