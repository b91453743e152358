#include "workflows/config/config.h"

#include "doc/validate.h"
#include "doc/yaml.h"
#include "lang/gotime/gotime.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

using doc::Object;
using doc::Value;

constexpr std::string_view kConfigMapName = "workflow-controller-configmap";
constexpr std::string_view kType = "config/v1alpha1.Config";

/// A part of the file that is read by itself: the text of one key of a ConfigMap. Places in it
/// are moved to where it stands in the file.
struct Part {
  std::string text;
  std::size_t lines = 0;       ///< before it
  std::ptrdiff_t columns = 0;  ///< that its lines are indented by, more than here
};

std::string_view line_at(std::string_view text, std::size_t number) {
  for (std::size_t i = 1; i < number; ++i) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      return {};
    }
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

/// How far the lines of the block text that begins after this line of the file are indented.
std::ptrdiff_t indentation_after(std::string_view file, std::size_t line) {
  const std::string_view header = line_at(file, line);
  file.remove_prefix(static_cast<std::size_t>(header.data() - file.data()) + header.size());
  const std::size_t first = file.find_first_not_of(" \n");
  const std::size_t start = first == std::string_view::npos ? first : file.rfind('\n', first);
  return start == std::string_view::npos ? 0 : static_cast<std::ptrdiff_t>(first - start - 1);
}

