#include "cluster/node/environment.h"

#include "kube/quantity.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

namespace tiphys::node {
namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const doc::Value& empty_object() {
  static const doc::Value kEmpty = doc::Object();
  return kEmpty;
}

const doc::Value& member(const doc::Value& value, std::string_view key) {
  const doc::Value* found = doc::find(value, key);
  return found != nullptr ? *found : empty_object();
}

std::string_view name_in(std::string_view entry) { return entry.substr(0, entry.find('=')); }

const doc::Array* find_array(const doc::Value& value, std::string_view key) {
  const doc::Value* found = doc::find(value, key);
  return found != nullptr ? found->if_array() : nullptr;
}

bool is_optional(const doc::Value& reference) {
  const doc::Value* flag = doc::find(reference, "optional");
  return flag != nullptr && flag->is_bool() && flag->get_bool();
}

/// Variables in order, each name once: a later definition takes the place of an earlier one.
class Variables {
 public:
  void set(std::string_view name, std::string_view value) {
    std::string entry = fmt::format("{}={}", name, value);
    const auto [at, added] = index_.emplace(name, entries_.size());
    if (added) {
      entries_.push_back(std::move(entry));
    } else {
      entries_[at->second] = std::move(entry);
    }
  }

  bool has(const std::string& name) const { return index_.contains(name); }

  std::vector<std::string>& entries() { return entries_; }

 private:
  std::vector<std::string> entries_;
  std::map<std::string, std::size_t> index_;
};

std::string_view kind_in_text(std::string_view kind) {
  return kind == "Secret" ? "secret" : "configmap";
}

/// A key of a ConfigMap or Secret that a variable refers to; nothing when it is optional and
/// missing.
Result<std::optional<std::string>> referenced(const PodContext& context, std::string_view kind,
                                              const doc::Value& reference) {
  const std::string_view name = doc::find_string(reference, "name");
  const std::string_view key = doc::find_string(reference, "key");
  const std::string_view name_space =
      doc::find_string(member(context.pod, "metadata"), "namespace");
  const auto object = context.lookup ? context.lookup(kind, name_space, name) : nullptr;
  if (!object) {
    if (is_optional(reference)) {
      return std::nullopt;
    }
    return fail(ErrorCode::not_found, fmt::format("{} \"{}\" not found", kind_in_text(kind), name));
  }
  TRY(auto value, data_value(kind, *object, key));
  if (!value && !is_optional(reference)) {
    return fail(ErrorCode::not_found,
                fmt::format("couldn't find key {} in {} {}/{}", key, kind, name_space, name));
  }
  return value;
}

Result<> add_all(const PodContext& context, const doc::Value& source, Variables& variables) {
  const std::string_view prefix = doc::find_string(source, "prefix");
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kSources{
      {{"configMapRef", "ConfigMap"}, {"secretRef", "Secret"}}};
  for (const auto& [field, kind] : kSources) {
    const doc::Value* reference = doc::find(source, field);
    if (reference == nullptr || reference->is_null()) {
      continue;
    }
    const std::string_view name = doc::find_string(*reference, "name");
    const std::string_view name_space =
        doc::find_string(member(context.pod, "metadata"), "namespace");
    const auto object = context.lookup ? context.lookup(kind, name_space, name) : nullptr;
    if (!object) {
      if (is_optional(*reference)) {
        continue;
      }
      return fail(ErrorCode::not_found,
                  fmt::format("{} \"{}\" not found", kind_in_text(kind), name));
    }
    for (const std::string& key : data_keys(*object)) {
      // Names that no shell could use are left out, as the kubelet does with an event.
      if (key.empty() || key.find('=') != std::string::npos) {
        continue;
      }
      TRY(auto value, data_value(kind, *object, key));
      variables.set(fmt::format("{}{}", prefix, key), value.value_or(""));
    }
  }
  return {};
}

Result<std::optional<std::string>> value_from(const PodContext& context,
                                              const doc::Value& container,
                                              const doc::Value& source) {
  if (const doc::Value* field = doc::find(source, "fieldRef")) {
    return field_value(context, doc::find_string(*field, "fieldPath"));
  }
  if (const doc::Value* resource = doc::find(source, "resourceFieldRef")) {
    return resource_value(context, container, *resource);
  }
  if (const doc::Value* reference = doc::find(source, "configMapKeyRef")) {
    return referenced(context, "ConfigMap", *reference);
  }
  if (const doc::Value* reference = doc::find(source, "secretKeyRef")) {
    return referenced(context, "Secret", *reference);
  }
  return std::nullopt;
}

/// The key in `metadata.labels['key']`.
std::optional<std::string_view> subscript(std::string_view path, std::string_view field) {
  if (path.starts_with(field) && path.size() > field.size() + 4 &&
      path.substr(field.size()).starts_with("['") && path.ends_with("']")) {
    return path.substr(field.size() + 2, path.size() - field.size() - 4);
  }
  return std::nullopt;
}

std::string all_of(const doc::Value* map) {
  std::map<std::string, std::string> sorted;
  if (map != nullptr && map->is_object()) {
    for (const auto& [key, value] : map->get_object()) {
      sorted[std::string(key)] = value.is_string() ? std::string(value.get_string()) : "";
    }
  }
  std::string text;
  for (const auto& [key, value] : sorted) {
    text += text.empty() ? "" : "\n";
    text += key + "=";
    doc::append_json_string(text, value, false);
  }
  return text;
}

}  // namespace

