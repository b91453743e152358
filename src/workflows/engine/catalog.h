#pragma once
/// The templates a run can call, compiled once. Three nouns: `TemplateBase`, the object a template
/// stands in (the Workflow, a WorkflowTemplate, a ClusterWorkflowTemplate), in whose scope its
/// calls are resolved; `CompiledTemplate`, a template with its defaults merged in and its texts
/// scanned for tags; `Catalog`, which finds and keeps them, and freezes those from outside the
/// Workflow in status.storedTemplates.
///
/// Rules: upstream workflow/templateresolution/context.go; reference, workflows 2.17.

#include "lang/depends/depends.h"
#include "workflows/engine/engine.h"
#include "workflows/engine/tag_text.h"

#include <deque>
#include <unordered_map>
#include <unordered_set>

namespace tiphys::workflows {

struct TemplateBase {
  std::string kind;  ///< "local", "namespaced" or "cluster"
  std::string name;
  std::string scope;  ///< "<kind>/<name>"
  /// The templates' documents by name; those of a referenced object point into its document.
  std::map<std::string, const doc::Value*, std::less<>> templates;
  PodMetadata pod_metadata;
};

/// The steps or tasks of a template that a text names.
struct Mentions {
  std::vector<std::uint32_t> numbers;
  bool all = false;  ///< the text computes names, so that any may be meant
};

/// A step or task with its texts scanned.
struct CompiledCall {
  /// In the template's definition.
  const Call* call = nullptr;
  TagText arguments;
  TagText when;          ///< a JSON string; empty without a condition
  TagText loop;          ///< an object with the with* members; empty without a loop
  TagText template_ref;  ///< an object with template and templateRef; empty without tags
  /// The exit hook: hooks.exit or the deprecated onExit.
  std::optional<Hook> exit_hook;
  bool has_hooks = false;  ///< beside the exit hook
  /// DAG tasks: numbers of the tasks it waits for and of those that wait for it.
  std::vector<std::uint32_t> dependencies;
  std::vector<std::uint32_t> dependants;
  lang::Depends depends;
  Mentions mentions;
};

struct CompiledTemplate {
  Template definition;
  const TemplateBase* base = nullptr;  ///< in whose scope its calls are resolved
  /// All steps, group after group, or all tasks.
  std::vector<CompiledCall> calls;
  /// Steps: first call and end of each group.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> groups;
  std::unordered_map<std::string, std::uint32_t> numbers;
  /// Names of calls whose outputs.result something in the template reads.
  std::unordered_set<std::string> result_names;
  TagText body;      ///< the whole template but its inputs
  TagText outputs;   ///< the outputs member
  TagText retry;     ///< the retryStrategy member
  TagText target;    ///< dag.target as a JSON string
  TagText suspend;   ///< the suspend member
  TagText timeouts;  ///< an object with timeout, pendingTimeout, activeDeadlineSeconds
  Mentions output_mentions;
  bool has_hooks = false;         ///< a call has hooks beside an exit hook
  bool reads_input_list = false;  ///< something reads {{inputs.parameters}} as a whole
  TagText display_name;           ///< the display-name annotation as a JSON string, empty = none
  /// An object with synchronization and memoize; empty without both.
  TagText gate;
};

class Catalog {
 public:
  explicit Catalog(const References& references) : references_(references) {}

  /// `stored` is status.storedTemplates, null when there is none.
  void set_workflow(std::string_view workflow_name, const WorkflowSpec& spec,
                    const doc::Value* stored);

  /// What a call made in the scope of `caller` names. Errors in upstream's words.
  Result<const CompiledTemplate*> resolve(const TemplateBase& caller, const Call& call);

  /// The object a templateScope names. Error: not_found.
  Result<const TemplateBase*> base_of(std::string_view scope);

  const TemplateBase* local() const { return &bases_.front(); }

  const doc::Value& stored_templates() const { return stored_; }

  bool take_stored_changed() { return std::exchange(stored_changed_, false); }

 private:
  Result<const TemplateBase*> referenced_base(const TemplateRef& reference);
  Result<doc::Value> find_template(const TemplateBase& base, const TemplateBase& caller,
                                   const Call& call);
  Result<const CompiledTemplate*> compile(const doc::Value& document, const TemplateBase& base);
  void store(const std::string& id, const doc::Value& document);
  void store_inline(const TemplateBase& base, const doc::Value& document);

  const References& references_;
  std::deque<TemplateBase> bases_;
  std::deque<doc::Value> documents_;
  std::deque<CompiledTemplate> compiled_;
  std::unordered_map<std::string, const CompiledTemplate*> by_key_;
  std::unordered_map<const Template*, const CompiledTemplate*> by_inline_;
  doc::Value defaults_;
  Arguments workflow_arguments_;
  doc::Value stored_;
  bool stored_changed_ = false;
};

}  // namespace tiphys::workflows
