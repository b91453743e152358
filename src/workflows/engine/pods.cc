#include "artifacts/location.h"
#include "workflows/engine/machine.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace tiphys::workflows {
namespace {

using std::chrono::ceil;
using std::chrono::seconds;

std::optional<std::int64_t> to_integer(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return out;
}

std::string any_member(const doc::Value& object, std::string_view key) {
  const doc::Value* value = doc::find(object, key);
  return value == nullptr ? std::string() : any_string(*value);
}

void take_minimum(std::optional<std::int64_t>& target, std::int64_t value) {
  target = target ? std::min(*target, value) : value;
}

}  // namespace

bool Engine::Machine::include_result(NodeIndex index) const {
  const BoundaryFrame* frame = boundary_frame((*nodes_)[index].boundary);
  if (frame == nullptr) {
    return false;
  }
  return frame->compiled->result_names.contains(plain_call_name((*nodes_)[index].name));
}

/// Template timeouts with their tags substituted.
Result<Engine::Machine::Limits> Engine::Machine::limits_of(NodeIndex index,
                                                           const CompiledTemplate& compiled) const {
  Limits out;
  if (compiled.timeouts.text() == "{}") {
    return out;
  }
  NodeScope scope(&globals_);
  fill_scope(scope, compiled, index);
  TRY(auto text, replace_in_passes(compiled.timeouts, scope.locals, scope.inputs));
  TRY(auto value, doc::parse_json(text));
  const TimePoint started = (*nodes_)[index].started;
  if (const std::string timeout = any_member(value, "timeout"); !timeout.empty()) {
    auto duration = parse_timeout(timeout);
    if (!duration) {
      return std::unexpected(std::move(duration).error().with_context("invalid timeout format"));
    }
    out.timeout = started + *duration;
  }
  if (const std::string timeout = any_member(value, "pendingTimeout"); !timeout.empty()) {
    auto duration = parse_timeout(timeout);
    if (!duration) {
      return std::unexpected(std::move(duration).error().with_context("invalid timeout format"));
    }
    out.pending_timeout = started + *duration;
  }
  if (const std::string deadline = any_member(value, "activeDeadlineSeconds"); !deadline.empty()) {
    out.active_deadline_seconds = to_integer(deadline);
  }
  return out;
}

Result<std::string> Engine::Machine::template_text(NodeIndex index,
                                                   const CompiledTemplate& compiled) const {
  const Node& node = (*nodes_)[index];
  NodeScope scope(&globals_);
  fill_scope(scope, compiled, index);
  scope.locals.set("pod.name", nodes_->pod_name(index));
  if (node.retried) {
    set_retry_variables(scope.locals, node.owner, node.slot);
  }
  TRY(auto text, replace_in_passes(compiled.body, scope.locals, scope.inputs));
  if (node.inputs) {
    text.insert(1, "\"inputs\":" + *node.inputs + (text == "{}" ? "" : ","));
  }
  return text;
}

/// spec.volumes with the tags filled that the steps and inputs around a pod decide on, from the
/// inside out.
Result<std::string> Engine::Machine::volumes_of(NodeIndex index, const CompiledTemplate& compiled) {
  std::string text = volumes_.text();
  for (NodeIndex at = (*nodes_)[index].boundary; at != kNoNode && text.contains("{{");
       at = (*nodes_)[at].boundary) {
    if (BoundaryFrame* frame = boundary_frame(at)) {
      Scope results(&frame->inputs);
      add_call_variables(results, *frame, nullptr);
      TRY(text, replace_tags(std::move(text), results, Strictness::lenient));
    }
  }
  NodeScope scope(&globals_);
  fill_scope(scope, compiled, index);
  return replace_tags(std::move(text), scope.inputs, Strictness::lenient);
}