Result<std::string> decode_base64(std::string_view text) {
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    int digit = -1;
    if (c >= 'A' && c <= 'Z') {
      digit = c - 'A';
    } else if (c >= 'a' && c <= 'z') {
      digit = c - 'a' + 26;
    } else if (c >= '0' && c <= '9') {
      digit = c - '0' + 52;
    } else if (c == '+' || c == '/') {
      digit = c == '+' ? 62 : 63;
    } else if (c == '=' || c == '\n' || c == '\r') {
      continue;
    } else {
      return fail(ErrorCode::invalid, "illegal base64 data");
    }
    bits = (bits << 6) | static_cast<unsigned>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>((bits >> count) & 0xFF);
    }
  }
  return bytes;
}

Result<std::optional<std::string>> data_value(std::string_view kind, const doc::Value& object,
                                              std::string_view key) {
  const auto text = [&](std::string_view where) -> std::optional<std::string> {
    const doc::Value* value = doc::find(member(object, where), key);
    if (value == nullptr || !value->is_string()) {
      return std::nullopt;
    }
    return std::string(value->get_string());
  };
  if (kind == "Secret") {
    // The API server would have turned stringData into data.
    if (auto plain = text("stringData")) {
      return plain;
    }
    if (const auto encoded = text("data")) {
      TRY(auto bytes, decode_base64(*encoded));
      return bytes;
    }
    return std::nullopt;
  }
  if (auto plain = text("data")) {
    return plain;
  }
  if (const auto encoded = text("binaryData")) {
    TRY(auto bytes, decode_base64(*encoded));
    return bytes;
  }
  return std::nullopt;
}

std::vector<std::string> data_keys(const doc::Value& object) {
  std::set<std::string> keys;
  for (const std::string_view where : {"data", "binaryData", "stringData"}) {
    if (const auto* map = member(object, where).if_object()) {
      for (const auto& entry : *map) {
        keys.emplace(entry.key());
      }
    }
  }
  return {keys.begin(), keys.end()};
}

Result<std::string> field_value(const PodContext& context, std::string_view path) {
  const doc::Value& metadata = member(context.pod, "metadata");
  const doc::Value& spec = member(context.pod, "spec");
  if (const auto key = subscript(path, "metadata.labels")) {
    return std::string(doc::find_string(member(metadata, "labels"), *key));
  }
  if (const auto key = subscript(path, "metadata.annotations")) {
    return std::string(doc::find_string(member(metadata, "annotations"), *key));
  }
  if (path == "metadata.labels" || path == "metadata.annotations") {
    return all_of(doc::find(metadata, path.substr(path.find('.') + 1)));
  }
  if (path == "metadata.name" || path == "metadata.namespace" || path == "metadata.uid") {
    return std::string(doc::find_string(metadata, path.substr(path.find('.') + 1)));
  }
  if (path == "spec.nodeName") {
    return std::string(context.node_name);
  }
  if (path == "spec.serviceAccountName") {
    const std::string_view name = doc::find_string(spec, "serviceAccountName");
    return std::string(name.empty() ? "default" : name);
  }
  if (path == "status.podIP" || path == "status.podIPs" || path == "status.hostIP" ||
      path == "status.hostIPs") {
    return std::string(context.node_address);
  }
  return fail(ErrorCode::invalid, fmt::format("unsupported fieldPath: {}", path));
}

