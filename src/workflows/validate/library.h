#pragma once
/// The manifests that references may name, read when they are first asked for. Private to the
/// module.

#include "doc/schema.h"
#include "doc/validate.h"
#include "workflows/model/model.h"
#include "workflows/validate/validate.h"

#include <map>
#include <memory>
#include <string>
#include <unordered_map>

namespace tiphys::workflows {

/// Where template names are looked up: a spec.
struct TemplateBase {
  /// Tells bases apart: "local/", "namespaced/lib".
  std::string scope;
  WorkflowSpec spec;
  /// Index of the first template with a name.
  std::unordered_map<std::string, std::size_t> by_name;
  /// Whether a template without an image may get it from templateDefaults (a quirk of upstream:
  /// not in ClusterWorkflowTemplates that are referred to).
  bool has_defaults = true;
  /// The base is the manifest under validation.
  bool is_local = true;

  const Template* find(std::string_view name) const;
};

/// Reads a spec; `document` is one in Go's form (go_form).
Result<std::unique_ptr<TemplateBase>> read_base(std::string scope, const doc::Value& document);

/// What a candidate is, and what its schema says.
struct CandidateReport {
  std::vector<doc::Fault> faults;
  /// In Go's form.
  doc::Value document;
};

class Library {
 public:
  Library(std::span<const Candidate> candidates, const ValidateOptions& options,
          const doc::Schema& schema);

  const CandidateReport& report(std::size_t candidate);

  /// Errors: `couldn't find workflow template "x" in namespace "y"`, upstream's offline text, or
  /// its cluster's not-found when there is a `known`.
  Result<const TemplateBase*> find(const std::string& name, bool cluster_scope,
                                   const std::string& name_space);

  /// Earlier candidates with the same kind, namespace and name as a template's.
  bool is_duplicate(std::size_t candidate) const { return duplicates_.contains(candidate); }

 private:
  std::unique_ptr<TemplateBase> read(const doc::Value& document, std::string scope);

  std::span<const Candidate> candidates_;
  const ValidateOptions& options_;
  const doc::Schema& schema_;
  std::unordered_map<std::string, std::size_t> places_;
  std::map<std::size_t, bool> duplicates_;
  std::unordered_map<std::size_t, CandidateReport> reports_;
  /// By kind, namespace and name; null for what cannot be read.
  std::unordered_map<std::string, std::unique_ptr<TemplateBase>> bases_;
};

}  // namespace tiphys::workflows
