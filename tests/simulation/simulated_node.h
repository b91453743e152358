#pragma once
/// The machine that runs pods: what a kubelet is, with steps that take virtual time and come to
/// what their scripts say. Three nouns: `Process`, a step under way or ended whose result is not
/// yet stored; `Processes`, all of them, which may outlive the program; `SimulatedNode`, one life
/// of what starts them and reports their ends, late, twice, or not at all in between.

#include "async/loop.h"
#include "cluster/store/store.h"
#include "faults.h"
#include "ledger.h"
#include "step_script.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace tiphys::simulation {

struct Process {
  kube::ObjectRef pod;
  std::string step;  ///< as the ledger knows it
  StepResult result;
  async::TimePoint began;
  async::TimePoint ends;
  bool past_deadline = false;
  std::optional<async::TimePoint> killed;
};

/// By uid of the pod.
using Processes = std::map<std::string, Process>;

class SimulatedNode final {
 public:
  struct World {
    async::Loop& loop;
    store::Store& store;
    kube::Api& api;  ///< the store, witnessed
    Faults& faults;
    Ledger& ledger;
    Processes& processes;
    std::uint64_t salt = 0;
    std::function<void(std::string)> trace;
  };

  explicit SimulatedNode(World world) : world_(std::move(world)) {}

  /// Begins to watch; processes that are there already are taken up.
  void start();
  /// SIGTERM.
  void stop(const kube::ObjectRef& pod);

 private:
  void on_pod(const kube::Event& event);
  void begin(const kube::ObjectRef& pod);
  void follow(const std::string& uid);
  void end(const std::string& uid);
  void kill(const std::string& uid);
  void report_running(const std::string& uid);
  void report_end(const std::string& uid);
  /// Calls later, unless this life is over by then.
  void later(std::chrono::milliseconds delay, std::function<void()> function);

  World world_;
  std::unique_ptr<kube::Subscription> pods_;
  std::map<std::uint64_t, async::Timer> timers_;
  std::uint64_t next_timer_ = 0;
};

}  // namespace tiphys::simulation
