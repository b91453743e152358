#include "workflows/validate/validate.h"

#include "kube/types/types.h"
#include "lang/gotext/gotext.h"
#include "workflows/model/merge.h"
#include "workflows/validate/cron_check.h"
#include "workflows/validate/workflow_check.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace tiphys::workflows {
namespace {

/// Kubernetes' limit on labels, which carry the names of templates.
constexpr std::size_t kLongestTemplateName = 63;

constexpr std::array<std::string_view, 5> kKinds = {"Workflow", "WorkflowTemplate",
                                                    "ClusterWorkflowTemplate", "CronWorkflow",
                                                    "WorkflowEventBinding"};

/// Upstream takes lists and objects for empty texts where a parameter's value is wanted.
bool is_ignored_value(const doc::Fault& fault) {
  return fault.go_message.ends_with(" of type v1alpha1.AnyString");
}

class Validation {
 public:
  Validation(std::span<const Candidate> candidates, const ValidateOptions& options)
      : candidates_(candidates),
        options_(options),
        own_types_(options.types == nullptr ? std::make_unique<doc::Schema>(kube::built_in_types())
                                            : nullptr),
        library_(candidates, options, own_types_ ? *own_types_ : *options.types) {}

  void check(std::size_t candidate) {
    const doc::Value& document = *candidates_[candidate].document;
    const std::string_view kind = doc::find_string(document, "kind");
    if (std::ranges::find(kKinds, kind) == kKinds.end()) {
      return;
    }
    if (!check_schema(candidate)) {
      return;
    }
    auto checked = check_kind(candidate, kind);
    if (!checked) {
      const Error& error = checked.error();
      add(candidate, Severity::error, error.message,
          error.causes.empty() ? "" : error.causes.front().path, std::nullopt);
    }
  }

  std::vector<Finding> findings() && { return std::move(findings_); }

 private:
  /// `position` is that of the path unless given.
  void add(std::size_t candidate, Severity severity, std::string message, std::string path,
           std::optional<Position> position) {
    const doc::Positions* positions = candidates_[candidate].positions;
    if (!position) {
      position = positions == nullptr ? Position{} : position_of(*positions, path);
    }
    findings_.push_back({candidate, severity, std::move(message), std::move(path), *position});
  }

  /// False when the document cannot be decoded as upstream would, so that nothing more is said of
  /// it.
  bool check_schema(std::size_t candidate) {
    const std::vector<doc::Fault>& faults = library_.report(candidate).faults;
    bool is_sound = true;
    std::string unknown;
    const doc::Fault* first_unknown = nullptr;
    for (const doc::Fault& fault : faults) {
      if (fault.kind == doc::FaultKind::wrong_type) {
        const std::string detail = fault.go_message.empty() ? "" : " (" + fault.go_message + ")";
        const bool passes = is_ignored_value(fault);
        add(candidate, passes ? Severity::warning : Severity::error, fault.message + detail,
            fault.path, fault.position);
        is_sound = is_sound && passes;
      } else if (fault.kind == doc::FaultKind::unknown_field) {
        first_unknown = first_unknown == nullptr ? &fault : first_unknown;
        unknown +=
            (unknown.empty() ? "" : ", ") + std::string("unknown field \"") + fault.path + "\"";
      }
    }
    if (first_unknown == nullptr || !is_sound) {
      return is_sound;
    }
    add(candidate, Severity::error, "strict decoding error: " + unknown, first_unknown->path,
        first_unknown->position);
    for (const doc::Fault& fault : faults) {
      if (fault.kind == doc::FaultKind::unknown_field && !fault.suggestion.empty()) {
        add(candidate, Severity::warning,
            "unknown field \"" + fault.path + "\": did you mean \"" + fault.suggestion + "\"?",
            fault.path, fault.position);
      }
    }
    return false;
  }

  Result<> check_kind(std::size_t candidate, std::string_view kind) {
    const doc::Value& document = library_.report(candidate).document;
    if (kind == "WorkflowEventBinding") {
      return {};
    }
    const std::string name = text_at(document, "metadata.name");
    if (library_.is_duplicate(candidate)) {
      return fail_at(Place("metadata"), ".name",
                     "duplicate " + std::string(kind) + " found: " + lang::quote(name));
    }
    if (kind == "CronWorkflow") {
      return check_cron(document);
    }
    if (kind == "Workflow") {
      return check_workflow(document, name);
    }
    Subject subject = subject_of(document);
    subject.spec = find_in(document, "spec");
    if (name.size() > kLongestTemplateName) {
      const std::string what = kind == "WorkflowTemplate" ? "" : "cluster ";
      return fail_at(Place("metadata"), ".name",
                     what + "workflow template name " + lang::quote(name) +
                         " must not be more than 63 characters long (currently " +
                         std::to_string(name.size()) + ")");
    }
    subject.is_template = true;
    subject.allow_empty_values = true;
    return WorkflowCheck(library_, subject).run();
  }

