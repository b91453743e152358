#include "lang/tags/tag_text.h"
#include "workflows/engine/machine.h"
#include "workflows/engine/pod.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

constexpr std::string_view kAbsentArgument = "__argo-internal.absent-optional-output__";

/// The key of a value that is nothing but one reference, or "".
std::string_view pure_reference(std::string_view value) {
  if (!value.starts_with("{{") || !value.ends_with("}}") || value.size() < 4) {
    return {};
  }
  value = value.substr(2, value.size() - 4);
  if (value.contains("{{") || value.contains("}}")) {
    return {};
  }
  const std::size_t first = value.find_first_not_of(" \t\n\r");
  if (first == std::string_view::npos) {
    return {};
  }
  return value.substr(first, value.find_last_not_of(" \t\n\r") - first + 1);
}

Result<std::string> string_of_json(std::string_view json) {
  TRY(auto value, doc::parse_json(json));
  return std::string(doc::text_of(value.as_string()));
}

}  // namespace

/// `scope` is the frame's with the results of other steps on top.
Result<std::string> Engine::Machine::substitute(const Scope& scope, const BoundaryFrame& frame,
                                                const TagText& text, Strictness strictness) const {
  if (!text.has_tags()) {
    return text.text();
  }
  TRY(auto merged, text.replace(scope, strictness));
  if (!merged.contains("{{")) {
    return merged;
  }
  // Something inserted may hold tags itself: substitute in upstream's order, pass by pass.
  TRY(auto first, text.replace(frame.locals, Strictness::lenient));
  TRY(auto second, replace_tags(std::move(first), frame.inputs, Strictness::lenient));
  return replace_tags(std::move(second), scope, strictness);
}

/// Arguments that are nothing but a reference to an absent output count as not supplied. True when
/// there are any.
bool Engine::Machine::mark_absent(Arguments& arguments, const Scope& scope) {
  bool any_absent = false;
  for (Parameter& parameter : arguments.parameters) {
    const std::string_view key =
        parameter.value ? pure_reference(*parameter.value) : std::string_view();
    const lang::ExprValue* found = key.empty() ? nullptr : scope.find(key);
    if (found != nullptr && found->is_nil()) {
      parameter.value = kAbsentArgument;
      any_absent = true;
    }
  }
  return any_absent;
}

Result<TagText> Engine::Machine::resolved_arguments(const Scope& scope, const BoundaryFrame& frame,
                                                    const CompiledCall& call) const {
  Arguments marked = call.call->arguments;
  if (!mark_absent(marked, scope)) {
    TRY(auto text, substitute(scope, frame, call.arguments, Strictness::steps_and_tasks));
    return TagText::parse(std::move(text));
  }
  TRY(auto changed, TagText::parse(doc::to_json(encode_inputs(marked), {.escape_html = false})));
  TRY(auto text, substitute(scope, frame, changed, Strictness::steps_and_tasks));
  return TagText::parse(std::move(text));
}

Result<bool> Engine::Machine::plan_condition(const Scope& scope, const BoundaryFrame& frame,
                                             Plan& plan) const {
  const Call& call = *plan.call->call;
  if (call.when.empty()) {
    return true;
  }
  TRY(auto json, substitute(scope, frame, plan.call->when, Strictness::steps_and_tasks));
  TRY(plan.when, string_of_json(json));
  auto proceed = should_execute(plan.when);
  if (!proceed && call.is_loop()) {
    return true;  // it probably names the item, which is not known yet
  }
  return proceed;
}

Result<> Engine::Machine::plan_arguments(const Scope& scope, BoundaryFrame& frame, Plan& plan) {
  const Call& call = *plan.call->call;
  if (!plan.call->arguments.has_tags() && call.arguments.artifacts.empty() && !call.is_loop()) {
    plan.arguments = call.arguments;
    return {};
  }
  TRY(auto text, resolved_arguments(scope, frame, *plan.call));
  if (!text.text().empty() && (!call.is_loop() || !call.arguments.artifacts.empty())) {
    TRY(auto value, doc::parse_json(text.text()));
    TRY(auto decoded, decode_arguments(value, "arguments"));
    Scope artifacts(&scope);
    if (!decoded.artifacts.empty()) {
      add_artifacts(artifacts, frame, &plan.call->mentions);
    }
    TRY(plan.arguments, resolve_artifacts(std::move(decoded), artifacts));
    if (call.is_loop()) {
      TRY(text,
          TagText::parse(doc::to_json(encode_inputs(plan.arguments), {.escape_html = false})));
    }
  }
  plan.item_arguments = std::move(text);
  return {};
}