Result<CreatePod> Engine::Machine::make_pod(NodeIndex index, const CompiledTemplate& compiled) {
  const Node& node = (*nodes_)[index];
  CreatePod out;
  out.node = index;
  out.pod_name = nodes_->pod_name(index);
  out.on_exit = node.in_exit_handler;
  TRY(out.template_json, template_text(index, compiled));
  TRY_VOID(set_archive_location(index, compiled, out));
  out.capture_result = include_result(index);
  if (volumes_.has_tags()) {
    TRY(out.volumes_json, volumes_of(index, compiled));
  }
  if (const BoundaryFrame* frame = boundary_frame(node.boundary)) {
    out.boundary = &frame->compiled->definition;
  }
  TRY(const Limits limits, limits_of(index, compiled));
  out.active_deadline_seconds = limits.active_deadline_seconds;
  const auto remaining = [&](TimePoint deadline) {
    return std::max<std::int64_t>(1, ceil<seconds>(deadline - now_).count());
  };
  if (const auto deadline = workflow_deadline(); deadline && !node.in_exit_handler) {
    take_minimum(out.active_deadline_seconds, remaining(*deadline));
  }
  if (limits.timeout) {
    take_minimum(out.active_deadline_seconds, remaining(*limits.timeout));
  }
  if (node.retried) {
    if (const auto deadline = attempts_deadline(node.owner)) {
      take_minimum(out.active_deadline_seconds, remaining(*deadline));
    }
    out.avoid_hosts = hosts_to_avoid(node.owner);
  }
  return out;
}

Result<std::string> Engine::Machine::template_of(NodeIndex index) const {
  TRY(const CompiledTemplate* compiled, compiled_by_names(index));
  return template_text(index, *compiled);
}

Result<std::string> Engine::Machine::substitute_for(NodeIndex index, std::string json) const {
  TRY(const auto text, TagText::parse(std::move(json)));
  TRY(const CompiledTemplate* compiled, compiled_of(index));
  NodeScope scope(&globals_);
  fill_scope(scope, *compiled, index);
  scope.locals.set("pod.name", nodes_->pod_name(index));
  return replace_in_passes(text, scope.locals, scope.inputs);
}

Result<CreatePod> Engine::Machine::pod_of(NodeIndex index, TimePoint now) {
  const Present present(now, seed_at(now));
  now_ = now;
  if (index >= nodes_->size() || (*nodes_)[index].type != NodeType::pod ||
      fulfilled((*nodes_)[index].phase) || (*nodes_)[index].is_held_up()) {
    return fail(ErrorCode::bad_request, "the node has no pod to create");
  }
  TRY(const CompiledTemplate* compiled, compiled_of(index));
  return make_pod(index, *compiled);
}

void Engine::Machine::start_pod(NodeIndex index, const CompiledTemplate& compiled) {
  const Node& node = (*nodes_)[index];
  if (shutting_down_for(node.in_exit_handler)) {
    set_phase(index, NodePhase::failed, "workflow shutdown with strategy: " + shutdown_);
    return;
  }
  if (const auto deadline = workflow_deadline();
      deadline && now_ >= *deadline && !node.in_exit_handler) {
    set_phase(index, NodePhase::failed, "Step exceeded its deadline");
    return;
  }
  auto pod = make_pod(index, compiled);
  if (!pod) {
    fail_with(index, pod.error().message);
    return;
  }
  set_pending_timers(index, compiled);
  set_first_progress(index, pod->template_json);
  (*nodes_)[index].daemon = compiled.definition.daemon;
  if (compiled.definition.type == TemplateType::container_set) {
    create_containers(index, pod->template_json);
  }
  decisions_.create_pods.push_back(std::move(*pod));
}

void Engine::Machine::set_pending_timers(NodeIndex index, const CompiledTemplate& compiled) {
  const auto limits = limits_of(index, compiled);
  if (!limits) {
    return;
  }
  if (limits->timeout) {
    timers_.push({*limits->timeout, index});
  }
  if (limits->pending_timeout) {
    timers_.push({*limits->pending_timeout, index});
  }
}

/// A pod that is still Pending when its template's timeout or pendingTimeout is over is given up.
void Engine::Machine::check_pending_timeout(NodeIndex index) {
  if ((*nodes_)[index].phase != NodePhase::pending) {
    return;
  }
  const auto compiled = compiled_of(index);
  const auto limits = compiled ? limits_of(index, **compiled) : Result<Limits>(Limits{});
  if (!limits) {
    return;
  }
  const bool over = (limits->timeout && now_ >= *limits->timeout) ||
                    (limits->pending_timeout && now_ >= *limits->pending_timeout);
  if (over) {
    if (!(*nodes_)[index].is_held_up()) {
      decisions_.stop_pods.push_back({index, nodes_->pod_name(index)});
    }
    set_phase(index, NodePhase::failed, "timeout");
  }
}

