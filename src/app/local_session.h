#pragma once
/// The session of a state directory on this machine: the store, the artifacts and the logs in it.
/// Reading needs no lock and works while another program runs workflows there; runs are carried out
/// by LocalRun. A change of what is stored goes to the program that has the directory, if there is
/// one.

#include "app/pod_logs.h"
#include "app/state_paths.h"
#include "async/loop.h"
#include "async/random.h"
#include "cli/session.h"
#include "cluster/store/store.h"
#include "kube/selector.h"
#include "workflows/engine/engine.h"
#include "workflows/engine/status.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace tiphys::app {

/// What a session takes from the process.
struct SessionEnvironment {
  /// The PATH that steps have, and where their programs are looked for.
  std::string path;
  /// Begins this program once more in the background with these arguments, its output going to
  /// `log`.
  std::function<Result<>(const std::vector<std::string>& arguments,
                         const std::filesystem::path& log)>
      start_program = {};
};

class LocalSession final : public cli::Session {
 public:
  /// Errors: those of Store::open.
  static Result<std::unique_ptr<cli::Session>> open(const cli::SessionOptions& options,
                                                    SessionEnvironment environment);
  LocalSession(const LocalSession&) = delete;
  LocalSession& operator=(const LocalSession&) = delete;
  ~LocalSession() override;

  bool writable() const override { return writable_; }

  Result<std::vector<doc::Value>> list(bool with_nodes) override;
  Result<doc::Value> get(const std::string& name) override;
  Result<cli::Glance> glance(const std::string& name) override;
  Result<doc::Value> object(std::string_view kind, const std::string& namespace_name,
                            const std::string& name) override;
  Result<> logs(const cli::LogQuery& query,
                const std::function<bool(const cli::LogLine&)>& on_line) override;
  Result<cli::RunEnd> run(cli::RunRequest request, cli::RunObserver& observer) override;
  Result<doc::Value> watch(const std::string& name, cli::RunObserver& observer) override;
  std::vector<std::string> log_tail(const std::string& pod, std::size_t lines) override;
  Result<> control(const cli::Control& control) override;
  Result<std::string> retry(const cli::RetryRequest& request) override;
  Result<std::string> resubmit(const cli::ResubmitRequest& request) override;
  Result<> start(const std::vector<std::string>& names, const cli::RunOptions& options) override;
  Result<> remove(const std::string& name, cli::Removal removal) override;
  Result<> store(std::vector<doc::Value> objects, Write write) override;
  Result<std::vector<doc::Value>> objects(std::string_view kind,
                                          const std::string& namespace_name) override;
  Result<> remove_object(std::string_view kind, const std::string& namespace_name,
                         const std::string& name) override;
  Result<> copy_artifact(const doc::Value& workflow, const doc::Value& artifact,
                         const std::string& destination) override;
  Result<std::string> explain(const std::string& workflow, const std::string& node) override;

 private:
  LocalSession(StatePaths paths, const cli::SessionOptions& options,
               SessionEnvironment environment);

  Result<> open_store();
  /// The object of a name, "@latest" the newest, "NAMESPACE/NAME" that very one. Errors: not_found,
  /// conflict.
  Result<kube::ObjectRef> find(const std::string& name) const;
  Result<doc::Value> with_nodes(const kube::ObjectRef& workflow) const;
  Result<> select_pods(const kube::ObjectRef& workflow, std::span<const workflows::StoredRow> rows,
                       const kube::LabelSelector& selector,
                       std::vector<workflows::PodOfNode>& pods) const;

  /// What an observer of a run has been told.
  struct Told {
    std::vector<workflows::NodePhase> phases;  ///< by node
    bool first = true;
  };

  /// Tells what is new in a run as the store has it.
  Result<> tell(const kube::ObjectRef& workflow, Told& told, cli::RunObserver& observer);
  /// Waits a moment; true when another program may have written since, which has then been read.
  Result<bool> look_again();
  void wait_a_little(std::chrono::milliseconds time);
  /// Runs the loop until what was written is safe from a loss of power.
  Result<> flush();
  /// Has a request carried out by the program that has the directory, or when there is none by
  /// `record` here, with the right to write.
  Result<doc::Value> ask(const doc::Value& request,
                         const std::function<Result<doc::Value>()>& record);
  /// Carries out a verb on what is stored (store_verbs.h), here or there.
  Result<doc::Value> change(const doc::Value& request);
  Result<> begin_background(const std::vector<kube::ObjectKey>& keys,
                            const cli::RunOptions& options) const;
  /// Removes runs whose time is over.
  Result<> collect();

  StatePaths paths_;
  std::string namespace_;  ///< empty = any
  bool writable_;
  SessionEnvironment environment_;
  async::SystemClock clock_;
  async::SystemRandom random_;
  std::unique_ptr<async::Loop> loop_;
  std::unique_ptr<store::Store> store_;
  std::string seen_;      ///< what the store's files looked like when they were read
  bool settled_ = false;  ///< nothing can have been written that `seen_` does not show
  std::unique_ptr<LogFolder> tails_;
};

}  // namespace tiphys::app
