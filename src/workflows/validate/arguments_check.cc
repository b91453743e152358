#include "workflows/validate/names.h"
#include "workflows/validate/workflow_check.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace tiphys::workflows {
namespace {

bool is_set(const std::optional<std::string>& text) { return text && !text->empty(); }

Result<> check_source(const std::string& name, const ValueFrom& from, const Place& place) {
  const bool allowed = from.config_map_key || is_set(from.event) || from.supplied;
  const bool forbidden = is_set(from.path) || is_set(from.json_path) || is_set(from.parameter) ||
                         is_set(from.expression);
  if (!allowed || forbidden) {
    return fail_at(place, ".valueFrom",
                   name + ".valueFrom only allows: default, configMapKeyRef and supplied");
  }
  return {};
}

Result<> check_enum(const std::string& name, const Parameter& parameter, const Place& place) {
  const auto& values = *parameter.enum_values;
  if (values.empty()) {
    return fail_at(place, ".enum", name + ".enum should contain at least one value");
  }
  if (!parameter.value) {
    return fail_at(place, "", name + ".value is required");
  }
  if (std::ranges::find(values, *parameter.value) == values.end()) {
    return fail_at(place, ".value", name + ".value should be present in " + name + ".enum list");
  }
  return {};
}

Result<> check_artifact_argument(const std::string& name, const Artifact& artifact,
                                 const Place& place) {
  if (artifact.from.empty() && !has_location_or_key(artifact)) {
    return fail_at(place, "", name + ".from, artifact location, or key is required");
  }
  if (!artifact.from.empty() && !artifact.from_expression.empty()) {
    return fail_at(place, ".fromExpression",
                   name + " shouldn't have both `from` and `fromExpression` in Artifact");
  }
  return {};
}

/// The stores in the order in which upstream looks for one, with what makes a full location and
/// which member is the key.
struct StoreRule {
  std::string_view name;
  std::array<std::string_view, 3> needs;
  std::string_view key;
};

constexpr std::array<StoreRule, 10> kStores = {
    {{"artifactory", {"url", "usernameSecret"}, "url"},
     {"azure", {"endpoint", "container", "blob"}, "blob"},
     {"git", {"repo"}, ""},
     {"gcs", {"bucket", "key"}, "key"},
     {"hdfs", {"addresses"}, "path"},
     {"http", {"url"}, "url"},
     {"oss", {"bucket", "endpoint", "key"}, "key"},
     {"raw", {}, ""},
     {"s3", {"endpoint", "bucket", "key"}, "key"},
     {"plugin", {"name", "configuration", "key"}, "key"}}};

bool is_given(const doc::Value& store, std::string_view member) {
  const doc::Value* value = doc::find(store, member);
  if (value == nullptr || value->is_null()) {
    return false;
  }
  return value->is_string() ? !value->get_string().empty()
                            : !value->is_array() || !value->get_array().empty();
}

/// A key that is a URL is its path.
bool has_key(const doc::Value& store, std::string_view member) {
  if (member != "url" || !is_given(store, member)) {
    return !member.empty() && is_given(store, member);
  }
  const std::string_view url = doc::find_string(store, member);
  const std::size_t host = url.find("://");
  const std::string_view rest = url.substr(host == std::string_view::npos ? 0 : host + 3);
  const std::size_t path = rest.find_first_of("/?#");
  return path != std::string_view::npos && rest[path] == '/';
}

/// hdfs: what it needs to be reached.
Result<> check_hdfs(const std::string& prefix, const doc::Value& hdfs, const Place& place) {
  const auto lacks = [&](std::initializer_list<std::string_view> members) {
    return !std::ranges::all_of(members, [&](std::string_view m) { return is_given(hdfs, m); });
  };
  if (lacks({"addresses"})) {
    return fail_at(place, "", prefix + ".addresses is required");
  }
  if (lacks({"path"})) {
    return fail_at(place, "", prefix + ".path is required");
  }
  if (!doc::find_string(hdfs, "path").starts_with('/')) {
    return fail_at(place, ".path", prefix + ".path must be a absolute file path");
  }
  if (lacks({"hdfsUser"}) && lacks({"krbCCacheSecret"}) && lacks({"krbKeytabSecret"})) {
    return fail_at(place, "",
                   "either " + prefix + ".hdfsUser, " + prefix + ".krbCCacheSecret or " + prefix +
                       ".krbKeytabSecret is required");
  }
  const bool lacks_service = lacks({"krbServicePrincipalName", "krbConfigConfigMap"});
  if (is_given(hdfs, "krbKeytabSecret") && (lacks_service || lacks({"krbUsername", "krbRealm"}))) {
    return fail_at(place, ".krbKeytabSecret",
                   prefix + ".krbServicePrincipalName, " + prefix + ".krbConfigConfigMap, " +
                       prefix + ".krbUsername and " + prefix + ".krbRealm are required with " +
                       prefix + ".krbKeytabSecret");
  }
  if (is_given(hdfs, "krbCCacheSecret") && lacks_service) {
    return fail_at(place, ".krbCCacheSecret",
                   prefix + ".krbServicePrincipalName and " + prefix +
                       ".krbConfigConfigMap are required with " + prefix + ".krbCCacheSecret");
  }
  return {};
}

}  // namespace

