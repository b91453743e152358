#pragma once
/// One pod from the moment it is prepared for its place on the node until nothing of it is left.

#include "cluster/node/log.h"
#include "cluster/node/node.h"
#include "cluster/node/probe.h"
#include "cluster/node/status.h"
#include "cluster/node/view.h"
#include "cluster/node/volumes.h"

namespace tiphys::node {

/// What all pods of a node share.
struct NodeShared {
  async::Loop& loop;
  async::BlockingPool& pool;
  const NodeConfig& config;
  const NodeCallbacks& callbacks;
  Sandbox& sandbox;
  StepWork* work;
  std::function<void(std::string_view image)> note_image;
  /// Says a sentence to the user once, however many pods it is true of.
  std::function<void(const std::string& sentence)> note_once;
  std::function<std::string(const PodKey& pod, std::string_view container)> log_file;
  std::uint64_t last_input = 0;
};

class PodRun final : public std::enable_shared_from_this<PodRun> {
 public:
  PodRun(NodeShared& shared, PodKey key, std::shared_ptr<const doc::Value> pod,
         std::function<void()> on_processes_over, std::function<void()> on_done);
  PodRun(const PodRun&) = delete;
  PodRun& operator=(const PodRun&) = delete;
  ~PodRun();

  /// Does what needs no place on the node: stages the inputs.
  void prepare();
  /// The pod has its place: its containers start, once it is prepared.
  void begin();
  void stop(std::optional<std::chrono::seconds> grace);
  /// Tries again what a missing ConfigMap or Secret held up.
  void look_again();

 private:
  enum class Stopping { no, asked, deadline };

  struct Container {
    const doc::Value* document = nullptr;
    ContainerState* state = nullptr;
    bool main = false;      ///< the pod ends when all of these have
    bool captured = false;  ///< inputs are staged for it, outputs come from it
    const executor::ContainerRule* rule = nullptr;
    int attempts = 0;  ///< starts after the first one
    /// What its dependants are told: of one that was refused, the code of what it depended on.
    int told_code = 0;
    async::Timer retry;
    Descriptor input;  ///< our end of a standard input that stays open
    std::unique_ptr<Probe> probe;
    Run run = 0;
    std::unique_ptr<ContainerLog> log;
    ContainerSpec spec;
    std::uint64_t peak_memory_bytes = 0;
    std::uint64_t cpu_microseconds = 0;
  };

  PodContext context() const;
  void read_document();
  Result<> read_plan();
  std::chrono::seconds grace_period() const;

  void set_up();
  void wait_for_objects(const Error& error);
  void stage();
  StepWork::Staging make_staging();
  void staged(const Result<>& result);

  // pod_spec.cc: what a container's process gets.
  Result<> fill_spec(Container& container);
  Result<> add_security(Container& container);
  Result<> add_large_arguments(Container& container);
  Result<> add_staged_files(Container& container);
  Result<> place_links(const std::vector<Mount>& mounts);

  // pod_order.cc: which container runs when.
  enum class Turn { now, later, never };
  const Container* find(std::string_view name) const;
  Turn turn_of(const Container& container, const Container** failed) const;
  bool waits_for_others(const Container& container) const;
  void go_on();
  void start_ready();
  void refuse(Container& container, int exit_code, int told_code, std::string message);
  void refuse_waiting();
  bool start_again(Container& container, int exit_code);
  void launch(Container& container);
  void start(Container& container);
  void on_started(Container& container, const StartFailure* failure);
  void on_ended(Container& container, const Ended& ended);
  void ended(Container& container);
  void main_ended(const Container& container);
  void signal_all(int number, bool sidecars_only);
  void kill_after(std::chrono::seconds grace);
  void kill_later(std::chrono::seconds grace, bool sidecars_only);

  void collect();
  ViewSources view_sources(const Container& container) const;
  void finish(std::optional<executor::StepOutputs> outputs);
  void clean_up();
  void report();
  void report_soon();

  NodeShared& shared_;
  PodKey key_;
  std::shared_ptr<const doc::Value> pod_;
  std::function<void()> on_processes_over_;
  std::function<void()> on_done_;
  PodState state_;
  std::vector<Container> init_;
  std::vector<Container> containers_;
  std::size_t next_init_ = 0;
  bool prepared_ = false;
  bool has_place_ = false;
  bool waits_for_place_ = false;
  bool mains_begun_ = false;
  bool failing_ = false;  ///< a main container has failed, the others are told to end
  bool waits_for_objects_ = false;
  bool collecting_ = false;
  bool done_ = false;
  bool reporting_ = false;
  Stopping stopping_ = Stopping::no;
  std::string pod_folder_;
  std::string memory_folder_;
  bool has_folder_ = false;
  Volumes volumes_;
  std::optional<executor::StepPlan> plan_;
  std::string staged_error_;
  std::string input_;  ///< the folder of staged files; empty = none
  std::vector<std::string> links_;
  async::Timer deadline_;
  async::Timer kill_;
};

}  // namespace tiphys::node
