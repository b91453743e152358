#include "world.h"

#include "async/testing/manual_clock.h"
#include "simulated_node.h"
#include "workflows/controller/api_references.h"
#include "workflows/controller/controller.h"
#include "workflows/engine/status.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace tiphys::simulation {
namespace {

using doc::Value;

const kube::ObjectKey kWorkflow{"Workflow", "default", "wf"};

/// Far beyond what any generated workflow takes.
constexpr std::chrono::hours kPatience{24 * 200};

class World;

/// What lives and dies together.
class Life final : public workflows::RunListener {
 public:
  Life(World& world, async::testing::ManualClock& clock, async::Random& random);

  /// Runs until the workflow has ended and all of it is stored, or death. Nothing when it hangs.
  enum class End : std::uint8_t { done, died, hangs };
  End run();

  void on_nodes(const workflows::Engine& engine,
                std::span<const workflows::NodeIndex> changed) override;
  void on_run(const workflows::Engine& engine) override;
  void on_failure(const kube::ObjectKey& workflow, const Error& error) override;

 private:
  void on_operation();
  void submit();
  void end_soon();
  void meddle();
  void resume_later();
  void change_spec(std::string_view field, const Value& value, kube::Done done);
  void compare_with_restored();

  World& world_;
  async::Loop loop_;
  std::shared_ptr<store::testing::DiskSession> disk_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<WitnessedApi> api_;
  std::unique_ptr<SimulatedNode> node_;
  std::unique_ptr<workflows::Controller> controller_;
  async::Timer death_;
  async::Timer resume_;
  bool died_ = false;
  bool done_ = false;
  bool check_ = false;
};

class World final {
 public:
  World(const GeneratedWorkflow& generated, Choices& faults, std::uint64_t salt, Tracing tracing)
      : generated(generated), faults(faults), salt(salt), tracing(tracing) {}

  Story run();

  void trace(std::string what) {
    if (tracing == Tracing::yes) {
      const auto since = std::chrono::duration<double>(clock.now() - began);
      story.trace.push_back(fmt::format("{:10.3f} {}", since.count(), what));
    }
  }

  const GeneratedWorkflow& generated;
  Faults faults;
  const std::uint64_t salt;
  const Tracing tracing;
  Story story;
  async::testing::ManualClock clock;
  const async::TimePoint began = clock.now();
  async::SeededRandom random{1};
  store::testing::SimulatedDisk disk;
  Processes processes;
  Ledger ledger;
  bool suspended = false;

