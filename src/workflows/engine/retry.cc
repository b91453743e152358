#include "workflows/engine/machine.h"

#include <boost/json.hpp>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace tiphys::workflows {
namespace {

using std::chrono::milliseconds;

/// What upstream takes for a failure of the infrastructure (util/errors).
constexpr std::array<std::string_view, 17> kTransient = {
    "exceeded quota",
    "etcdserver: leader changed",
    "etcdserver: request timed out",
    "etcdserver: too many requests",
    "unexpected error when reading response body",
    "stream error when reading response body",
    "Connection closed by foreign host",
    "net/http: TLS handshake timeout",
    "i/o timeout",
    "connection timed out",
    "connection reset by peer",
    "http2: client connection lost",
    "http2: server sent GOAWAY",
    "connect: connection refused",
    "invalid connection",
    "client rate limiter Wait returned an error",
    "Operation cannot be fulfilled on resourcequota",
};

Result<std::optional<std::int64_t>> integer_of(const std::optional<std::string>& text) {
  if (!text) {
    return std::nullopt;
  }
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), out);
  if (error != std::errc() || end != text->data() + text->size()) {
    return fail(ErrorCode::invalid, "value '" + *text + "' cannot be resolved to an int");
  }
  return out;
}

/// "45 seconds", "1 minute 30 seconds", "2 hours 5 minutes".
std::string spoken(milliseconds duration) {
  const std::int64_t total = duration.count() / 1000;
  const auto unit = [](std::int64_t n, std::string_view name) {
    return std::to_string(n) + " " + std::string(name) + (n == 1 ? "" : "s");
  };
  if (total < 60) {
    return unit(total, "second");
  }
  if (total < 3600) {
    return unit(total / 60, "minute") + " " + unit(total % 60, "second");
  }
  if (total < 86400) {
    return unit(total / 3600, "hour") + " " + unit(total / 60 % 60, "minute");
  }
  return unit(total / 86400, "day") + " " + unit(total / 3600 % 24, "hour");
}

/// Go's fmt.Sprint of a float64 of seconds.
std::string seconds_text(TimePoint from, TimePoint to) {
  if (to == kNoTime) {
    return "0";
  }
  return doc::json_number(static_cast<double>((to - from).count()) / 1000.0);
}

milliseconds backoff_of(milliseconds base, std::optional<std::int64_t> factor,
                        std::size_t attempts) {
  if (!factor || *factor <= 0) {
    return base;
  }
  const double scaled = static_cast<double>(base.count()) *
                        std::pow(static_cast<double>(*factor), static_cast<double>(attempts - 1));
  constexpr double kMost = 1e15;
  return milliseconds(static_cast<std::int64_t>(std::min(scaled, kMost)));
}

std::string exit_code_of(const Outputs& outputs, std::string_view otherwise) {
  return outputs.exit_code.value_or(std::string(otherwise));
}

}  // namespace

bool Engine::Machine::has_retry(const CompiledTemplate& compiled) const {
  return compiled.definition.retry_strategy || spec_.retry_strategy;
}

/// The strategy of a Retry node with its tags substituted.
Result<RetryStrategy> Engine::Machine::strategy_of(NodeIndex index) const {
  const CompiledTemplate& compiled = *retries_.at(index).compiled;
  if (!compiled.definition.retry_strategy) {
    return *spec_.retry_strategy;
  }
  if (!compiled.retry.has_tags()) {
    return *compiled.definition.retry_strategy;
  }
  NodeScope scope(&globals_);
  fill_scope(scope, compiled, index);
  TRY(auto text, replace_in_passes(compiled.retry, scope.locals, scope.inputs));
  TRY(auto value, doc::parse_json(text));
  return decode_retry_strategy(value);
}

std::vector<NodeIndex> Engine::Machine::attempts_of(NodeIndex index) const {
  std::vector<NodeIndex> out;
  for (const NodeIndex child : (*nodes_)[index].children) {
    if ((*nodes_)[child].retried) {
      out.push_back(child);
    }
  }
  return out;
}