  static std::string text_at(const doc::Value& document, std::string_view path) {
    const doc::Value* value = find_in(document, path);
    return value == nullptr || !value->is_string() ? ""
                                                   : std::string(doc::text_of(value->get_string()));
  }

  static void add_keys(const doc::Value* map, std::set<std::string>& keys) {
    if (map == nullptr || !map->is_object()) {
      return;
    }
    for (const auto& [key, value] : map->get_object()) {
      keys.emplace(key.data(), key.size());
    }
  }

  static Subject subject_of(const doc::Value& document) {
    Subject subject;
    subject.name_space = text_at(document, "metadata.namespace");
    add_keys(find_in(document, "metadata.labels"), subject.labels);
    add_keys(find_in(document, "metadata.annotations"), subject.annotations);
    return subject;
  }

  Result<> check_workflow(const doc::Value& document, const std::string& name) {
    const doc::Value* defaults = options_.workflow_defaults;
    const doc::Value merged = defaults == nullptr || !defaults->is_object()
                                  ? doc::Value()
                                  : with_workflow_defaults(document, *defaults);
    const doc::Value& whole = merged.is_null() ? document : merged;
    Subject subject = subject_of(whole);
    subject.spec = find_in(whole, "spec");
    subject.allow_empty_values = !options_.submitting;
    subject.name = name;
    return WorkflowCheck(library_, subject).run();
  }

  Result<> check_cron(const doc::Value& document) {
    TRY_VOID(check_cron_schedule(document, options_.zones));
    // The workflow that a schedule makes: its labels and annotations, and arguments as they stand.
    Subject subject;
    subject.name_space = text_at(document, "metadata.namespace");
    subject.labels.insert("workflows.argoproj.io/cron-workflow");
    subject.annotations.insert("workflows.argoproj.io/scheduled-time");
    add_keys(find_in(document, "spec.workflowMetadata.labels"), subject.labels);
    add_keys(find_in(document, "spec.workflowMetadata.annotations"), subject.annotations);
    if (find_in(document, "metadata.labels.workflows.argoproj.io/controller-instanceid")) {
      subject.labels.insert("workflows.argoproj.io/controller-instanceid");
    }
    subject.spec = find_in(document, "spec.workflowSpec");
    subject.place = Place("spec.workflowSpec");
    auto checked = WorkflowCheck(library_, subject).run();
    if (!checked) {
      return behind("cannot validate Workflow: ", std::move(checked).error());
    }
    return {};
  }

  std::span<const Candidate> candidates_;
  const ValidateOptions& options_;
  std::unique_ptr<doc::Schema> own_types_;
  Library library_;
  std::vector<Finding> findings_;
};

}  // namespace

std::string describe_object(const doc::Value& document) {
  std::string name = "object #1";
  if (const doc::Value* metadata = doc::find(document, "metadata")) {
    const std::string_view given = doc::find_string(*metadata, "name");
    const std::string_view generated = doc::find_string(*metadata, "generateName");
    name = given.empty() ? (generated.empty() ? name : std::string(generated)) : std::string(given);
  }
  return "\"" + name + "\" (" + std::string(doc::find_string(document, "kind")) + ")";
}

std::vector<Finding> validate(std::span<const Candidate> candidates,
                              const ValidateOptions& options) {
  Validation validation(candidates, options);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    validation.check(i);
  }
  return std::move(validation).findings();
}

std::vector<Finding> validate_one(std::span<const Candidate> candidates, std::size_t which,
                                  const ValidateOptions& options) {
  Validation validation(candidates, options);
  validation.check(which);
  return std::move(validation).findings();
}

bool is_linted(const doc::Value& document) {
  const std::string_view kind = doc::find_string(document, "kind");
  return kind != "WorkflowEventBinding" && std::ranges::find(kKinds, kind) != kKinds.end();
}

}  // namespace tiphys::workflows
