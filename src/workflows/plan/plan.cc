#include "workflows/plan/plan.h"

#include "lang/gotext/gotext.h"
#include "workflows/engine/catalog.h"
#include "workflows/engine/globals.h"
#include "workflows/plan/condition.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace tiphys::workflows {
namespace {

/// Calls inside calls that are unfolded; the engine's own limit ends runs before.
constexpr std::size_t kMaximumDepth = 100;

bool is_known(std::string_view text) { return !text.contains("{{"); }

Certainty weaker(Certainty a, Certainty b) { return std::max(a, b); }

std::string text_of_json_string(std::string_view json) {
  const auto value = doc::parse_json(json);
  return value && value->is_string() ? std::string(doc::text_of(value->get_string()))
                                     : std::string(json);
}

/// `text` with what is known filled in; as it is when that breaks it.
std::string filled(const TagText& text, const Scope& scope) {
  auto out = text.replace(scope, Strictness::lenient);
  return out ? std::move(*out) : text.text();
}

/// The text inside a JSON document of one member that a TagText holds, such as a `when`.
std::string filled_string(const TagText& text, const Scope& scope) {
  return text.text().empty() ? std::string() : text_of_json_string(filled(text, scope));
}

const Parameter* find_parameter(const std::vector<Parameter>& list, std::string_view name) {
  const auto found = std::ranges::find(list, name, &Parameter::name);
  return found == list.end() ? nullptr : &*found;
}

/// Tags of inputs that are not known, and the texts they were given as.
using Origins = std::map<std::string, std::string>;

class Planner {
 public:
  Planner(const Engine& engine, const References& references)
      : engine_(engine), references_(references) {}

  RunPlan run() {
    RunPlan out;
    out.workflow = engine_.metadata().name;
    const WorkflowSpec& spec = engine_.spec();
    Call entry;
    entry.name = out.workflow;
    entry.template_name = spec.entrypoint;
    out.entry.name = out.workflow;
    call(out.entry, entry, spec.arguments, *engine_.catalog().local());
    plan_hooks(out.hooks, spec);
    for (const PlannedNode& hook : out.hooks) {
      count(hook, out);
    }
    count(out.entry, out);
    out.cut = cut_;
    return out;
  }

 private:
  void plan_hooks(std::vector<PlannedNode>& out, const WorkflowSpec& spec) {
    if (!spec.on_exit.empty() && !spec.hooks.contains("exit")) {
      Call handler;
      handler.template_name = spec.on_exit;
      PlannedNode node;
      node.name = "onExit";
      node.is_hook = true;
      call(node, handler, spec.arguments, *engine_.catalog().local());
      out.push_back(std::move(node));
    }
    for (const auto& [name, hook] : spec.hooks) {
      const Arguments& arguments = hook.has_arguments ? hook.arguments : spec.arguments;
      out.push_back(planned_hook(name == "exit" ? "onExit" : "hooks." + name, hook, arguments,
                                 *engine_.catalog().local(), Certainty::will));
    }
  }

  PlannedNode planned_hook(std::string name, const Hook& hook, const Arguments& arguments,
                           const TemplateBase& base, Certainty certainty) {
    PlannedNode node;
    node.name = std::move(name);
    node.is_hook = true;
    node.when = hook.expression;
    node.certainty = hook.expression.empty() ? certainty : weaker(certainty, Certainty::may);
    Call target;
    target.template_name = hook.template_name;
    target.template_ref = hook.template_ref;
    call(node, target, arguments, base);
    return node;
  }

  static void count(const PlannedNode& node, RunPlan& out) {
    if (node.is_leaf()) {
      out.will_run += node.certainty == Certainty::will ? 1 : 0;
      out.may_run += node.certainty == Certainty::may ? 1 : 0;
    }
    for (const PlannedNode& child : node.children) {
      count(child, out);
    }
  }