/// The variables an attempt's template sees of the attempts before it.
void Engine::Machine::set_retry_variables(Scope& scope, NodeIndex index,
                                          std::uint32_t attempt) const {
  scope.set("retries", std::to_string(attempt));
  std::string exit_code = "0";
  std::string duration = "0";
  std::string status;
  std::string message;
  const auto attempts = attempts_of(index);
  if (attempt > 0 && attempt <= attempts.size()) {
    const NodeIndex last = attempts[attempt - 1];
    const Node& node = (*nodes_)[last];
    exit_code = exit_code_of(outputs_of(last), "0");
    duration = seconds_text(node.started, node.finished);
    status = name_of(node.phase);
    message = node.message;
  }
  scope.set("lastRetry.exitCode", std::move(exit_code));
  scope.set("lastRetry.duration", std::move(duration));
  scope.set("lastRetry.status", std::move(status));
  scope.set("lastRetry.message", std::move(message));
}

Launched Engine::Machine::start_attempt(NodeIndex index) {
  const RetryFrame frame = retries_.at(index);
  const Node& node = (*nodes_)[index];
  const auto number = static_cast<std::uint32_t>(attempts_of(index).size());
  const NodeCall call = nodes_->call(index);
  Launch launch;
  Call named;
  named.template_name = call.template_name;
  named.template_ref = call.template_ref;
  TemplateBase scope_only;
  scope_only.scope = call.template_scope;
  launch.name = node.name + "(" + std::to_string(number) + ")";
  launch.call = &named;
  launch.base = &scope_only;
  launch.boundary = node.boundary;
  launch.owner = index;
  launch.slot = number;
  launch.parents = {index};
  launch.in_exit_handler = node.in_exit_handler;
  // The first attempt starts with its Retry node; a later one waits for a slot like anything else.
  if (number > 0) {
    if (parallelism_reached(launch)) {
      return Launched::blocked;
    }
    --budget_;
  }
  const NodeType type = node_type_for(frame.compiled->definition.type);
  const NodeIndex attempt = create_node(launch, type, first_phase_of(type));
  Node& created = (*nodes_)[attempt];
  created.retried = true;
  created.has_flag = true;
  created.inputs = (*nodes_)[index].inputs;
  created.extras = (*nodes_)[index].extras;
  start_template(attempt, *frame.compiled, frame.depth);
  return Launched::started;
}

void Engine::Machine::end_retry(NodeIndex index, NodePhase phase, std::string message) {
  const auto attempts = attempts_of(index);
  if (!attempts.empty()) {
    (*nodes_)[index].outputs = (*nodes_)[attempts.back()].outputs;
  }
  mark(index);
  set_phase(index, phase, std::move(message));
}

bool Engine::Machine::is_transient(std::string_view message) const {
  const bool known = std::ranges::any_of(
      kTransient, [&](std::string_view text) { return message.contains(text); });
  return known || (!config_.transient_pattern.empty() &&
                   RE2::PartialMatch(message, config_.transient_pattern));
}

bool Engine::Machine::policy_allows(const RetryStrategy& strategy, const Node& last) const {
  std::string_view policy = strategy.retry_policy;
  if (policy.empty()) {
    policy = strategy.expression.empty() ? "OnFailure" : "Always";
  }
  if (policy == "Always") {
    return true;
  }
  if (policy == "OnTransientError") {
    return is_transient(last.message);
  }
  return policy == "OnError" ? last.phase == NodePhase::error : last.phase == NodePhase::failed;
}

std::optional<TimePoint> Engine::Machine::attempts_deadline(NodeIndex index) const {
  const auto strategy = strategy_of(index);
  if (!strategy || !strategy->backoff || strategy->backoff->max_duration.empty()) {
    return std::nullopt;
  }
  const auto longest = parse_timeout(strategy->backoff->max_duration);
  const auto attempts = attempts_of(index);
  // Upstream limits only attempts that follow another.
  if (!longest || attempts.size() < 2) {
    return std::nullopt;
  }
  return (*nodes_)[attempts.front()].started + *longest;
}

std::vector<std::string> Engine::Machine::hosts_to_avoid(NodeIndex index) const {
  std::vector<std::string> out;
  const auto strategy = strategy_of(index);
  if (!strategy || !strategy->node_anti_affinity) {
    return out;
  }
  for (const NodeIndex attempt : attempts_of(index)) {
    const std::string& host = nodes_->host(attempt);
    if (failed_or_error((*nodes_)[attempt].phase) && !host.empty() &&
        std::ranges::find(out, host) == out.end()) {
      out.push_back(host);
    }
  }
  return out;
}