bool has_location_or_key(const Artifact& artifact) {
  for (const StoreRule& rule : kStores) {
    const doc::Value* store = doc::find(artifact.location, rule.name);
    if (store == nullptr || store->is_null()) {
      continue;
    }
    return std::ranges::all_of(rule.needs,
                               [&](std::string_view member) {
                                 return member.empty() || is_given(*store, member);
                               }) ||
           has_key(*store, rule.key);
  }
  return false;
}

Result<> check_arguments(const std::string& prefix, const Arguments& arguments, const Place& place,
                         bool allow_empty_values) {
  TRY_VOID(check_names(arguments.parameters, NameRule::parameter, prefix + "parameters",
                       place.below(".parameters")));
  TRY_VOID(check_names(arguments.artifacts, NameRule::parameter, prefix + "artifacts",
                       place.below(".artifacts")));
  for (std::size_t i = 0; i < arguments.parameters.size(); ++i) {
    const Parameter& parameter = arguments.parameters[i];
    const std::string name = prefix + parameter.name;
    if (!parameter.value && !parameter.value_from && !allow_empty_values) {
      return fail_at(place.element(".parameters", i), "",
                     name + ".value or " + name + ".valueFrom is required");
    }
    if (parameter.value_from) {
      TRY_VOID(check_source(name, *parameter.value_from, place.element(".parameters", i)));
    }
    if (!parameter.enum_values) {
      continue;
    }
    // A quirk of upstream: it ends its whole check at the first such parameter.
    if (!parameter.enum_values->empty() && !parameter.value && allow_empty_values) {
      return {};
    }
    TRY_VOID(check_enum(name, parameter, place.element(".parameters", i)));
  }
  for (std::size_t i = 0; i < arguments.artifacts.size(); ++i) {
    const Artifact& artifact = arguments.artifacts[i];
    TRY_VOID(
        check_artifact_argument(prefix + artifact.name, artifact, place.element(".artifacts", i)));
  }
  return {};
}

Result<> check_hooks(const std::map<std::string, Hook>& hooks, const std::string& base_name,
                     const Place& place) {
  for (const auto& [name, hook] : hooks) {
    if (name != "exit" && hook.expression.empty()) {
      return fail_at(place, "." + name, base_name + "." + name + " Expression required");
    }
  }
  return {};
}

Result<> check_artifact_location(const std::string& prefix, const doc::Value& location,
                                 const Place& place) {
  if (const doc::Value* git = find_in(location, "git"); git != nullptr && !is_given(*git, "repo")) {
    return fail_at(place, ".git", prefix + ".git.repo is required");
  }
  if (const doc::Value* hdfs = find_in(location, "hdfs")) {
    return check_hdfs(prefix + ".hdfs", *hdfs, place.below(".hdfs"));
  }
  return {};
}

Result<> check_pod_resources(const doc::Value* resources, const std::string& prefix,
                             const Place& place) {
  if (resources == nullptr) {
    return {};
  }
  if (const doc::Value* claims = find_in(*resources, "claims");
      claims != nullptr && claims->is_array() && !claims->get_array().empty()) {
    return fail_at(place, ".claims", prefix + ".claims is not supported for pod-level resources");
  }
  for (const std::string_view list : {"limits", "requests"}) {
    const doc::Value* amounts = find_in(*resources, list);
    if (amounts == nullptr || !amounts->is_object()) {
      continue;
    }
    for (const auto& [key, amount] : amounts->get_object()) {
      const std::string name(key.data(), key.size());
      if (name != "cpu" && name != "memory" && !name.starts_with("hugepages-")) {
        return fail_at(place, "." + std::string(list) + "." + name,
                       prefix + ": \"" + name +
                           "\" is not a valid pod-level resource, only cpu, memory and "
                           "hugepages-* are supported");
      }
    }
  }
  return {};
}

}  // namespace tiphys::workflows
