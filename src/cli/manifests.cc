#include "cli/manifests.h"

#include "kube/names.h"
#include "kube/types/types.h"
#include "workflows/config/config.h"
#include "workflows/model/model.h"

#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <ostream>

namespace tiphys::cli {
namespace {

namespace fs = std::filesystem;
using doc::Value;

constexpr std::size_t kLongestGeneratedBase = 58;

Result<std::string> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.is_open() || in.bad()) {
    return fail(ErrorCode::io, "cannot read " + path.string());
  }
  return text;
}

bool is_url(std::string_view name) {
  return name.starts_with("http://") || name.starts_with("https://");
}

bool is_manifest_file(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

Result<std::vector<std::string>> files_of(const std::string& name) {
  std::error_code code;
  const fs::file_status status = fs::status(name, code);
  if (code || !fs::exists(status)) {
    return fail(ErrorCode::not_found, name + ": no such file or folder");
  }
  if (!fs::is_directory(status)) {
    return std::vector<std::string>{name};
  }
  std::vector<std::string> files;
  for (auto entry = fs::recursive_directory_iterator(
           name, fs::directory_options::skip_permission_denied, code);
       !code && entry != fs::recursive_directory_iterator(); entry.increment(code)) {
    if (entry->is_regular_file(code) && is_manifest_file(entry->path())) {
      files.push_back(entry->path().string());
    }
  }
  std::ranges::sort(files);
  return files;
}

void add_text(LoadedManifests& out, const std::string& file, const std::string& text, bool strict) {
  doc::YamlOptions options;
  options.duplicate_keys = strict ? doc::DuplicateKeys::error : doc::DuplicateKeys::last_wins;
  for (auto& document : doc::parse_manifests(text, options)) {
    if (!document) {
      out.failures.push_back({file, std::move(document).error()});
      continue;
    }
    const Value* items = doc::find(document->value, "items");
    if (doc::find_string(document->value, "kind").ends_with("List") && items != nullptr &&
        items->is_array()) {
      for (const Value& item : items->get_array()) {
        out.manifests.push_back({file, {item, {}}});
      }
      continue;
    }
    out.manifests.push_back({file, std::move(*document)});
  }
}

Value& member(Value& value, std::string_view key) {
  if (!value.is_object()) {
    value.emplace_object();
  }
  return value.get_object()[{key.data(), key.size()}];
}

using Assignments = std::vector<std::pair<std::string, std::string>>;

/// Sets parameters and puts them before those of the manifest, as upstream orders them; what the
/// manifest says of one beside its value stays. Of several values for one name the last counts.
void set_parameters(Value& workflow, const Assignments& given) {
  if (given.empty()) {
    return;
  }
  Value& parameters = member(member(member(workflow, "spec"), "arguments"), "parameters");
  if (!parameters.is_array()) {
    parameters.emplace_array();
  }
  doc::Array old = std::move(parameters.get_array());
  doc::Array out;
  std::map<std::string_view, std::size_t> places;
  for (const auto& [name, text] : given) {
    const auto [place, is_new] = places.try_emplace(name, out.size());
    if (is_new) {
      const auto known = std::ranges::find_if(
          old, [&](const Value& parameter) { return doc::find_string(parameter, "name") == name; });
      out.push_back(known == old.end() ? Value(doc::Object{{"name", name}}) : *known);
      out.back().get_object().erase("valueFrom");
    }
    member(out[place->second], "value") = text;
  }
  for (Value& parameter : old) {
    if (!places.contains(doc::find_string(parameter, "name"))) {
      out.push_back(std::move(parameter));
    }
  }
  parameters = std::move(out);
}

Result<Assignments> read_parameter_file(const std::string& file) {
  if (is_url(file)) {
    return fail(ErrorCode::invalid,
                file + ": nothing is read from the internet; fetch the file first");
  }
  TRY(const std::string text, read_file(file));
  auto document = doc::parse_yaml(text);
  if (!document) {
    return std::unexpected(std::move(document).error().with_context(file));
  }
  if (!document->value.is_object()) {
    return fail(ErrorCode::invalid, file + ": expected a mapping of parameter names to values");
  }
  Assignments out;
  for (const auto& [name, value] : document->value.get_object()) {
    out.emplace_back(name, workflows::any_string(value));
  }
  return out;
}

/// As the API server words it; apimachinery util/validation.
Error invalid_name(const Value& object, const std::string& field, const std::string& name,
                   const std::string& what) {
  return Error{ErrorCode::invalid,
               std::string(doc::find_string(object, "kind")) + " \"" + name_of(object) +
                   "\" is invalid: " + field + ": Invalid value: \"" + name + "\": " + what,
               {}};
}

void put_text(Value& parent, std::string_view key, const std::string& text) {
  if (!text.empty()) {
    member(parent, key) = text;
  }
}

}  // namespace

std::string metadata_text(const Value& object, std::string_view member) {
  const Value* metadata = doc::find(object, "metadata");
  return metadata == nullptr ? "" : std::string(doc::find_string(*metadata, member));
}