 private:
  void take_ending();
};

Life::Life(World& world, async::testing::ManualClock& clock, async::Random& random)
    : world_(world),
      loop_(clock),
      disk_(std::make_shared<store::testing::DiskSession>(world.disk, loop_, world.faults)) {
  auto opened = store::Store::open(loop_, random, {.directory = {}, .disk = disk_});
  CHECK(opened.has_value(), "a simulated disk can always be opened");
  store_ = *std::move(opened);
  api_ = std::make_unique<WitnessedApi>(*store_, world.ledger, [this] { on_operation(); });
  node_ = std::make_unique<SimulatedNode>(SimulatedNode::World{
      loop_, *store_, *api_, world.faults, world.ledger, world.processes, world.salt,
      [&world](std::string what) { world.trace(std::move(what)); }});
  workflows::ControllerOptions options;
  options.pods.pods_survive_restart = world.faults.pods_survive();
  controller_ = std::make_unique<workflows::Controller>(
      loop_, *api_, std::move(options), [this](const kube::ObjectRef& pod) { node_->stop(pod); },
      nullptr, this);
}

void Life::on_operation() {
  if (!died_ && world_.faults.meddles_here()) {
    loop_.post([this] { meddle(); });
  }
  if (!died_ && world_.faults.dies_here()) {
    world_.trace("the program dies");
    died_ = true;
    disk_->cut_off();
    loop_.stop();
  }
}

void Life::change_spec(std::string_view field, const Value& value, kube::Done done) {
  const kube::ObjectRef workflow = store_->get(kWorkflow);
  if (workflow == nullptr) {
    return;
  }
  Value document = workflow->document();
  document.get_object()["spec"].get_object()[{field.data(), field.size()}] = value;
  api_->update(std::move(document), std::move(done));
}

void Life::meddle() {
  switch (world_.faults.meddling()) {
    case Faults::Meddling::nothing:
      return;
    case Faults::Meddling::suspend:
      world_.trace("somebody suspends the workflow");
      change_spec("suspend", true, {});
      world_.suspended = true;
      resume_later();
      return;
    case Faults::Meddling::stop:
      world_.trace("somebody stops the workflow");
      change_spec("shutdown", "Stop", {});
      return;
    case Faults::Meddling::terminate:
      world_.trace("somebody terminates the workflow");
      change_spec("shutdown", "Terminate", {});
      return;
  }
}

void Life::resume_later() {
  resume_ = loop_.call_after(world_.faults.dead_time(), [this] {
    world_.trace("somebody resumes the workflow");
    change_spec("suspend", false, [this](Result<kube::ObjectRef> written) {
      world_.suspended = world_.suspended && !written;
    });
  });
}

void Life::submit() {
  for (const Value& document : world_.generated.templates) {
    if (store_->get(kube::key_of(document).value_or(kube::ObjectKey{})) == nullptr) {
      api_->create(document, {});
    }
  }
  if (store_->get(kWorkflow) == nullptr) {
    api_->create(world_.generated.workflow, {});
  }
}

void Life::on_nodes(const workflows::Engine& /*engine*/,
                    std::span<const workflows::NodeIndex> /*changed*/) {
  if (!check_ && world_.faults.looks_back()) {
    // At the end of the turn all that follows from an event has been written.
    check_ = true;
    loop_.at_end_of_turn([this] {
      check_ = false;
      compare_with_restored();
    });
  }
}

void Life::on_run(const workflows::Engine& engine) {
  if (engine.finished()) {
    world_.trace("the workflow ends " + std::string(workflows::name_of(engine.phase())));
    end_soon();
  }
}

/// Late repetitions have to find nothing to do.
void Life::end_soon() {
  done_ = true;
  death_ = loop_.call_after(std::chrono::minutes(5), [this] { loop_.stop(); });
}

void Life::on_failure(const kube::ObjectKey& workflow, const Error& error) {
  if (!store_->failure()) {
    world_.ledger.violation(kube::describe(workflow) + " cannot go on: " + error.message);
  }
}

/// The engine made from what is stored must be the one that lives.
void Life::compare_with_restored() {
  const workflows::Engine* engine = controller_->engine_of(kWorkflow);
  const kube::ObjectRef stored = store_->get(kWorkflow);
  if (died_ || engine == nullptr || stored == nullptr || store_->failure()) {
    return;
  }
  const auto rows = store_->rows(stored->uid());
  std::vector<workflows::StoredRow> copies;
  for (const kube::Row& row : *rows) {
    copies.push_back({static_cast<workflows::NodeIndex>(row.index), row.bytes});
  }
  const workflows::ApiReferences references(*store_, "default");
  const auto now = std::chrono::floor<std::chrono::milliseconds>(loop_.now());
  const auto restored = workflows::Engine::restore(stored->document(), copies, references, {}, now);
  if (!restored) {
    world_.ledger.violation("the engine cannot be restored: " + restored.error().message);
    return;
  }
  const auto text = [](const workflows::Engine& of) {
    Value document = of.workflow(workflows::Engine::WithNodes::yes);
    document.get_object()["metadata"].get_object().erase("resourceVersion");
    return doc::to_json(document, {.sort_keys = true});
  };
  if (const std::string mine = text(*engine), other = text(*restored); mine != other) {
    const auto at = std::ranges::mismatch(mine, other).in1 - mine.begin();
    const auto from = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, at - 150));
    world_.ledger.violation("a restored engine differs:\n    lived:    ..." +
                            mine.substr(from, 300) + "...\n    restored: ..." +
                            other.substr(from, 300) + "...");
  }
}

Life::End Life::run() {
  submit();
  if (world_.suspended) {
    resume_later();
  }
  node_->start();
  controller_->start();
  if (store_->get(kWorkflow)->label("workflows.argoproj.io/completed") == "true") {
    end_soon();
  }
  const async::TimePoint limit = world_.clock.now() + kPatience;
  // A program whose store has failed is ended by whoever runs it, sooner or later.
  while (!died_ && world_.clock.now() < limit) {
    loop_.run_until(std::min(limit, world_.clock.now() + std::chrono::hours(24 * 20)));
    if (store_->failure()) {
      world_.trace("the store has failed");
      disk_->cut_off();
      return End::died;
    }
    if (done_ && !died_) {
      static_cast<void>(store_->close());
      return End::done;
    }
  }
  return died_ ? End::died : End::hangs;
}

