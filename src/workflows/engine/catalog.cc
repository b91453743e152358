#include "workflows/engine/catalog.h"

#include "workflows/model/merge.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

/// JSON text of `document` without the members in `left_out`.
std::string json_without(const doc::Value& document,
                         std::initializer_list<std::string_view> left_out) {
  doc::Object copy = document.get_object();
  for (const std::string_view key : left_out) {
    copy.erase({key.data(), key.size()});
  }
  return doc::to_json(copy);
}

/// An object with those of the members `keys` that `document` has.
std::string json_of_members(const doc::Value& document,
                            std::initializer_list<std::string_view> keys) {
  doc::Object out;
  for (const std::string_view key : keys) {
    if (const doc::Value* value = doc::find(document, key)) {
      out[{key.data(), key.size()}] = *value;
    }
  }
  return doc::to_json(out);
}

std::string json_string(std::string_view text) {
  std::string out;
  doc::append_json_string(out, text);
  return out;
}

std::string json_member(const doc::Value& document, std::string_view key) {
  const doc::Value* value = doc::find(document, key);
  return value == nullptr ? std::string() : doc::to_json(*value);
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

/// The names x in texts such as `steps.x.outputs.result` and `tasks['x'].outputs.result`.
std::unordered_set<std::string> find_result_names(std::string_view json) {
  static constexpr std::string_view kMember = ".outputs.result";
  std::unordered_set<std::string> out;
  for (std::size_t at = json.find(kMember); at != std::string_view::npos;
       at = json.find(kMember, at + kMember.size())) {
    std::size_t end = at;
    while (end > 0 && (json[end - 1] == ']' || json[end - 1] == '"' || json[end - 1] == '\'' ||
                       json[end - 1] == '\\' || json[end - 1] == '?')) {
      --end;
    }
    std::size_t begin = end;
    while (begin > 0 && is_name_character(json[begin - 1])) {
      --begin;
    }
    out.emplace(json.substr(begin, end - begin));
  }
  return out;
}

/// Adds the calls that `json` names as steps.x, tasks.x, steps['x'] or tasks["x"].
void find_mentions(std::string_view json,
                   const std::unordered_map<std::string, std::uint32_t>& numbers, Mentions& out) {
  for (const std::string_view word : {"steps", "tasks"}) {
    for (std::size_t at = json.find(word); at != std::string_view::npos;
         at = json.find(word, at + word.size())) {
      std::size_t begin = at + word.size();
      if (begin < json.size() && json[begin] == '.') {
        ++begin;
      } else {
        while (begin < json.size() && std::string_view("?.[\"'\\").contains(json[begin])) {
          ++begin;
        }
      }
      std::size_t end = begin;
      while (end < json.size() && is_name_character(json[end])) {
        ++end;
      }
      const auto found = numbers.find(std::string(json.substr(begin, end - begin)));
      if (found != numbers.end()) {
        out.numbers.push_back(found->second);
      } else if (json.substr(begin, end - begin) != "name") {
        out.all = true;
      }
    }
  }
  std::ranges::sort(out.numbers);
  const auto rest = std::ranges::unique(out.numbers);
  out.numbers.erase(rest.begin(), rest.end());
}

Result<CompiledCall> compile_call(const Call& call, const Arguments& workflow_arguments) {
  CompiledCall out;
  out.call = &call;
  TRY(out.arguments, TagText::parse(json_member(call.document, "arguments")));
  if (!call.when.empty()) {
    TRY(out.when, TagText::parse(json_string(call.when)));
  }
  if (call.is_loop()) {
    TRY(out.loop,
        TagText::parse(json_of_members(call.document, {"withItems", "withParam", "withSequence"})));
  }
  TRY(auto target, TagText::parse(json_of_members(call.document, {"template", "templateRef"})));
  if (target.has_tags()) {
    out.template_ref = std::move(target);
  }
  const auto exit = call.hooks.find("exit");
  if (!call.on_exit.empty()) {
    Hook& hook = out.exit_hook.emplace();
    hook.template_name = call.on_exit;
    hook.arguments = workflow_arguments;
  } else if (exit != call.hooks.end()) {
    out.exit_hook = exit->second;
    if (!exit->second.has_arguments) {
      out.exit_hook->arguments = workflow_arguments;
    }
  }
  out.has_hooks = call.hooks.size() > (exit == call.hooks.end() ? 0U : 1U);
  return out;
}

/// Whether a walk along the dependencies comes back to where it was.
bool has_cycle(const std::vector<CompiledCall>& calls) {
  std::vector<std::uint32_t> missing(calls.size());
  std::vector<std::uint32_t> free;
  for (std::uint32_t i = 0; i < calls.size(); ++i) {
    missing[i] = static_cast<std::uint32_t>(calls[i].dependencies.size());
    if (missing[i] == 0) {
      free.push_back(i);
    }
  }
  std::size_t visited = 0;
  while (!free.empty()) {
    const std::uint32_t task = free.back();
    free.pop_back();
    ++visited;
    for (const std::uint32_t dependant : calls[task].dependants) {
      if (--missing[dependant] == 0) {
        free.push_back(dependant);
      }
    }
  }
  return visited != calls.size();
}

Result<> connect_tasks(CompiledTemplate& out) {
  const auto continue_on = [&](std::string_view task) -> std::optional<lang::ContinueOn> {
    const auto found = out.numbers.find(std::string(task));
    if (found == out.numbers.end()) {
      return std::nullopt;
    }
    const auto& wanted = out.calls[found->second].call->continue_on;
    return wanted ? lang::ContinueOn{wanted->error, wanted->failed} : lang::ContinueOn{};
  };
  for (std::uint32_t i = 0; i < out.calls.size(); ++i) {
    CompiledCall& task = out.calls[i];
    if (!task.call->depends.empty()) {
      TRY(task.depends, lang::Depends::parse(task.call->depends, continue_on));
    } else if (!task.call->dependencies.empty()) {
      TRY(task.depends, lang::Depends::all_of(task.call->dependencies, continue_on));
    }
    for (const std::string& name : task.depends.dependencies()) {
      const auto found = out.numbers.find(name);
      if (found == out.numbers.end()) {
        return fail(ErrorCode::bad_request, "target " + name + " does not exist");
      }
      task.dependencies.push_back(found->second);
      out.calls[found->second].dependants.push_back(i);
    }
  }
  if (has_cycle(out.calls)) {
    return fail(ErrorCode::bad_request,
                "template '" + out.definition.name + "': dependency cycle detected");
  }
  return {};
}

Result<> compile_calls(CompiledTemplate& out, const Arguments& workflow_arguments) {
  const Template& definition = out.definition;
  for (const auto& group : definition.steps) {
    const auto first = static_cast<std::uint32_t>(out.calls.size());
    for (const Call& step : group) {
      TRY(out.calls.emplace_back(), compile_call(step, workflow_arguments));
    }
    out.groups.emplace_back(first, static_cast<std::uint32_t>(out.calls.size()));
  }
  if (definition.dag) {
    for (const Call& task : definition.dag->tasks) {
      TRY(out.calls.emplace_back(), compile_call(task, workflow_arguments));
    }
  }
  for (std::uint32_t i = 0; i < out.calls.size(); ++i) {
    out.numbers.emplace(out.calls[i].call->name, i);
    out.has_hooks = out.has_hooks || out.calls[i].has_hooks;
  }
  if (definition.dag) {
    TRY_VOID(connect_tasks(out));
  }
  for (CompiledCall& call : out.calls) {
    find_mentions(doc::to_json(call.call->document, {.escape_html = false}), out.numbers,
                  call.mentions);
  }
  return {};
}

Result<> compile_texts(CompiledTemplate& out) {
  const Template& definition = out.definition;
  const doc::Value& document = definition.document;
  if (definition.is_pod()) {
    TRY(out.body, TagText::parse(json_without(document, {"inputs"})));
  }
  TRY(out.outputs, TagText::parse(json_member(document, "outputs")));
  TRY(out.retry, TagText::parse(json_member(document, "retryStrategy")));
  TRY(out.suspend, TagText::parse(json_member(document, "suspend")));
  TRY(out.timeouts, TagText::parse(json_of_members(
                        document, {"timeout", "pendingTimeout", "activeDeadlineSeconds"})));
  if (definition.has_synchronization || definition.has_memoize) {
    TRY(out.gate, TagText::parse(json_of_members(document, {"synchronization", "memoize"})));
  }
  if (definition.dag) {
    TRY(out.target, TagText::parse(json_string(definition.dag->target)));
  }
  const auto display = definition.annotations.find("workflows.argoproj.io/display-name");
  if (display != definition.annotations.end()) {
    TRY(out.display_name, TagText::parse(json_string(display->second)));
  }
  const std::string json = doc::to_json(document, {.escape_html = false});
  if (!out.calls.empty()) {
    out.result_names = find_result_names(json);
    find_mentions(out.outputs.text(), out.numbers, out.output_mentions);
  }
  out.reads_input_list = json.contains("inputs.parameters}") ||
                         json.contains("inputs.parameters ") || json.contains("toJson(inputs");
  return {};
}

/// The calls are compiled; what was written of them is not needed again.
void drop_call_documents(Template& definition) {
  for (auto& group : definition.steps) {
    for (Call& step : group) {
      step.document = nullptr;
    }
  }
  if (definition.dag) {
    for (Call& task : definition.dag->tasks) {
      task.document = nullptr;
    }
  }
  if (definition.document.is_object()) {
    definition.document.get_object().erase("steps");
    definition.document.get_object().erase("dag");
  }
}

void add_pod_metadata(doc::Value& document, const PodMetadata& metadata) {
  const auto add = [&](std::string_view key, const std::map<std::string, std::string>& entries) {
    if (entries.empty()) {
      return;
    }
    doc::Value& own = document.as_object()["metadata"];
    if (!own.is_object()) {
      own.emplace_object();
    }
    doc::Value& target = own.as_object()[{key.data(), key.size()}];
    if (!target.is_object()) {
      target.emplace_object();
    }
    for (const auto& [name, value] : entries) {
      target.as_object().emplace(name, doc::Value(value));
    }
  };
  add("annotations", metadata.annotations);
  add("labels", metadata.labels);
}

TemplateBase base_from(std::string kind, std::string name, const WorkflowSpec& spec,
                       std::deque<doc::Value>& documents) {
  TemplateBase base;
  base.scope = kind + "/" + name;
  base.kind = std::move(kind);
  base.name = std::move(name);
  base.pod_metadata = spec.pod_metadata;
  for (const Template& definition : spec.templates) {
    base.templates.emplace(definition.name, &documents.emplace_back(definition.document));
  }
  return base;
}

/// The id under which a called template is frozen, or "" for the Workflow's own templates.
std::string stored_id(const TemplateBase& caller, const Call& call) {
  if (call.template_ref) {
    return std::string(call.template_ref->cluster_scope ? "cluster/" : "namespaced/") +
           call.template_ref->name + "/" + call.template_ref->template_name;
  }
  if (caller.kind == "local") {
    return {};
  }
  if (call.inline_template) {
    return caller.scope + "/inline/" + call.name;
  }
  return caller.scope + "/" + call.template_name;
}

}  // namespace