  /// The value an input will have, or nothing while it depends on what has not run.
  std::optional<std::string> input_value(const Parameter& declared,
                                         const Arguments& arguments) const {
    std::optional<std::string> value = declared.value ? declared.value : declared.default_value;
    const ValueFrom* source = declared.value_from ? &*declared.value_from : nullptr;
    if (const Parameter* given = find_parameter(arguments.parameters, declared.name)) {
      if (given->value) {
        return given->value;
      }
      source = given->value_from ? &*given->value_from : source;
    }
    if (source != nullptr && source->config_map_key) {
      auto read =
          config_map_value(references_, source->config_map_key->name, source->config_map_key->key);
      return read ? std::optional(std::move(*read)) : source->default_value;
    }
    return value;
  }

  void set_inputs(PlannedNode& node, const CompiledTemplate& compiled, const Arguments& arguments,
                  Scope& inputs, Origins& unknown) const {
    for (const Parameter& declared : compiled.definition.inputs.parameters) {
      const auto value = input_value(declared, arguments);
      node.parameters.emplace_back(declared.name, value.value_or("?"));
      if (!value) {
        node.problem = "inputs.parameters." + declared.name + " was not supplied";
      } else if (is_known(*value)) {
        inputs.set("inputs.parameters." + declared.name, *value);
      } else {
        unknown["{{inputs.parameters." + declared.name + "}}"] = *value;
      }
    }
    for (const Artifact& artifact : compiled.definition.inputs.artifacts) {
      if (!artifact.path.empty()) {
        inputs.set("inputs.artifacts." + artifact.name + ".path", artifact.path);
      }
    }
  }

  /// A text with the inputs that are not known replaced by where they come from.
  std::string traced(std::string text) const {
    for (const auto& [tag, origin] : origins_) {
      for (std::size_t at = text.find(tag); at != std::string::npos;
           at = text.find(tag, at + origin.size())) {
        text.replace(at, tag.size(), origin);
      }
    }
    return text;
  }

  Arguments traced(Arguments arguments) const {
    for (Parameter& parameter : arguments.parameters) {
      if (parameter.value) {
        parameter.value = traced(std::move(*parameter.value));
      }
    }
    return arguments;
  }

  /// Fills `node` with what the call leads to.
  void call(PlannedNode& node, const Call& target, const Arguments& arguments,
            const TemplateBase& base) {
    if (++planned_ > kMaximumPlanned) {
      cut_ = true;
      return;
    }
    const auto compiled = engine_.catalog().resolve(base, target);
    if (!compiled) {
      node.problem = compiled.error().message;
      node.template_name = target.template_name;
      return;
    }
    const Template& definition = (*compiled)->definition;
    node.template_name = target.inline_template ? std::string() : definition.name;
    node.template_scope =
        (*compiled)->base->kind == "local" ? std::string() : (*compiled)->base->scope;
    node.type = name_of(definition.type);
    Scope inputs(&engine_.variables());
    Origins unknown;
    set_inputs(node, **compiled, traced(arguments), inputs, unknown);
    set_attempts(node, **compiled, inputs);
    if (!node.problem.empty() || node.certainty == Certainty::never) {
      return;
    }
    const auto same = std::ranges::count(stack_, *compiled);
    if ((same > 0 && node.certainty == Certainty::may) || stack_.size() >= kMaximumDepth) {
      node.repeats_itself = true;
      return;
    }
    stack_.push_back(*compiled);
    std::swap(origins_, unknown);
    if (definition.type == TemplateType::steps) {
      plan_steps(node, **compiled, inputs);
    } else if (definition.type == TemplateType::dag) {
      plan_dag(node, **compiled, inputs);
    } else if (const doc::Value* image = doc::find(definition.body, "image");
               image != nullptr && image->is_string()) {
      std::string json;
      doc::append_json_string(json, doc::text_of(image->get_string()));
      auto text = replace_tags(json, inputs, Strictness::lenient);
      node.image = text_of_json_string(text ? *text : json);
    }
    std::swap(origins_, unknown);
    stack_.pop_back();
  }

  void set_attempts(PlannedNode& node, const CompiledTemplate& compiled, const Scope& inputs) {
    if (!compiled.definition.retry_strategy) {
      return;
    }
    node.attempts = "any number of";
    if (compiled.retry.text().empty()) {
      return;
    }
    const auto document = doc::parse_json(filled(compiled.retry, inputs));
    const auto strategy = document ? decode_retry_strategy(*document)
                                   : Result<RetryStrategy>(std::unexpected(document.error()));
    if (strategy && strategy->limit) {
      const auto limit = lang::parse_integer(*strategy->limit, 10);
      node.attempts = limit ? std::to_string(*limit + 1) : *strategy->limit + " + 1";
    }
  }

