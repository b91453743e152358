#include "workflows/locks/locks.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace tiphys::workflows {
namespace {

std::unexpected<Error> invalid_key(std::string_view why) {
  return fail(ErrorCode::bad_request, "Invalid lock key: " + std::string(why));
}

std::unexpected<Error> invalid_request(std::string_view why) {
  return fail(ErrorCode::bad_request, "requested configuration is invalid: " + std::string(why));
}

bool flag_at(const doc::Value& object, std::string_view key) {
  const doc::Value* value = doc::find(object, key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

const doc::Value* member(const doc::Value& object, std::string_view key) {
  const doc::Value* value = doc::find(object, key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::unexpected<Error> no_database(std::string_view kind, std::string_view namespace_name,
                                   std::string_view name) {
  return fail(ErrorCode::bad_request, "database session is not available for " + std::string(kind) +
                                          " " + std::string(namespace_name) + "/Database/" +
                                          std::string(name));
}

Result<LockName> wanted_lock(LockKind kind, const doc::Value& item, std::string_view of_run) {
  LockName lock;
  lock.kind = kind;
  lock.namespace_ = doc::find_string(item, "namespace");
  if (lock.namespace_.empty()) {
    lock.namespace_ = of_run;
  }
  if (kind == LockKind::mutex) {
    lock.name = doc::find_string(item, "name");
    if (flag_at(item, "database")) {
      return no_database("mutex", lock.namespace_, lock.name);
    }
  } else {
    const doc::Value* source = member(item, "configMapKeyRef");
    const doc::Value* database = member(item, "database");
    if (source != nullptr && database != nullptr) {
      return invalid_request("invalid semaphore with both ConfigMapKeyRef and Database");
    }
    if (database != nullptr) {
      return no_database("semaphore", lock.namespace_, doc::find_string(*database, "key"));
    }
    if (source == nullptr) {
      return invalid_request(
          "cannot get LockName for a Semaphore without a ConfigMapRef or Database");
    }
    lock.name = doc::find_string(*source, "name");
    lock.key = doc::find_string(*source, "key");
  }
  // A name with a slash where none can be would be read as another lock.
  TRY(const LockName read, LockName::parse(lock.text()));
  if (read != lock) {
    return invalid_key("unknown format");
  }
  return lock;
}

}  // namespace

std::string LockName::text() const {
  return kind == LockKind::mutex ? namespace_ + "/Mutex/" + name
                                 : namespace_ + "/ConfigMap/" + name + "/" + key;
}

Result<LockName> LockName::parse(std::string_view text) {
  const std::size_t first = text.find('/');
  const std::size_t second = first == std::string_view::npos ? first : text.find('/', first + 1);
  if (second == std::string_view::npos) {
    return invalid_key("unknown format");
  }
  LockName lock;
  lock.namespace_ = text.substr(0, first);
  const std::string_view kind = text.substr(first + 1, second - first - 1);
  std::string_view rest = text.substr(second + 1);
  if (kind == "ConfigMap") {
    lock.kind = LockKind::semaphore;
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos || rest.find('/', slash + 1) != std::string_view::npos) {
      return fail(ErrorCode::bad_request, "Invalid ConfigMap lock key: unknown format");
    }
    lock.key = rest.substr(slash + 1);
    rest = rest.substr(0, slash);
  } else if (kind != "Mutex") {
    return fail(ErrorCode::bad_request, "Invalid lock key, unexpected kind: " + std::string(kind));
  }
  lock.name = rest;
  if (lock.namespace_.empty()) {
    return invalid_key("Namespace is missing");
  }
  if (lock.name.empty()) {
    return invalid_key("ResourceName is missing");
  }
  if (lock.kind == LockKind::semaphore && lock.key.empty()) {
    return invalid_key("Key is missing for ConfigMap lock");
  }
  return lock;
}

Result<std::vector<LockName>> wanted_locks(const doc::Value& synchronization,
                                           std::string_view namespace_of_run) {
  std::vector<LockName> out;
  for (const auto& [list, kind] :
       {std::pair{"semaphores", LockKind::semaphore}, std::pair{"mutexes", LockKind::mutex}}) {
    const doc::Value* items = member(synchronization, list);
    if (items == nullptr || !items->is_array()) {
      continue;
    }
    const doc::Array& array = items->get_array();
    for (std::size_t i = 0; i < array.size(); ++i) {
      if (std::find(array.begin(), array.begin() + static_cast<std::ptrdiff_t>(i), array[i]) !=
          array.begin() + static_cast<std::ptrdiff_t>(i)) {
        return invalid_request("duplicate synchronization item found");
      }
      TRY(LockName lock, wanted_lock(kind, array[i], namespace_of_run));
      if (std::ranges::find(out, lock) == out.end()) {
        out.push_back(std::move(lock));
      }
    }
  }
  return out;
}

std::optional<std::int64_t> semaphore_limit(const doc::Value* config_map, std::string_view key) {
  const doc::Value* data = config_map == nullptr ? nullptr : doc::find(*config_map, "data");
  std::string_view text = data == nullptr ? "" : doc::find_string(*data, key);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  std::int64_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return limit;
}

std::string holder_text(std::string_view run, std::string_view node) {
  std::string out(run);
  if (!node.empty()) {
    out.append("/").append(node);
  }
  return out;
}

}  // namespace tiphys::workflows