void Catalog::set_workflow(std::string_view workflow_name, const WorkflowSpec& spec,
                           const doc::Value* stored) {
  if (stored != nullptr && stored->is_object()) {
    stored_ = *stored;
  } else {
    stored_.emplace_object();
  }
  if (const doc::Value* defaults = doc::find(spec.document, "templateDefaults")) {
    defaults_ = *defaults;
  }
  workflow_arguments_ = spec.arguments;
  bases_.push_back(base_from("local", std::string(workflow_name), spec, documents_));
}

Result<const TemplateBase*> Catalog::base_of(std::string_view scope) {
  for (const TemplateBase& base : bases_) {
    if (base.scope == scope) {
      return &base;
    }
  }
  const std::size_t slash = scope.find('/');
  TemplateRef reference;
  reference.cluster_scope = scope.starts_with("cluster/");
  reference.name = slash == std::string_view::npos ? scope : scope.substr(slash + 1);
  return referenced_base(reference);
}

Result<const TemplateBase*> Catalog::referenced_base(const TemplateRef& reference) {
  const std::string kind = reference.cluster_scope ? "cluster" : "namespaced";
  const std::string scope = kind + "/" + reference.name;
  for (const TemplateBase& base : bases_) {
    if (base.scope == scope) {
      return &base;
    }
  }
  const doc::Value* document = reference.cluster_scope
                                   ? references_.cluster_workflow_template(reference.name)
                                   : references_.workflow_template(reference.name);
  if (document == nullptr) {
    return fail(ErrorCode::not_found, "workflow template " + reference.name + " not found");
  }
  TRY(auto manifest, decode_manifest(*document));
  bases_.push_back(base_from(kind, reference.name, manifest.spec, documents_));
  return &bases_.back();
}