/// The value of a ConfigMap's key as the YAML text `<key>: <value>`, or for the key that holds
/// everything as it is.
Part part_of(std::string_view file, std::string_view key, std::string_view value, Position at) {
  const std::string_view line = line_at(file, at.line);
  const bool is_block = at.column > 0 && at.column <= line.size() &&
                        (line[at.column - 1] == '|' || line[at.column - 1] == '>');
  const bool is_whole = key == "config";
  Part part;
  part.lines = at.line == 0 ? 0 : is_block && is_whole ? at.line : at.line - 1;
  part.columns = is_block ? indentation_after(file, at.line) : 0;
  if (is_whole) {
    part.text = value;
    return part;
  }
  part.text = std::string(key) + ":";
  if (!value.contains('\n')) {
    part.text += " " + std::string(value);
    part.columns = 0;
    return part;
  }
  part.columns -= 1;
  part.text += "\n";
  while (!value.empty()) {
    const std::size_t end = std::min(value.find('\n'), value.size());
    part.text += " " + std::string(value.substr(0, end)) + "\n";
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return part;
}

Position moved(Position position, const Part& part) {
  if (position.column != 0) {
    const auto column = static_cast<std::ptrdiff_t>(position.column) + part.columns;
    position.column = column > 0 ? static_cast<std::size_t>(column) : 1;
  }
  return position;
}

class Reader {
 public:
  Reader(std::string_view file, const doc::Schema& types)
      : file_(file), type_(*types.find(kType)) {}

  Result<Config> read() {
    TRY(const auto document, choose_document());
    const std::string_view kind = doc::find_string(document.value, "kind");
    if (kind == "ConfigMap") {
      TRY_VOID(read_config_map(document));
    } else if (!kind.empty()) {
      return fail(ErrorCode::invalid,
                  "expected a ConfigMap or its settings, found a " + std::string(kind));
    } else {
      take(document, {});
    }
    if (!faults_.empty()) {
      return std::unexpected(
          Error{ErrorCode::invalid, "invalid configuration", std::move(faults_)});
    }
    return std::move(config_);
  }

 private:
  /// Of several documents the ConfigMap of upstream's name.
  Result<doc::LocatedValue> choose_document() const {
    auto documents =
        doc::parse_manifests(file_, {.duplicate_keys = doc::DuplicateKeys::error, .limits = {}});
    const auto named = std::ranges::find_if(documents, [](const auto& document) {
      const Value* metadata = document ? doc::find(document->value, "metadata") : nullptr;
      return metadata != nullptr && doc::find_string(document->value, "kind") == "ConfigMap" &&
             doc::find_string(*metadata, "name") == kConfigMapName;
    });
    if (named != documents.end()) {
      return std::move(*named);
    }
    if (documents.empty()) {
      return doc::LocatedValue{};
    }
    if (documents.size() > 1) {
      return fail(ErrorCode::invalid, "none of its " + std::to_string(documents.size()) +
                                          " documents is the ConfigMap " +
                                          std::string(kConfigMapName));
    }
    return std::move(documents.front());
  }

  Result<> read_config_map(const doc::LocatedValue& document) {
    const Value* data = doc::find(document.value, "data");
    if (data == nullptr || data->is_null()) {
      return {};
    }
    if (!data->is_object()) {
      return fail(ErrorCode::invalid, "data of a ConfigMap is a map of texts");
    }
    const doc::Positions& places = document.positions;
    const auto data_place = places.member(places.root(), "data");
    const Object& entries = data->get_object();
    if (entries.contains("config") && entries.size() != 1) {
      return fail(
          ErrorCode::invalid,
          "if you have an item in your config map named 'config', you must only have one item");
    }
    for (const auto& [name, value] : entries) {
      const std::string_view key(name.data(), name.size());
      const Position at = places.value_of(places.member(data_place, key));
      if (!value.is_string()) {
        faults_.push_back({"data." + std::string(key), "expected a text", at});
        continue;
      }
      const Part part = part_of(file_, key, doc::text_of(value.get_string()), at);
      auto parsed = doc::parse_yaml(
          part.text,
          {.duplicate_keys = doc::DuplicateKeys::error, .first_line = part.lines, .limits = {}});
      if (!parsed) {
        add_error(parsed.error(), part);
      } else {
        take(*parsed, part);
      }
    }
    return {};
  }

  void add_error(const Error& error, const Part& part) {
    if (error.causes.empty()) {
      faults_.push_back({"", error.message, Position{}});
    }
    for (const FieldError& cause : error.causes) {
      faults_.push_back({cause.path, cause.message, moved(cause.position, part)});
    }
  }

  void take(const doc::LocatedValue& settings, const Part& part) {
    if (settings.value.is_null()) {
      return;
    }
    for (const doc::Fault& fault :
         doc::validate(type_, settings.value, &settings.positions, {.rules = false})) {
      std::string message = fault.message;
      if (!fault.suggestion.empty()) {
        message += ": did you mean \"" + fault.suggestion + "\"?";
      }
      faults_.push_back({fault.path, std::move(message), moved(fault.position, part)});
    }
    if (!settings.value.is_object() || !faults_.empty()) {
      return;
    }
    for (const auto& [name, value] : settings.value.get_object()) {
      const std::string_view key(name.data(), name.size());
      const doc::Positions& places = settings.positions;
      const Position at = moved(places.key_of(places.member(places.root(), key)), part);
      if (!value.is_null()) {
        set(key, value, at);
      }
    }
  }

  void set(std::string_view key, const Value& value, Position at) {
    const doc::Field* field = type_.field(key);
    if (field != nullptr && field->shape->fact("unused") != nullptr) {
      config_.notices.push_back(
          {std::string(key) + " has no meaning for runs on this machine and is passed over", at});
    } else if (key == "workflowDefaults") {
      config_.workflow_defaults = value;
    } else if (key == "mainContainer") {
      config_.main_container = value;
    } else if (key == "artifactRepository") {
      config_.artifact_repository = value;
    } else if (key == "images") {
      config_.images = value;
    } else if (key == "parallelism") {
      config_.parallelism = limit_of(key, value, at);
    } else if (key == "namespaceParallelism") {
      config_.namespace_parallelism = limit_of(key, value, at);
    } else if (key == "retentionPolicy") {
      set_retention(value, at);
    } else if (key == "podGCDeleteDelayDuration") {
      set_delay(key, value, at);
    }
  }

  /// A count; upstream takes 0 for no limit.
  std::optional<std::int64_t> limit_of(std::string_view name, const Value& value, Position at) {
    const std::int64_t count = value.is_int64() ? value.get_int64() : 0;
    if (count < 0) {
      faults_.push_back({std::string(name), std::string(name) + " must not be negative", at});
    }
    return count == 0 ? std::nullopt : std::optional(count);
  }

  void set_retention(const Value& value, Position at) {
    RetentionPolicy policy;
    for (const auto& [name, target] :
         {std::pair{"completed", &policy.completed}, std::pair{"failed", &policy.failed},
          std::pair{"errored", &policy.errored}}) {
      if (const Value* count = doc::find(value, name)) {
        *target = limit_of("retentionPolicy." + std::string(name), *count, at);
      }
    }
    config_.retention_policy = policy;
  }

  void set_delay(std::string_view key, const Value& value, Position at) {
    const auto delay = lang::parse_duration(value.is_string() ? doc::text_of(value.get_string())
                                                              : std::string_view());
    if (!delay || delay->count() < 0) {
      faults_.push_back(
          {std::string(key),
           std::string(key) + ": " + (delay ? "must not be negative" : delay.error().message), at});
      return;
    }
    config_.pod_gc_delete_delay = std::chrono::duration_cast<std::chrono::milliseconds>(*delay);
  }

  std::string_view file_;
  const doc::Type& type_;
  Config config_;
  std::vector<FieldError> faults_;
};

}  // namespace

Result<Config> parse_config(std::string_view text, const doc::Schema& types) {
  return Reader(text, types).read();
}

}  // namespace tiphys::workflows