/// What a step or task calls, with references resolved: when, arguments, artifacts, template.
Result<Plan> Engine::Machine::make_plan(BoundaryFrame& frame, std::uint32_t number) {
  Plan plan;
  plan.number = number;
  plan.call = &frame.compiled->calls[number];
  const Call& call = *plan.call->call;
  plan.target.name = call.name;
  plan.target.template_name = call.template_name;
  plan.target.template_ref = call.template_ref;
  plan.target.inline_template = call.inline_template;
  Scope scope(&frame.inputs);
  add_call_variables(scope, frame, &plan.call->mentions);
  TRY(const bool proceed, plan_condition(scope, frame, plan));
  plan.when_false = !proceed;
  if (plan.when_false) {
    plan.loop = plan.call->loop;
    return plan;
  }
  TRY_VOID(plan_arguments(scope, frame, plan));
  if (plan.call->template_ref.has_tags()) {
    TRY(auto target,
        substitute(scope, frame, plan.call->template_ref, Strictness::steps_and_tasks));
    TRY(auto value, doc::parse_json(target));
    TRY(auto named, decode_call(value));
    plan.target.template_name = named.template_name;
    plan.target.template_ref = named.template_ref;
    TRY(plan.item_template, TagText::parse(std::move(target)));
  }
  if (call.is_loop()) {
    TRY(auto loop, substitute(scope, frame, plan.call->loop, Strictness::steps_and_tasks));
    TRY(plan.loop, TagText::parse(std::move(loop)));
  }
  return plan;
}

Result<Arguments> Engine::Machine::resolve_artifacts(Arguments arguments,
                                                     const Scope& scope) const {
  std::vector<Artifact> kept;
  for (Artifact& artifact : arguments.artifacts) {
    if (artifact.from.empty() && artifact.from_expression.empty()) {
      kept.push_back(std::move(artifact));
      continue;
    }
    auto resolved = resolve_artifact(artifact, scope);
    if (!resolved) {
      if (artifact.optional) {
        continue;
      }
      return std::unexpected(std::move(resolved).error());
    }
    resolved->name = artifact.name;
    kept.push_back(std::move(*resolved));
  }
  arguments.artifacts = std::move(kept);
  return arguments;
}

Result<Artifact> Engine::Machine::resolve_artifact(const Artifact& artifact,
                                                   const Scope& scope) const {
  Artifact out;
  if (!artifact.from_expression.empty()) {
    TRY(out, evaluate_artifact(artifact.from_expression, scope));
  } else {
    TRY(auto resolved, lang::resolve_tag(artifact.from, scope));
    auto found = artifact_of(resolved.value);
    if (!found) {
      return fail(ErrorCode::bad_request, "Variable {{" + resolved.tag + "}} is not an artifact");
    }
    out = std::move(*found);
  }
  if (!artifact.sub_path.empty()) {
    std::string json;
    doc::append_json_string(json, artifact.sub_path);
    TRY(auto replaced, replace_tags(std::move(json), scope, Strictness::lenient));
    TRY(auto sub_path, string_of_json(replaced));
    auto appended = append_to_key(out.location, sub_path);
    if (!appended && !out.optional) {
      return std::unexpected(std::move(appended).error());
    }
  }
  return out;
}

/// The results a loop's elements see. They are gathered once, not for each element: a list from
/// which a loop is made may be as long as the loop. `own` is an empty layer over the frame's
/// inputs.
const Scope& Engine::Machine::results_for(BoundaryFrame& frame, Plan& plan, Scope& own) {
  if (plan.results != nullptr) {
    return *plan.results;
  }
  if (plan.call->mentions.all) {
    add_call_variables(own, frame, &plan.call->mentions);
    return own;
  }
  auto made = std::make_shared<Scope>(&frame.inputs);
  add_call_variables(*made, frame, &plan.call->mentions);
  plan.results = std::move(made);
  return *plan.results;
}