void Catalog::store(const std::string& id, const doc::Value& document) {
  if (stored_.as_object().emplace(id, document).second) {
    stored_changed_ = true;
  }
}

void Catalog::store_inline(const TemplateBase& base, const doc::Value& document) {
  const auto visit = [&](const doc::Value& call) {
    const doc::Value* body = doc::find(call, "inline");
    if (body != nullptr && body->is_object()) {
      store(base.scope + "/inline/" + std::string(doc::find_string(call, "name")), *body);
    }
  };
  if (const doc::Value* steps = doc::find(document, "steps"); steps && steps->is_array()) {
    for (const doc::Value& group : steps->get_array()) {
      if (group.is_array()) {
        for (const doc::Value& step : group.get_array()) {
          visit(step);
        }
      }
    }
  }
  const doc::Value* dag = doc::find(document, "dag");
  const doc::Value* tasks = dag == nullptr ? nullptr : doc::find(*dag, "tasks");
  if (tasks != nullptr && tasks->is_array()) {
    for (const doc::Value& task : tasks->get_array()) {
      visit(task);
    }
  }
}

Result<doc::Value> Catalog::find_template(const TemplateBase& base, const TemplateBase& caller,
                                          const Call& call) {
  const std::string id = stored_id(caller, call);
  if (!id.empty()) {
    if (const doc::Value* found = stored_.as_object().if_contains(id)) {
      return *found;
    }
  }
  const std::string& name =
      call.template_ref ? call.template_ref->template_name : call.template_name;
  doc::Value document;
  if (call.inline_template) {
    document = call.inline_template->document;
  } else {
    const auto found = base.templates.find(name);
    if (found == base.templates.end()) {
      return fail(ErrorCode::not_found, call.template_ref ? "template " + name +
                                                                " not found in workflow template " +
                                                                call.template_ref->name
                                                          : "template " + name + " not found");
    }
    document = *found->second;
  }
  if (!call.inline_template) {
    add_pod_metadata(document, base.pod_metadata);
  }
  if (!id.empty()) {
    store(id, document);
    store_inline(base, document);
  }
  return document;
}

