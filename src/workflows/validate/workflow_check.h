#pragma once
/// The rules of a workflow, in upstream's order: the first fault ends the check. Templates are
/// checked where they are called, callers before callees, and each only once. Private to the
/// module.
/// Source: Argo Workflows v4.1.2 workflow/validate/validate.go and, for the filling of inputs,
/// workflow/common/util.go ProcessArgs.

#include "workflows/validate/library.h"
#include "workflows/validate/tag_names.h"

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>

namespace tiphys::workflows {

/// A workflow, or what stands for one: the spec of a template or of a CronWorkflow.
struct Subject {
  /// Empty for templates.
  std::string name;
  std::string name_space;
  std::set<std::string> labels;
  std::set<std::string> annotations;
  /// In Go's form.
  const doc::Value* spec = nullptr;
  Place place{"spec"};
  /// A template by itself: arguments come from whoever uses it, and the entrypoint is optional.
  bool is_template = false;
  /// Arguments need no values yet.
  bool allow_empty_values = false;
};

class WorkflowCheck {
 public:
  WorkflowCheck(Library& library, const Subject& subject) : library_(library), subject_(subject) {}

  Result<> run();

 private:
  /// A place that calls a template: at most one of `inline_template`, `ref` and `name` counts.
  struct Caller {
    std::string_view name;
    const TemplateRef* ref = nullptr;
    const Template* inline_template = nullptr;
    Place place;
    /// Of the members in `place`.
    std::string_view name_suffix = ".template";
    std::string_view ref_suffix = ".templateRef";

    static Caller of(const Call& call, const Place& place);
  };

  struct Resolved {
    /// Null when it is known only when the workflow runs.
    const Template* called = nullptr;
    const LibraryObject* base = nullptr;
    Place place{""};
  };

  /// What a call gives to the template's inputs.
  struct Supply {
    /// Null: everything, unknown.
    const Arguments* arguments = nullptr;
    /// The arguments' documents, or null.
    const doc::Value* document = nullptr;
    /// Where they stand.
    Place place{""};
    /// They are the workflow's: what lacks one is the template.
    bool is_workflow = false;

    bool is_unknown() const { return arguments == nullptr; }
  };

  /// What is being checked: a template after its inputs were filled.
  struct Frame {
    const Template& filled;
    const LibraryObject& base;
    const Place& place;
    TagNames& names;
  };

  // workflow_check.cc
  Result<> check_workflow();
  Result<> check_arguments_of_workflow();
  Result<> check_executor_plugins();
  Result<> check_exit_handler(const Arguments& arguments);
  Result<> check_settings();
  Result<> check_all_templates();
  Result<> load_reference();
  void set_globals();
  void set_metadata_globals(const WorkflowSpec& spec);
  Caller call_by_reference(std::string_view suffix, TemplateRef& ref,
                           const std::string& name) const;
  bool has_parametrized_global_artifacts() const;

  // template_check.cc
  Result<Resolved> check_call(const Caller& caller, const Supply& supply,
                              const LibraryObject& base);
  Result<Resolved> resolve(const Caller& caller, const LibraryObject& base);
  Result<Resolved> resolve_ref(const Caller& caller);
  Result<> check_template(const Resolved& resolved, const Supply& supply);
  Result<> check_body(const Frame& frame);
  Result<TagNames> names_of_inputs(const Template& called, const Place& place) const;

  // fill.cc
  Result<> check_supplied(const Template& called, const Supply& supply, const Place& place) const;
  Result<Template> fill(const Template& called, const Supply& supply, const Place& place);
  Result<> check_timeouts(const Template& called, const Template& filled, const Place& place) const;
  Result<> check_again(const Template& called, const Supply& supply, const Place& place);
  void fill_parameters(const Template& called, const Supply& supply, doc::Array& documents);
  void fill_artifacts(const Template& called, const Supply& supply, doc::Array& documents);
  Result<Template> substitute(const Template& called, std::string text, const doc::Value& declared);
  std::string next_placeholder();

  // steps_check.cc
  Result<> check_steps(const Frame& frame);
  Result<> check_step(const Frame& frame, std::size_t group, std::size_t index,
                      std::unordered_set<std::string_view>& seen);
  Result<> check_step_tags(const Frame& frame, const Call& step, const Place& place);
  void add_outputs(const Template* called, std::string_view kind, const std::string& name,
                   TagNames& names, bool aggregate);
  void add_global(std::string_view prefix, std::string_view any, const std::string& name,
                  TagNames& names);

  // dag_check.cc
  class Dag;
  Result<> check_dag(const Frame& frame);

  // leaf_check.cc
  Result<> check_leaf(const Frame& frame);

  // outputs_check.cc
  Result<> check_outputs(const Frame& frame);
  Result<> check_metrics(const Frame& frame);

  Result<> check_tags_of(const TagNames& names, const doc::Value& document, const Place& place,
                         std::function<bool(std::string_view)> more = nullptr);

  Library& library_;
  const Subject& subject_;
  std::unique_ptr<LibraryObject> local_;
  /// What workflowTemplateRef names, or null.
  const LibraryObject* referenced_ = nullptr;
  /// The workflow's arguments, merged with those of the reference.
  Arguments arguments_;
  lang::Scope globals_;
  std::size_t placeholders_ = 0;
  lang::ExpressionCache expressions_;
  /// Templates by scope and name that were checked, or are being checked.
  std::unordered_set<std::string> checked_;
  /// The same by address, of templates that stay: only what depends on arguments is left to check.
  std::unordered_set<const Template*> checked_whole_;
  std::size_t depth_ = 0;
};

// Rules without state.

/// `prefix` ends in a dot: "spec.arguments.".
Result<> check_arguments(const std::string& prefix, const Arguments& arguments, const Place& place,
                         bool allow_empty_values);
/// `base_name` is how messages name the owner of the hooks.
Result<> check_hooks(const std::map<std::string, Hook>& hooks, const std::string& base_name,
                     const Place& place);
Result<> check_pod_resources(const doc::Value* resources, const std::string& prefix,
                             const Place& place);
/// Adds what the call's loop binds. Errors have no place yet.
Result<> add_items(const Call& call, TagNames& names);
/// The member at fault when add_items fails.
std::string_view items_suffix(const Call& call);
bool is_aggregate(const Call& call);
bool has_exit_hook(const Call& call);
/// Whether an artifact says where it is, fully or by its key.
bool has_location_or_key(const Artifact& artifact);
Result<> check_artifact_location(const std::string& prefix, const doc::Value& location,
                                 const Place& place);
/// `Artifact 'x' did not specify a path` and its like, or "".
std::string artifact_path_problem(const Artifact& artifact);
bool is_leaf(const Template& checked);
/// Whether the template gives a result and an exit code.
bool has_result(const Template& checked);
/// How messages name a type: "Steps", "DAG".
std::string_view type_text(TemplateType type);
Result<> check_container_set(const Template& checked, const Place& place);
/// Of a metav1.LabelSelector: what is wrong with it, or "".
std::string label_selector_problem(const doc::Value& selector);
const doc::Value* find_in(const doc::Value& object, std::string_view path);

}  // namespace tiphys::workflows
