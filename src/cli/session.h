#pragma once
/// What the verbs of the command line act on. A `Session` is one place where Workflows live: here a
/// state directory of this machine, opened for reading or with the right to write. The verbs know
/// nothing else of where they work.
///
/// app/ implements it. Everything is called from the main thread; `run` and `watch` block until
/// their run has ended.

#include "base/error.h"
#include "cli/screen.h"
#include "doc/json.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::workflows {
struct Config;
}

namespace tiphys::cli {

/// How a step's processes are kept apart from this machine (design, section 6).
enum class Isolation { process, namespaces, layer };

struct RunOptions {
  /// Pods at once of those that request nothing; 0 = one a core.
  int slots = 0;
  bool reuse = false;
  Isolation isolation = Isolation::layer;
  /// The file given with --config; null = none.
  std::shared_ptr<const workflows::Config> config;
  /// Its path, for a program that is begun in the background.
  std::string config_file;
  /// Keys of artifacts that name none; empty = upstream's default.
  std::string artifact_key_format;
};

/// A node as the live view needs it.
struct NodeLine {
  static constexpr std::uint32_t kNoParent = 0xFFFFFFFFU;

  std::string run;  ///< name of the Workflow
  std::uint32_t index = 0;
  /// The node it stands below: its step group, DAG, task group, Retry, or the node it is a hook of.
  std::uint32_t parent = kNoParent;
  std::string name;
  std::string display_name;
  std::string type;
  std::string template_name;
  std::string phase;
  std::string message;
  std::string pod;  ///< name of its pod, "" for what has none
  bool reused = false;
  /// It was so before this program looked: no transition, but told so that the tree is whole.
  bool earlier = false;
  /// Zero while it has not started or not ended.
  std::chrono::sys_time<std::chrono::milliseconds> started;
  std::chrono::sys_time<std::chrono::milliseconds> finished;
};

struct RunLine {
  std::string name;
  std::string phase;
  std::string message;
  std::string progress;
  /// Zero while unknown.
  std::chrono::sys_time<std::chrono::milliseconds> started;
};

/// A line that a container wrote.
struct LogLine {
  std::string pod;
  std::string container;
  std::string timestamp;  ///< RFC 3339 with nanoseconds
  std::string text;       ///< without the newline
};

/// What `run` and `watch` tell while they block.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void on_run(const RunLine& run) = 0;
  virtual void on_node(const NodeLine& node) = 0;
  /// Only asked for with RunRequest::logs.
  virtual void on_log(const LogLine& line) = 0;
  /// Something a person should know: an image replaced by the host image, an isolation that cannot
  /// be had.
  virtual void on_notice(std::string_view text) = 0;
  /// About ten times a second on a terminal, for clocks that tick; never in a pipe.
  virtual void on_tick() = 0;
  virtual bool wants_ticks() const = 0;
};

/// Documents to store, then the Workflows among them to run, one after the other started, all at
/// once running.
struct RunRequest {
  std::vector<doc::Value> supporting;  ///< templates, ConfigMaps, Secrets, claims
  std::vector<doc::Value> workflows;
  /// Instead of new ones: runs of this state directory to go on with.
  std::vector<std::string> resume;
  RunOptions options;
  bool logs = false;
  /// The Workflows returned have their nodes.
  bool with_nodes = true;
};

struct RunEnd {
  /// The Workflows of the request as they stand, nodes included.
  std::vector<doc::Value> workflows;
  /// A person left before they had ended; they can be resumed.
  bool left = false;
};

struct LogQuery {
  std::string workflow;
  std::string node_or_pod;  ///< empty = all
  std::string container;    ///< empty = all
  bool follow = false;
  bool previous = false;
  std::optional<std::int64_t> tail;
  std::optional<std::chrono::sys_seconds> since;
  std::string grep;  ///< RE2 pattern, empty = all
  std::string label_selector;
};

struct RetryRequest {
  std::string workflow;
  bool restart_successful = false;
  std::string node_field_selector;
  std::vector<std::pair<std::string, std::string>> parameters;
};

/// A Workflow with as many of its nodes as a person can take in.
struct Glance {
  doc::Value workflow;
  std::size_t nodes = 0;  ///< that it has
  std::size_t shown = 0;  ///< that are in status.nodes
};

struct ResubmitRequest {
  std::string workflow;
  std::string suffix;  ///< ends the new name
  bool memoized = false;
  std::string node_field_selector;
  std::vector<std::pair<std::string, std::string>> parameters;
  std::optional<int> priority;
};

/// A change to a run that is under way, or to its record when nothing runs.
struct Control {
  enum class Verb { stop, terminate, suspend, resume, set };