/// Finds the elements of a plan's loop; a plan without one stays as it is.
Result<> Engine::Machine::expand_plan(BoundaryFrame& frame, Plan& plan) {
  if (!plan.call->call->is_loop()) {
    return {};
  }
  TRY(auto document, doc::parse_json(plan.loop.text()));
  TRY(auto call, decode_call(document));
  auto items = LoopItems::of(call);
  if (!items) {
    const auto must_run = should_execute(plan.when);
    if (!must_run || *must_run) {
      return std::unexpected(std::move(items).error());
    }
    plan.count = 0;
    return {};
  }
  plan.items = std::move(*items);
  plan.count = plan.items->size();
  if (!plan.when.empty()) {
    std::string json;
    doc::append_json_string(json, plan.when);
    TRY(plan.item_when, TagText::parse(std::move(json)));
  }
  // An element whose tags do not resolve fails the whole loop before anything of it has started.
  Scope own(&frame.inputs);
  const Scope& scope = results_for(frame, plan, own);
  for (std::size_t i = 0; i < plan.count; ++i) {
    TRY(auto checked, loop_call(scope, plan, i));
  }
  return {};
}

/// One element's call: its name, condition, template and arguments with the item filled in.
Result<Engine::Machine::LoopCall> Engine::Machine::loop_call(const Scope& scope, const Plan& plan,
                                                             std::size_t index) const {
  LoopCall out;
  Scope item(&scope);
  TRY(out.name, plan.items->item(plan.target.name, index, item));
  if (plan.when_false) {
    out.when = plan.when;
    return out;
  }
  if (!plan.item_when.text().empty()) {
    TRY(auto when, plan.item_when.replace(item, Strictness::all));
    TRY(out.when, string_of_json(when));
  }
  if (!plan.item_arguments.text().empty()) {
    TRY(auto text, plan.item_arguments.replace(item, Strictness::all));
    TRY(auto value, doc::parse_json(text));
    TRY(out.arguments, decode_arguments(value, "arguments"));
  }
  if (plan.item_template.has_tags()) {
    TRY(auto text, plan.item_template.replace(item, Strictness::all));
    TRY(auto value, doc::parse_json(text));
    TRY(auto named, decode_call(value));
    out.template_ref = named.template_ref;
  }
  return out;
}

/// After a restore some of a plan's nodes are there already. True when that leaves nothing to
/// start.
bool Engine::Machine::skip_existing(BoundaryFrame& frame, Plan& plan, std::string_view prefix) {
  Scope own(&frame.inputs);
  const Scope& scope = results_for(frame, plan, own);
  while (!plan.exhausted()) {
    std::string name = plan.target.name;
    if (plan.items) {
      Scope item(&scope);
      auto found = plan.items->item(plan.target.name, plan.next, item);
      name = found ? std::move(*found) : std::string();
    }
    if (!nodes_->find_name(std::string(prefix) + name)) {
      return false;
    }
    ++plan.next;
  }
  return true;
}

/// Starts the next node of a plan. `skeleton` has everything but name, call and arguments. An error
/// is that of the element's condition; its node exists then.
Result<Launched> Engine::Machine::launch_next(BoundaryFrame& frame, Plan& plan, Launch skeleton,
                                              std::string_view prefix) {
  LoopCall element;
  Call target = plan.target;
  if (plan.skips_existing && skip_existing(frame, plan, prefix)) {
    return Launched::nothing;
  }
  if (plan.items) {
    Scope own(&frame.inputs);
    const Scope& scope = results_for(frame, plan, own);
    TRY(element, loop_call(scope, plan, plan.next));
    target.name = element.name;
    if (element.template_ref) {
      target.template_ref = element.template_ref;
    }
  } else {
    element.when = plan.when;
  }
  skeleton.name = std::string(prefix) + target.name;
  skeleton.call = &target;
  skeleton.call_name = target.name;
  skeleton.arguments = plan.items ? &element.arguments : &plan.arguments;
  const auto proceed = should_execute(element.when);
  if (!proceed) {
    error_node(skeleton, proceed.error().message, false);
    ++plan.next;
    return std::unexpected(proceed.error());
  }
  if (!*proceed) {
    skipped_node(skeleton, NodePhase::skipped, "when '" + element.when + "' evaluated false");
    ++plan.next;
    return Launched::started;
  }
  const Launched launched = launch(skeleton);
  if (launched == Launched::started) {
    ++plan.next;
  }
  return launched;
}

}  // namespace tiphys::workflows