/// True when the Retry node has to wait, or has ended because waiting is futile.
Result<bool> Engine::Machine::wait_for_backoff(NodeIndex index, const RetryStrategy& strategy,
                                               const std::vector<NodeIndex>& attempts) {
  const Backoff& backoff = *strategy.backoff;
  const Node& last = (*nodes_)[attempts.back()];
  const NodePhase last_phase = last.phase;
  std::optional<TimePoint> limit;
  if (!backoff.max_duration.empty()) {
    TRY(const milliseconds longest, parse_timeout(backoff.max_duration));
    limit = (*nodes_)[attempts.front()].started + longest;
    if (now_ > *limit) {
      end_retry(index, last_phase, "Max duration limit exceeded");
      return true;
    }
  }
  if (backoff.duration.empty()) {
    return fail(ErrorCode::invalid, "no base duration specified for retryStrategy");
  }
  TRY(const milliseconds base, parse_timeout(backoff.duration));
  TRY(const auto factor, integer_of(backoff.factor));
  milliseconds wait = backoff_of(base, factor, attempts.size());
  if (!backoff.cap.empty()) {
    TRY(const milliseconds cap, parse_timeout(backoff.cap));
    wait = std::min(wait, cap);
  }
  const TimePoint until = last.finished + wait;
  if (limit && until > *limit) {
    end_retry(index, last_phase, "Backoff would exceed max duration limit");
    return true;
  }
  TRY(const auto most, integer_of(strategy.limit));
  if (now_ < until && most && static_cast<std::int64_t>(attempts.size()) <= *most) {
    timers_.push({until, index});
    wakes_[index] = until;
    mark(index);
    set_phase(index, NodePhase::running, "Backoff for " + spoken(wait));
    return true;
  }
  wakes_.erase(index);
  set_phase(index, NodePhase::running, "");
  return false;
}

/// Nothing when another attempt is due, else why the Retry node ends, with its phase.
Result<std::optional<std::string>> Engine::Machine::reason_to_stop(
    const RetryStrategy& strategy, const std::vector<NodeIndex>& attempts) const {
  const Node& last = (*nodes_)[attempts.back()];
  if (!policy_allows(strategy, last)) {
    return last.message;
  }
  TRY(const auto most, integer_of(strategy.limit));
  if (most && static_cast<std::int64_t>(attempts.size()) > *most) {
    return "No more retries left";
  }
  if (strategy.expression.empty()) {
    return std::nullopt;
  }
  Scope scope;
  scope.set("retries", std::to_string(attempts.size() - 1));
  scope.set("lastRetry.exitCode", exit_code_of(outputs_of(attempts.back()), "-1"));
  scope.set("lastRetry.status", std::string(name_of(last.phase)));
  scope.set("lastRetry.duration", seconds_text(last.started, last.finished));
  scope.set("lastRetry.message", last.message);
  TRY(const bool again, evaluate_bool(strategy.expression, scope));
  if (!again) {
    return "retryStrategy.expression evaluated to false";
  }
  return std::nullopt;
}

/// The last attempt is done, or the wait after it is over: try again or end.
void Engine::Machine::attempt_done(NodeIndex index) {
  if (fulfilled((*nodes_)[index].phase)) {
    return;
  }
  const auto attempts = attempts_of(index);
  if (attempts.empty()) {
    start_attempt(index);
    return;
  }
  if (!(*nodes_)[attempts.back()].done) {
    return;
  }
  bubbling_.erase(attempts.back());
  if ((*nodes_)[attempts.back()].daemoned) {
    become_daemon(index);
    return;
  }
  const NodePhase last = (*nodes_)[attempts.back()].phase;
  if (!failed_or_error(last)) {
    end_retry(index, NodePhase::succeeded, (*nodes_)[index].message);
    return;
  }
  if (!shutdown_.empty()) {
    end_retry(index, last, "Stopped with strategy '" + shutdown_ + "'");
    return;
  }
  if (const auto deadline = workflow_deadline(); deadline && now_ > *deadline) {
    end_retry(index, last, "retry exceeded workflow deadline " + time_text(*deadline));
    return;
  }
  const auto strategy = strategy_of(index);
  auto waits = strategy && strategy->backoff ? wait_for_backoff(index, *strategy, attempts)
                                             : Result<bool>(false);
  if (waits && *waits) {
    return;
  }
  auto reason = !strategy ? std::unexpected(strategy.error())
                : !waits  ? std::unexpected(waits.error())
                          : reason_to_stop(*strategy, attempts);
  if (!reason) {
    fail_with(index, reason.error().message);
    return;
  }
  if (*reason) {
    end_retry(index, last, **reason);
    return;
  }
  start_attempt(index);
}

}  // namespace tiphys::workflows
