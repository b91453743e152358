#include "workflows/engine/engine.h"

#include "workflows/engine/machine.h"

#include <array>

namespace tiphys::workflows {

std::string_view name_of(RunPhase phase) {
  static constexpr std::array<std::string_view, 6> kNames = {"",          "Pending", "Running",
                                                             "Succeeded", "Failed",  "Error"};
  return kNames.at(static_cast<std::size_t>(phase));
}

Engine::Engine(std::unique_ptr<Machine> machine) : machine_(std::move(machine)) {}

Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Result<Engine> Engine::create(const doc::Value& workflow, const References& references,
                              EngineConfig config) {
  auto machine = std::make_unique<Machine>(references, std::move(config));
  TRY_VOID(machine->load(workflow));
  return Engine(std::move(machine));
}

Result<Engine> Engine::restore(const doc::Value& workflow, std::span<const StoredRow> rows,
                               const References& references, EngineConfig config, TimePoint now) {
  TRY(auto engine, create(workflow, references, std::move(config)));
  TRY_VOID(engine.machine_->load_rows(rows, now));
  return engine;
}

Result<Engine> Engine::restore(const doc::Value& workflow, const References& references,
                               EngineConfig config, TimePoint now) {
  TRY(auto engine, create(workflow, references, std::move(config)));
  const doc::Value* status = doc::find(workflow, "status");
  const doc::Value* nodes = status == nullptr ? nullptr : doc::find(*status, "nodes");
  TRY_VOID(engine.machine_->load_nodes(nodes == nullptr ? doc::Value() : *nodes, now));
  return engine;
}

Result<Decisions> Engine::apply(const Event& event, TimePoint now) {
  return machine_->apply(event, now);
}

RunPhase Engine::phase() const { return machine_->phase(); }

const std::string& Engine::message() const { return machine_->message(); }

bool Engine::finished() const { return machine_->is_finished(); }

std::optional<TimePoint> Engine::next_wake() const { return machine_->next_wake(); }

const NodeTable& Engine::nodes() const { return machine_->nodes(); }

std::string Engine::row(NodeIndex index) const { return machine_->row(index); }

doc::Value Engine::node_status(NodeIndex index) const { return machine_->node_status(index); }

doc::Value Engine::workflow(WithNodes nodes) const { return machine_->workflow(nodes); }

std::string Engine::progress() const { return machine_->progress(); }

Result<CreatePod> Engine::pod_of(NodeIndex index, TimePoint now) const {
  return machine_->pod_of(index, now);
}

Result<std::string> Engine::template_of(NodeIndex index) const {
  return machine_->template_of(index);
}

Result<std::string> Engine::substitute(NodeIndex index, std::string json) const {
  return machine_->substitute_for(index, std::move(json));
}

const WorkflowSpec& Engine::spec() const { return machine_->spec(); }

const Metadata& Engine::metadata() const { return machine_->metadata(); }

const lang::Scope& Engine::variables() const { return machine_->globals(); }

Catalog& Engine::catalog() const { return machine_->catalog(); }

const std::string& Engine::start_error() const { return machine_->start_error(); }

const doc::Value& Engine::artifact_repository_ref() const {
  return machine_->artifact_repository_ref();
}

}  // namespace tiphys::workflows