Value shape_of(const Value& status, const std::map<std::string, std::string>& names) {
  doc::Object out;
  for (const std::string_view key : {"type", "phase", "message", "displayName", "templateName",
                                     "templateRef", "inputs", "outputs", "nodeFlag"}) {
    if (const Value* value = doc::find(status, key)) {
      out[{key.data(), key.size()}] = *value;
    }
  }
  if (const Value* children = doc::find(status, "children")) {
    std::vector<std::string> sorted;
    for (const Value& child : children->get_array()) {
      const auto found = names.find(std::string(doc::text_of(child.as_string())));
      sorted.push_back(found == names.end() ? "?" : found->second);
    }
    std::ranges::sort(sorted);
    out["children"] = doc::Array(sorted.begin(), sorted.end());
  }
  return out;
}

/// How the run ended, as the disk has it.
void World::take_ending() {
  for (const auto& [id, stored] : disk.objects()) {
    if (stored.object->key().kind == "Pod") {
      ledger.violation("the workflow has ended and left pod " + stored.object->key().name);
    }
    if (stored.object->key() != kWorkflow) {
      continue;
    }
    std::vector<workflows::StoredRow> rows;
    for (const auto& [index, bytes] : stored.rows) {
      rows.push_back({static_cast<workflows::NodeIndex>(index), bytes});
    }
    const auto document = workflows::workflow_with_nodes(stored.object->document(), rows);
    if (!document) {
      ledger.violation("the stored run cannot be read: " + document.error().message);
      continue;
    }
    const Value* status = doc::find(*document, "status");
    if (status == nullptr) {
      continue;
    }
    story.ending.phase = doc::find_string(*status, "phase");
    story.ending.message = doc::find_string(*status, "message");
    const Value* nodes = doc::find(*status, "nodes");
    if (nodes == nullptr || !nodes->is_object()) {
      continue;
    }
    std::map<std::string, std::string> names;
    for (const auto& [node, value] : nodes->get_object()) {
      names[node] = doc::find_string(value, "name");
    }
    for (const auto& [node, value] : nodes->get_object()) {
      story.ending.nodes[names[node]] =
          doc::to_json(shape_of(value, names), {.escape_html = false, .sort_keys = true});
    }
  }
}

Story World::run() {
  constexpr std::size_t kMostLives = 20;
  bool goes_on = true;
  while (goes_on && story.lives < kMostLives) {
    ++story.lives;
    Life life(*this, clock, random);
    const Life::End end = life.run();
    goes_on = end == Life::End::died;
    if (end == Life::End::hangs) {
      ledger.violation("the workflow hangs: nothing happens any more and it has not ended");
    }
    ledger.compare(disk);
    if (goes_on) {
      if (!faults.pods_survive()) {
        processes.clear();
        ledger.all_processes_died();
      }
      clock.advance_by(faults.dead_time());
      trace("the program starts again");
    }
  }
  take_ending();
  story.was_shut_down = faults.meddling() == Faults::Meddling::stop ||
                        faults.meddling() == Faults::Meddling::terminate;
  story.attempts = ledger.attempts();
  story.violations = ledger.violations();
  return std::move(story);
}

}  // namespace

Story simulate(const GeneratedWorkflow& generated, Choices& faults, std::uint64_t salt,
               Tracing tracing) {
  return World(generated, faults, salt, tracing).run();
}

std::vector<std::string> differences(const GeneratedWorkflow& generated, const Ending& undisturbed,
                                     const Story& disturbed) {
  std::vector<std::string> out = disturbed.violations;
  const Ending& ending = disturbed.ending;
  if (disturbed.was_shut_down) {
    // How far it came is a matter of time.
    if (ending.phase != "Succeeded" && ending.phase != "Failed" && ending.phase != "Error") {
      out.push_back("the workflow was shut down and is " + ending.phase);
    }
    return out;
  }
  if (ending.phase != undisturbed.phase) {
    out.push_back("the workflow ended " + ending.phase + " (" + ending.message +
                  "), without faults " + undisturbed.phase + " (" + undisturbed.message + ")");
  }
  const auto group_in_error = [](const auto& node) {
    return node.second.contains("\"StepGroup\"") && node.second.contains("\"phase\":\"Error\"");
  };
  if (generated.depends_on_timing ||
      (generated.has_parallelism && std::ranges::any_of(undisturbed.nodes, group_in_error))) {
    return out;
  }
  for (const auto& [name, shape] : undisturbed.nodes) {
    const auto found = ending.nodes.find(name);
    if (found == ending.nodes.end()) {
      out.push_back("node " + name + " is missing; without faults it is " + shape);
    } else if (found->second != shape) {
      out.push_back("node " + name + " differs:\n    " + found->second +
                    "\n    without faults\n    " + shape);
    }
  }
  for (const auto& [name, shape] : ending.nodes) {
    if (!undisturbed.nodes.contains(name)) {
      out.push_back("node " + name + " is there, which without faults is not: " + shape);
    }
  }
  return out;
}

}  // namespace tiphys::simulation