  /// One step or task: a node, or one for each element when it is a loop over what is known.
  std::vector<PlannedNode> plan_call(const CompiledCall& compiled, const CompiledTemplate& around,
                                     const Scope& scope, Certainty certainty) {
    std::vector<PlannedNode> out;
    const Call& target = *compiled.call;
    if (!target.is_loop()) {
      out.push_back(plan_element(compiled, around, scope, target.name, certainty));
      return out;
    }
    const std::string loop = filled(compiled.loop, scope);
    auto items = loop_of(loop);
    if (!items) {
      PlannedNode node = plan_element(compiled, around, scope, target.name + "(?)",
                                      weaker(certainty, Certainty::may));
      if (is_known(loop)) {
        node.problem = items.error().message;
      } else {
        node.loops_over = traced(loop_source(loop));
      }
      out.push_back(std::move(node));
      return out;
    }
    for (std::size_t i = 0; i < items->size() && !cut_; ++i) {
      Scope item(&scope);
      auto name = items->item(target.name, i, item);
      out.push_back(plan_element(compiled, around, item, name ? *name : target.name, certainty));
      if (!name) {
        out.back().problem = name.error().message;
        return out;
      }
    }
    return out;
  }

  static Result<LoopItems> loop_of(const std::string& loop) {
    if (!is_known(loop)) {
      return fail(ErrorCode::invalid, "not known yet");
    }
    TRY(auto document, doc::parse_json(loop));
    TRY(auto call, decode_call(document));
    return LoopItems::of(call);
  }

  /// What an unknown loop goes over, as a person would write it.
  static std::string loop_source(const std::string& loop) {
    const auto document = doc::parse_json(loop);
    if (!document) {
      return loop;
    }
    for (const std::string_view key : {"withParam", "withItems", "withSequence"}) {
      if (const doc::Value* value = doc::find(*document, key)) {
        return value->is_string() ? std::string(doc::text_of(value->get_string()))
                                  : doc::to_json(*value, {.escape_html = false});
      }
    }
    return loop;
  }

  PlannedNode plan_element(const CompiledCall& compiled, const CompiledTemplate& around,
                           const Scope& scope, std::string name, Certainty certainty) {
    PlannedNode node;
    node.name = std::move(name);
    node.when = filled_string(compiled.when, scope);
    const auto decided = decide(node.when);
    node.certainty = weaker(certainty, decided ? *decided : Certainty::never);
    if (!decided) {
      node.problem = decided.error().message;
    }
    node.when = traced(std::move(node.when));
    Call target = *compiled.call;
    if (compiled.template_ref.has_tags()) {
      const auto document = doc::parse_json(filled(compiled.template_ref, scope));
      const auto named =
          document ? decode_call(*document) : Result<Call>(std::unexpected(document.error()));
      if (named) {
        target.template_name = named->template_name;
        target.template_ref = named->template_ref;
      }
    }
    if (is_unknown_target(target)) {
      node.template_name =
          target.template_ref ? target.template_ref->template_name : target.template_name;
      node.certainty = weaker(node.certainty, Certainty::may);
      return node;
    }
    call(node, target, arguments_of(compiled, scope), *around.base);
    return node;
  }

  static bool is_unknown_target(const Call& target) {
    return !is_known(target.template_name) ||
           (target.template_ref && (!is_known(target.template_ref->name) ||
                                    !is_known(target.template_ref->template_name)));
  }

  static Arguments arguments_of(const CompiledCall& compiled, const Scope& scope) {
    if (compiled.arguments.text().empty()) {
      return compiled.call->arguments;
    }
    const auto document = doc::parse_json(filled(compiled.arguments, scope));
    auto decoded = document ? decode_arguments(*document)
                            : Result<Arguments>(std::unexpected(document.error()));
    return decoded ? std::move(*decoded) : compiled.call->arguments;
  }