Result<const CompiledTemplate*> Catalog::resolve(const TemplateBase& caller, const Call& call) {
  const TemplateBase* base = &caller;
  if (call.template_ref) {
    TRY(base, referenced_base(*call.template_ref));
  }
  if (call.inline_template) {
    if (const auto found = by_inline_.find(call.inline_template.get()); found != by_inline_.end()) {
      return found->second;
    }
    TRY(const doc::Value document, find_template(*base, caller, call));
    TRY(const CompiledTemplate* compiled, compile(document, *base));
    by_inline_.emplace(call.inline_template.get(), compiled);
    return compiled;
  }
  const std::string& name =
      call.template_ref ? call.template_ref->template_name : call.template_name;
  if (name.empty()) {
    return fail(ErrorCode::internal, "failed to get a template");
  }
  const std::string key = base->scope + "/" + name;
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    return found->second;
  }
  TRY(const doc::Value document, find_template(*base, caller, call));
  TRY(const CompiledTemplate* compiled, compile(document, *base));
  by_key_.emplace(key, compiled);
  return compiled;
}

Result<const CompiledTemplate*> Catalog::compile(const doc::Value& document,
                                                 const TemplateBase& base) {
  CompiledTemplate out;
  out.base = &base;
  TRY(out.definition, decode_template(document));
  if (!defaults_.is_null()) {
    TRY(auto merged, merge_template_defaults(document, defaults_, out.definition.type));
    TRY(out.definition, decode_template(merged));
  }
  if (out.definition.type == TemplateType::unknown) {
    return fail(ErrorCode::bad_request, "template '" + out.definition.name + "' type is unknown");
  }
  TRY_VOID(compile_calls(out, workflow_arguments_));
  TRY_VOID(compile_texts(out));
  drop_call_documents(out.definition);
  return &compiled_.emplace_back(std::move(out));
}

}  // namespace tiphys::workflows