void Engine::Machine::store_outputs(NodeIndex index, const PodUpdate& update) {
  Outputs outputs;
  outputs.exit_code = update.exit_code;
  outputs.result = update.result;
  if (!update.parameters.empty() || !update.artifacts.empty()) {
    const Outputs declared = declared_outputs(index);
    for (const auto& [name, value] : update.parameters) {
      const auto found = std::find_if(declared.parameters.begin(), declared.parameters.end(),
                                      [&](const Parameter& p) { return p.name == name; });
      Parameter parameter = found == declared.parameters.end() ? Parameter{} : *found;
      parameter.name = name;
      parameter.value = value;
      outputs.parameters.push_back(std::move(parameter));
    }
    for (const OutputArtifact& produced : update.artifacts) {
      const auto found = std::find_if(declared.artifacts.begin(), declared.artifacts.end(),
                                      [&](const Artifact& a) { return a.name == produced.name; });
      Artifact artifact = found == declared.artifacts.end() ? Artifact{} : *found;
      artifact.name = produced.name;
      if (auto path = artifacts::clean_container_path(artifact.name, artifact.path)) {
        artifact.path = std::move(*path);
      }
      artifact.location = produced.location;
      outputs.artifacts.push_back(std::move(artifact));
    }
    export_globals(outputs);
  }
  set_outputs(index, outputs);
}

Outputs Engine::Machine::declared_outputs(NodeIndex index) {
  const auto compiled = compiled_of(index);
  if (!compiled || (*compiled)->outputs.text().empty()) {
    return {};
  }
  if (!(*compiled)->outputs.has_tags()) {
    return (*compiled)->definition.outputs;
  }
  NodeScope scope(&globals_);
  fill_scope(scope, **compiled, index);
  const auto text = replace_in_passes((*compiled)->outputs, scope.locals, scope.inputs);
  const auto value = text ? doc::parse_json(*text) : Result<doc::Value>(doc::Value());
  auto outputs = value ? decode_outputs(*value) : Result<Outputs>(Outputs{});
  if (!outputs) {
    return (*compiled)->definition.outputs;
  }
  return std::move(*outputs);
}

void Engine::Machine::on_pod(const PodUpdate& update) {
  if (update.node >= nodes_->size()) {
    return;
  }
  Node& node = (*nodes_)[update.node];
  if (node.type != NodeType::pod || fulfilled(node.phase)) {
    return;
  }
  if (!update.host.empty() && nodes_->host(update.node) != update.host) {
    node.host = nodes_->intern_host(update.host);
    mark(update.node);
  }
  if (!update.progress.empty()) {
    set_progress(update.node, update.progress);
  }
  if (update.phase == PodPhase::running && node.daemon) {
    on_daemon(update);
    return;
  }
  if (update.phase == PodPhase::pending || update.phase == PodPhase::running) {
    const NodePhase phase =
        update.phase == PodPhase::pending ? NodePhase::pending : NodePhase::running;
    set_phase(update.node, phase, update.message);
    on_containers(update);
    return;
  }
  on_pod_end(update);
}

void Engine::Machine::on_pod_end(const PodUpdate& update) {
  if (update.exit_code || update.result || !update.parameters.empty() ||
      !update.artifacts.empty()) {
    store_outputs(update.node, update);
  }
  on_containers(update);
  Node& ended = (*nodes_)[update.node];
  ended.resources = update.resources;
  ended.finished = update.finished == kNoTime ? now_ : update.finished;
  mark(update.node);
  // A daemon is not meant to end by itself.
  const bool good = update.phase == PodPhase::succeeded && !ended.daemon;
  const NodePhase phase = good                              ? NodePhase::succeeded
                          : update.phase == PodPhase::error ? NodePhase::error
                                                            : NodePhase::failed;
  const bool was_daemon = std::exchange(ended.daemoned, false);
  const auto stopped = stop_messages_.find(update.node);
  if (stopped != stop_messages_.end() && phase != NodePhase::succeeded) {
    set_phase(update.node, NodePhase::failed, stopped->second);
  } else {
    set_phase(update.node, phase, update.message);
  }
  stop_messages_.erase(update.node);
  const NodeIndex owner = (*nodes_)[update.node].owner;
  if (was_daemon && owner != kNoNode && (*nodes_)[owner].type == NodeType::retry) {
    attempt_done(owner);
  }
}

}  // namespace tiphys::workflows