  /// Appends what one call became, and its hooks.
  void append(PlannedNode& parent, std::vector<PlannedNode> nodes, const CompiledCall& compiled,
              const CompiledTemplate& around) {
    for (PlannedNode& node : nodes) {
      const Certainty certainty = node.certainty;
      const std::string name = node.name;
      const auto group = node.group;
      parent.children.push_back(std::move(node));
      if (certainty == Certainty::never) {
        continue;
      }
      if (compiled.exit_hook) {
        parent.children.push_back(planned_hook(name + ".onExit", *compiled.exit_hook,
                                               compiled.exit_hook->arguments, *around.base,
                                               certainty));
        parent.children.back().group = group;
      }
      for (const auto& [hook_name, hook] : compiled.call->hooks) {
        if (hook_name != "exit") {
          parent.children.push_back(planned_hook(name + ".hooks." + hook_name, hook, hook.arguments,
                                                 *around.base, certainty));
          parent.children.back().group = group;
        }
      }
    }
  }

  void plan_steps(PlannedNode& node, const CompiledTemplate& compiled, const Scope& inputs) {
    for (std::uint32_t group = 0; group < compiled.groups.size(); ++group) {
      const auto [first, end] = compiled.groups[group];
      for (std::uint32_t number = first; number < end && !cut_; ++number) {
        const CompiledCall& step = compiled.calls[number];
        auto planned = plan_call(step, compiled, inputs, node.certainty);
        for (PlannedNode& child : planned) {
          child.group = group;
        }
        append(node, std::move(planned), step, compiled);
      }
    }
  }

  void plan_dag(PlannedNode& node, const CompiledTemplate& compiled, const Scope& inputs) {
    const auto order = task_order(compiled, filled_string(compiled.target, inputs));
    if (!order) {
      node.problem = order.error().message;
      return;
    }
    std::vector<TaskExpectation> expected(compiled.calls.size());
    std::vector<std::vector<std::uint32_t>> places(compiled.calls.size());
    for (const std::uint32_t number : *order) {
      const CompiledCall& task = compiled.calls[number];
      const auto starts = expect(task.depends, [&](std::string_view name) {
        const auto found = compiled.numbers.find(std::string(name));
        return found == compiled.numbers.end() ? TaskExpectation{} : expected[found->second];
      });
      auto planned = plan_call(task, compiled, inputs, weaker(node.certainty, starts));
      expected[number] = expectation_of(planned, starts);
      const std::size_t base = node.children.size();
      for (PlannedNode& child : planned) {
        child.depends = task.call->depends;
        for (const std::uint32_t before : task.dependencies) {
          child.after.insert(child.after.end(), places[before].begin(), places[before].end());
        }
      }
      append(node, std::move(planned), task, compiled);
      for (std::size_t i = base; i < node.children.size(); ++i) {
        if (!node.children[i].is_hook) {
          places[number].push_back(static_cast<std::uint32_t>(i));
        }
      }
    }
  }

  static TaskExpectation expectation_of(const std::vector<PlannedNode>& planned, Certainty starts) {
    TaskExpectation out;
    out.can_be_omitted = starts != Certainty::will;
    out.can_run = false;
    for (const PlannedNode& node : planned) {
      out.can_run = out.can_run || node.certainty != Certainty::never;
      out.can_be_skipped = out.can_be_skipped || node.certainty != Certainty::will;
    }
    if (planned.empty()) {
      out.can_be_skipped = true;  // a loop over nothing
    }
    out.can_be_skipped = out.can_be_skipped && starts != Certainty::never;
    return out;
  }

  const Engine& engine_;
  const References& references_;
  std::vector<const CompiledTemplate*> stack_;
  Origins origins_;  ///< of the template whose calls are being planned
  std::size_t planned_ = 0;
  bool cut_ = false;
};

}  // namespace

std::string_view name_of(Certainty certainty) {
  static constexpr std::array<std::string_view, 3> kNames = {"will", "may", "never"};
  return kNames.at(static_cast<std::size_t>(certainty));
}

Result<RunPlan> make_plan(const doc::Value& workflow, const References& references,
                          const EngineConfig& config) {
  TRY(const auto engine, Engine::create(workflow, references, config));
  if (!engine.start_error().empty()) {
    return fail(ErrorCode::invalid, engine.start_error());
  }
  return Planner(engine, references).run();
}

}  // namespace tiphys::workflows