std::string name_of(const Value& object) { return metadata_text(object, "name"); }

std::string namespace_of(const Value& object) { return metadata_text(object, "namespace"); }

Result<LoadedManifests> load_manifests(const std::vector<std::string>& names,
                                       const Surroundings& surroundings, bool strict) {
  LoadedManifests out;
  for (const std::string& name : names) {
    if (is_url(name)) {
      return fail(ErrorCode::invalid,
                  name + ": nothing is read from the internet; fetch the file first");
    }
    if (name == "-") {
      TRY(const std::string text, surroundings.read_input());
      add_text(out, name, text, strict);
      continue;
    }
    TRY(const auto files, files_of(name));
    for (const std::string& file : files) {
      TRY(const std::string text, read_file(file));
      add_text(out, file, text, strict);
    }
  }
  return out;
}

std::string describe_failure(const LoadFailure& failure) {
  std::string out;
  for (const FieldError& cause : failure.error.causes) {
    if (cause.position.line == 0) {
      continue;
    }
    out += (out.empty() ? "" : "\n") + failure.file + ":" + std::to_string(cause.position.line) +
           ":" + std::to_string(cause.position.column) + ": " +
           (cause.message.contains(cause.path) ? "" : cause.path + ": ") + cause.message;
  }
  return out.empty() ? failure.file + ": " + failure.error.message : out;
}

Result<std::shared_ptr<const workflows::Config>> load_config(const Context& context,
                                                             const std::string& file) {
  if (file.empty()) {
    return nullptr;
  }
  TRY(const std::string text, read_file(file));
  const doc::Schema types(kube::built_in_types());
  auto config = workflows::parse_config(text, types);
  if (!config) {
    const ErrorCode code = config.error().code;
    return fail(code, describe_failure({file, std::move(config).error()}));
  }
  for (const workflows::ConfigNotice& notice : config->notices) {
    context.error << "note: " << file << ":" << notice.position.line << ": " << notice.text << "\n";
  }
  return std::make_shared<const workflows::Config>(std::move(*config));
}

Result<std::vector<std::pair<std::string, std::string>>> parse_assignments(
    const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(ErrorCode::invalid,
                  "expected parameter of the form: NAME=VALUE. Received: " + text);
    }
    out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

Result<> check_names(const Value& object) {
  const Value* found = doc::find(object, "metadata");
  const Value metadata = found == nullptr ? Value() : *found;
  const std::string name(doc::find_string(metadata, "name"));
  if (!kube::is_dns_subdomain(name)) {
    return std::unexpected(invalid_name(
        object, "metadata.name", name,
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
        "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex "
        "used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"));
  }
  const std::string space(doc::find_string(metadata, "namespace"));
  if (!space.empty() && !kube::is_dns_label(space)) {
    return std::unexpected(invalid_name(
        object, "metadata.namespace", space,
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
        "and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', "
        "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"));
  }
  return {};
}

Result<> apply_submit_options(Value& workflow, const SubmitOptions& options,
                              const Context& context) {
  Value& metadata = member(workflow, "metadata");
  put_text(metadata, "generateName", options.generate_name);
  if (!options.generate_name.empty()) {
    metadata.get_object().erase("name");
  }
  put_text(metadata, "name", options.name);
  if (doc::find_string(metadata, "name").empty()) {
    const std::string base(doc::find_string(metadata, "generateName"));
    if (base.empty()) {
      return fail(ErrorCode::invalid, "metadata.name or metadata.generateName is required");
    }
    // As an API server does it, so that the name fits into a label.
    member(metadata, "name") =
        base.substr(0, kLongestGeneratedBase) + context.surroundings.random_suffix();
  }
  Value& spec = member(workflow, "spec");
  put_text(spec, "entrypoint", options.entrypoint);
  put_text(spec, "serviceAccountName", options.service_account);
  if (options.priority) {
    member(spec, "priority") = *options.priority;
  }
  if (!options.labels.empty()) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= options.labels.size();) {
      const std::size_t comma = std::min(options.labels.find(',', at), options.labels.size());
      parts.push_back(options.labels.substr(at, comma - at));
      at = comma + 1;
    }
    TRY(const auto labels, parse_assignments(parts));
    for (const auto& [name, value] : labels) {
      member(member(metadata, "labels"), name) = value;
    }
  }
  TRY(Assignments given, parse_assignments(options.parameters));
  if (!options.parameter_file.empty()) {
    TRY(const Assignments of_file, read_parameter_file(options.parameter_file));
    const std::size_t own = given.size();
    for (const auto& [name, value] : of_file) {
      if (std::ranges::none_of(given.begin(), given.begin() + static_cast<std::ptrdiff_t>(own),
                               [&](const auto& one) { return one.first == name; })) {
        given.emplace_back(name, value);
      }
    }
  }
  set_parameters(workflow, given);
  return {};
}

}  // namespace tiphys::cli
