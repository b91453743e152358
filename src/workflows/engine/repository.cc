#include "workflows/engine/repository.h"

#include "artifacts/location.h"
#include "doc/yaml.h"

#include <boost/json.hpp>

#include <array>

namespace tiphys::workflows {
namespace {

using doc::Object;
using doc::Value;

constexpr std::string_view kDefaultKeyAnnotation =
    "workflows.argoproj.io/default-artifact-repository";

/// What a repository of a type says of its keys, and what a location calls the key.
struct Format {
  std::string_view type;
  std::string_view format;
  std::string_view key;
};

/// In the order in which upstream looks for them.
constexpr std::array kFormats{
    Format{"artifactory", "keyFormat", "url"}, Format{"azure", "blobNameFormat", "blob"},
    Format{"gcs", "keyFormat", "key"},         Format{"hdfs", "pathFormat", "path"},
    Format{"oss", "keyFormat", "key"},         Format{"plugin", "keyFormat", "key"},
    Format{"s3", "keyFormat", "key"},
};

const Value& at(const Value& object, std::string_view key) {
  static const Value kNull;
  const Value* found = doc::find(object, key);
  return found == nullptr ? kNull : *found;
}

const Object* body_of(const Value& location, std::string_view type) {
  const Value* body = doc::find(location, type);
  return body == nullptr ? nullptr : body->if_object();
}

bool is_true(const Value& value) { return value.is_bool() && value.get_bool(); }

/// A reference as it stands in upstream's errors.
std::string reference_text(std::string_view config_map, std::string_view key) {
  return std::string(config_map) + "#" + std::string(key);
}

struct Asked {
  std::string config_map;  ///< as written, may be empty
  std::string key;         ///< as written, may be empty
};

/// The repository that a ConfigMap holds; null when it does not have the key. Error: its text is no
/// repository.
Result<Value> repository_in(const Value& config_map, std::string_view namespace_name,
                            const Asked& asked, const std::string& name) {
  std::string key = asked.key;
  if (key.empty()) {
    key = doc::find_string(at(at(config_map, "metadata"), "annotations"), kDefaultKeyAnnotation);
  }
  const Value* text = doc::find(at(config_map, "data"), key);
  if (text == nullptr || !text->is_string()) {
    return Value();
  }
  const auto refuse = [&](const std::string& why) {
    const std::string reference =
        std::string(namespace_name) + "/" + reference_text(asked.config_map, asked.key);
    return fail(ErrorCode::invalid, "error getting config map for artifact repository ref \"" +
                                        reference + "\": failed to unmarshall config map key \"" +
                                        key + "\" for artifact repository ref \"" + reference +
                                        "\": " + why);
  };
  auto repository = doc::parse_yaml(doc::text_of(text->get_string()));
  if (!repository) {
    return refuse(repository.error().message);
  }
  if (repository->value.is_null()) {
    repository->value.emplace_object();
  }
  if (!repository->value.is_object()) {
    return refuse("it is no artifact repository");
  }
  return Value(Object{{"artifactRepository", std::move(repository->value)},
                      {"configMap", name},
                      {"key", key},
                      {"namespace", namespace_name}});
}

Value default_repository(const EngineConfig& config) {
  const bool configured =
      config.artifact_repository.is_object() && !config.artifact_repository.get_object().empty();
  return Object{{"artifactRepository",
                 configured ? config.artifact_repository : Value(Object{{"s3", Object{}}})},
                {"default", true}};
}

std::string key_format_of(const Format& format, const Object& body) {
  const Value document = body;
  std::string out(doc::find_string(document, format.format));
  if (out.empty()) {
    // Only S3 has a prefix; a missing one leaves the pattern as it is.
    const std::string_view prefix =
        format.type == "s3" ? doc::find_string(document, "keyPrefix") : "";
    out = artifacts::default_key(prefix, artifacts::kDefaultKeyFormat);
  }
  if (format.type == "artifactory") {
    const std::string_view url = doc::find_string(document, "repoURL");
    out = std::string(url) + (url.ends_with('/') ? "" : "/") + out;
  }
  return out;
}

}  // namespace

Result<Value> resolve_repository(const Value* reference, std::string_view namespace_name,
                                 const References& references, const EngineConfig& config) {
  Asked asked;
  const bool named = reference != nullptr && reference->is_object();
  if (named) {
    asked = {std::string(doc::find_string(*reference, "configMap")),
             std::string(doc::find_string(*reference, "key"))};
  }
  const std::string name =
      asked.config_map.empty() ? std::string(kRepositoriesConfigMap) : asked.config_map;
  const Value* own = references.config_map(name);
  if (own != nullptr) {
    TRY(Value found, repository_in(*own, namespace_name, asked, name));
    if (!found.is_null()) {
      return found;
    }
  }
  const Value* shared = named && !config.namespace_.empty()
                            ? references.config_map_of(config.namespace_, name)
                            : nullptr;
  if (shared != nullptr) {
    TRY(Value found, repository_in(*shared, config.namespace_, asked, name));
    if (!found.is_null()) {
      return found;
    }
  }
  if (named && (own != nullptr || shared != nullptr)) {
    return fail(ErrorCode::not_found,
                "failed to find any artifact repository for artifact repository ref \"" +
                    reference_text(asked.config_map, asked.key) + "\"");
  }
  return default_repository(config);
}

Value location_of_repository(const Value& repository) {
  for (const Format& format : kFormats) {
    const Object* body = body_of(repository, format.type);
    if (body == nullptr) {
      continue;
    }
    Object location = *body;
    for (const std::string_view own :
         {"keyFormat", "keyPrefix", "blobNameFormat", "pathFormat", "repoURL"}) {
      location.erase({own.data(), own.size()});
    }
    location[{format.key.data(), format.key.size()}] = key_format_of(format, *body);
    return Object{{format.type, std::move(location)}};
  }
  return Object{};
}

bool archives_logs(const Value& repository, const Value& spec, const Value* archive_location) {
  if (is_true(at(repository, "archiveLogs"))) {
    return true;
  }
  const Value* own =
      archive_location == nullptr ? nullptr : doc::find(*archive_location, "archiveLogs");
  return own != nullptr && own->is_bool() ? own->get_bool() : is_true(at(spec, "archiveLogs"));
}

Value location_in(const Value& archive_location, const Value& location, std::string_view file) {
  if (artifacts::is_complete(location)) {
    return location;
  }
  // This machine's store has no bucket of its own, so that one named by the artifact is kept.
  const Value& s3 = at(location, "s3");
  const Object* place = body_of(archive_location, "s3");
  if (place != nullptr && !place->contains("bucket") && !doc::find_string(s3, "bucket").empty() &&
      !doc::find_string(s3, "key").empty()) {
    return location;
  }
  const artifacts::Repository repository{
      .location = archive_location,
      .archive_key = artifacts::key_of(archive_location).value_or("")};
  auto out = artifacts::complete(location, repository, file);
  // A place without keys is refused by the store, which names its type.
  if (!out) {
    return archive_location;
  }
  return std::move(*out);
}

Value stored_location(const Value& artifact, const Value& repository_ref) {
  Object location;
  if (const Object* members = artifact.if_object()) {
    for (const auto& [name, value] : *members) {
      if (artifacts::is_known_type({name.data(), name.size()})) {
        location[name] = value;
      }
    }
  }
  const Value& repository = at(repository_ref, "artifactRepository");
  if (!artifacts::key_of(location) || repository.is_null()) {
    return location;
  }
  return location_in(location_of_repository(repository), location, "");
}

}  // namespace tiphys::workflows