  Verb verb = Verb::stop;
  std::string namespace_;  ///< empty = whichever
  std::string workflow;
  std::string message;
  std::string node_field_selector;
  std::string phase;                                            ///< set
  std::vector<std::pair<std::string, std::string>> parameters;  ///< set
};

enum class Removal { ordinary, forced };

class Session {
 public:
  virtual ~Session() = default;

  /// Whether runs can be carried out in this session.
  virtual bool writable() const = 0;
  /// All Workflows, without their nodes unless asked for, newest first.
  virtual Result<std::vector<doc::Value>> list(bool with_nodes) = 0;
  /// One Workflow with its nodes; "@latest" is the newest. Errors: not_found as kubectl words it,
  /// conflict when several namespaces have one of this name.
  virtual Result<doc::Value> get(const std::string& name) = 0;
  /// The same with a part of the nodes when there are very many: the cost does not grow with them.
  virtual Result<Glance> glance(const std::string& name) = 0;
  /// A template or other object, null when there is none.
  virtual Result<doc::Value> object(std::string_view kind, const std::string& namespace_name,
                                    const std::string& name) = 0;

  virtual Result<> logs(const LogQuery& query,
                        const std::function<bool(const LogLine&)>& on_line) = 0;
  /// Runs to the end, or until a person leaves.
  virtual Result<RunEnd> run(RunRequest request, RunObserver& observer) = 0;
  /// Follows a run that another process carries out; returns it as it ended.
  virtual Result<doc::Value> watch(const std::string& name, RunObserver& observer) = 0;
  /// The last lines that a pod's containers wrote, oldest first; none when there is no log. May be
  /// called while `run` or `watch` blocks.
  virtual std::vector<std::string> log_tail(const std::string& pod, std::size_t lines) = 0;
  virtual Result<> control(const Control& control) = 0;
  /// Prepares a run that has ended to go on; `run` with `resume`, or `start`, then does. Returns
  /// its name.
  virtual Result<std::string> retry(const RetryRequest& request) = 0;
  /// Makes a new run of one that there is, to be carried out in the same ways.
  virtual Result<std::string> resubmit(const ResubmitRequest& request) = 0;
  /// Has runs that are stored carried out by another program: the one that runs workflows here, or
  /// one that is begun in the background. Gives up the right to write.
  virtual Result<> start(const std::vector<std::string>& names, const RunOptions& options) = 0;
  /// Removes a run with what belongs to it. Error conflict: artifacts that were to go with it could
  /// not be removed, and the run stays; forced, they are left behind.
  virtual Result<> remove(const std::string& name, Removal removal) = 0;

  enum class Write {
    create,  ///< error already_exists
    put,     ///< replaces what is there
    update,  ///< error not_found
  };

  /// Stores objects, all or none.
  virtual Result<> store(std::vector<doc::Value> objects, Write write) = 0;
  /// The objects of a kind, by name; an empty namespace means all.
  virtual Result<std::vector<doc::Value>> objects(std::string_view kind,
                                                  const std::string& namespace_name) = 0;
  virtual Result<> remove_object(std::string_view kind, const std::string& namespace_name,
                                 const std::string& name) = 0;
  /// Copies an artifact of a Workflow's node to a path of this machine, over a file that is there.
  virtual Result<> copy_artifact(const doc::Value& workflow, const doc::Value& artifact,
                                 const std::string& destination) = 0;
  /// Why a node ran or did not: the sentences that `explain` prints.
  virtual Result<std::string> explain(const std::string& workflow, const std::string& node) = 0;
};

struct SessionOptions {
  std::string state_directory;
  /// The one whose Workflows are meant; empty = any.
  std::string namespace_;
  /// Sessions that may write exclude each other.
  bool writable = false;
};

using OpenSession = std::function<Result<std::unique_ptr<Session>>(const SessionOptions& options)>;

/// What the command line takes from the process, handed in by app/.
struct Surroundings {
  std::vector<std::string> arguments;  ///< without the program's name
  std::map<std::string, std::string> environment;
  bool output_is_terminal = false;
  /// Of the terminal as it is now: it may be resized.
  std::function<ScreenSize()> terminal_size;
  std::function<std::chrono::sys_seconds()> now;
  std::function<std::chrono::sys_time<std::chrono::milliseconds>()> now_exactly;
  std::function<std::string()> random_suffix;  ///< five characters for generateName
  OpenSession open_session;
  /// Reads all of standard input.
  std::function<Result<std::string>()> read_input;
  std::string version;
};

/// Carries out one command line and returns the exit code of the process.
int main(const Surroundings& surroundings);

}  // namespace tiphys::cli