Result<std::string> resource_value(const PodContext& context, const doc::Value& container,
                                   const doc::Value& reference) {
  const std::string_view resource = doc::find_string(reference, "resource");
  const std::size_t dot = resource.find('.');
  if (dot == std::string_view::npos) {
    return fail(ErrorCode::invalid, fmt::format("unsupported container resource : {}", resource));
  }
  const std::string_view group = resource.substr(0, dot);
  const std::string_view name = resource.substr(dot + 1);
  const doc::Value* amount = doc::find(member(member(container, "resources"), group), name);
  TRY(std::int64_t milli, kube::parse_quantity(amount));
  if (milli == 0 && group == "limits") {
    milli = name == "cpu"      ? context.allocatable_cpu_milli
            : name == "memory" ? context.allocatable_memory_bytes * 1000
                               : 0;
  }
  TRY(std::int64_t divisor, kube::parse_quantity(doc::find(reference, "divisor")));
  divisor = divisor > 0 ? divisor : 1000;
  return std::to_string(milli / divisor + (milli % divisor > 0 ? 1 : 0));
}

std::string expand(std::string_view text, const std::vector<std::string>& environment) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char next = text[i + 1];
    const std::size_t close = next == '(' ? text.find(')', i) : std::string_view::npos;
    if (next == '$') {
      out += '$';
      ++i;
    } else if (close != std::string_view::npos) {
      const std::string_view name = text.substr(i + 2, close - i - 2);
      const auto found = std::find_if(environment.rbegin(), environment.rend(),
                                      [&](const auto& entry) { return name_in(entry) == name; });
      if (found != environment.rend()) {
        out += std::string_view(*found).substr(name.size() + 1);
      } else {
        out += text.substr(i, close - i + 1);
      }
      i = close;
    } else {
      // Neither an escape nor a reference: both characters stand for themselves.
      out += text[i];
      out += next;
      ++i;
    }
  }
  return out;
}

std::vector<std::string> make_arguments(const doc::Value& container,
                                        const std::vector<std::string>& environment) {
  std::vector<std::string> arguments;
  for (const std::string_view member_name : {"command", "args"}) {
    if (const doc::Array* list = find_array(container, member_name)) {
      for (const doc::Value& text : *list) {
        arguments.push_back(text.is_string() ? expand(doc::text_of(text.get_string()), environment)
                                             : doc::to_json(text));
      }
    }
  }
  return arguments;
}

std::string entrypoint_of_image(std::string_view image) {
  image = image.substr(0, image.find('@'));
  image = image.substr(image.rfind('/') == std::string_view::npos ? 0 : image.rfind('/') + 1);
  return std::string(image.substr(0, image.find(':')));
}

Result<std::vector<std::string>> make_environment(const PodContext& context,
                                                  const doc::Value& container) {
  Variables variables;
  variables.set("PATH", context.path.empty() ? kDefaultPath : context.path);
  variables.set("HOSTNAME", doc::find_string(member(context.pod, "metadata"), "name"));
  if (const doc::Array* sources = find_array(container, "envFrom")) {
    for (const doc::Value& source : *sources) {
      TRY_VOID(add_all(context, source, variables));
    }
  }
  if (const doc::Array* list = find_array(container, "env")) {
    for (const doc::Value& entry : *list) {
      const std::string_view name = doc::find_string(entry, "name");
      const doc::Value* source = doc::find(entry, "valueFrom");
      if (source != nullptr && source->is_object()) {
        TRY(auto value, value_from(context, container, *source));
        if (value) {
          variables.set(name, *value);
        }
        continue;
      }
      variables.set(name, expand(doc::find_string(entry, "value"), variables.entries()));
    }
  }
  if (!variables.has("HOME")) {
    const doc::Value* user = doc::find(member(container, "securityContext"), "runAsUser");
    if (user == nullptr) {
      user = doc::find(member(member(context.pod, "spec"), "securityContext"), "runAsUser");
    }
    const bool root = user == nullptr || (user->is_int64() && user->get_int64() == 0);
    variables.set("HOME", root ? "/root" : "/");
  }
  return std::move(variables.entries());
}

}  // namespace tiphys::node
