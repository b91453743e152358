#pragma once
/// Containers as processes of this machine. Three nouns: the `Isolation` that was asked for and
/// could be had; a `ContainerSpec`, everything about one container's process; a `Run`, the number
/// of one that was started. The sandbox owns the keeper, the program that holds the namespaces (see
/// keeper/protocol.h), and knows nothing of pods.
///
/// Everything happens on the loop's thread and nothing waits: starting is one packet to a parked
/// process. Containers end with this object, however it ends.

#include "async/loop.h"
#include "base/error.h"
#include "cluster/node/descriptor.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tiphys::node {

enum class Isolation {
  process,     ///< a plain process group
  namespaces,  ///< own pid, mount, ipc and uts namespaces, this machine's files
  layer,       ///< and a private writable layer over them
};

std::string_view name_of(Isolation isolation);

/// Where a container finds, in its environment, the file by which it may say how far it is; and
/// which file that is, other isolation levels than `layer` excepted.
inline constexpr std::string_view kProgressVariable = "ARGO_PROGRESS_FILE=/var/run/argo/progress";

/// A folder or file of the machine that a container sees at `target`.
struct Mount {
  std::string source;    ///< absolute path on this machine
  std::string sub_path;  ///< below source; never followed out of it, made as a folder when missing
  std::string target;    ///< absolute path in the container
  bool read_only = false;
};

struct ContainerSpec {
  std::string host_name;
  std::vector<std::string> arguments;    ///< the program first
  std::vector<std::string> environment;  ///< NAME=value; PATH is where the program is looked for
  std::string working_directory;         ///< empty = the root (process: the node's own)
  std::optional<std::int64_t> user;
  std::optional<std::int64_t> group;
  std::vector<std::uint32_t> groups;  ///< further groups of the user
  /// Bits of the capabilities that may be had at all; all ones = as many as a container gets.
  std::uint64_t capabilities = ~std::uint64_t{0};
  bool no_new_privileges = false;
  /// A terminal stands for all three streams; `start` hands our end to `on_terminal`.
  bool terminal = false;
  /// Standard input, which the caller may close once the container has been started; -1 = empty.
  int input = -1;
  /// Level layer: the folder made by `make_layer`, and further read-only layers below it, topmost
  /// first: names of folders below `inputs_folder`, none used twice.
  std::string layer;
  std::vector<std::string> lowers;
  bool read_only_root = false;
  std::vector<Mount> mounts;  ///< not at level process
  /// What the container says of its progress while it runs, "N/M". May be empty.
  std::function<void(const std::string& text)> on_progress = {};
};

struct StartFailure {
  std::string message;   ///< as containerd words it
  bool program = false;  ///< the program itself could not be started (StartError 128)
};

struct Ended {
  int exit_code = 0;  ///< 128 + signal when a signal ended it
  int signal = 0;
  std::uint64_t peak_memory_bytes = 0;
  std::uint64_t cpu_microseconds = 0;
};

struct SandboxConfig {
  std::string state_folder;  ///< absolute; holds nothing but what this module puts there
  Isolation isolation = Isolation::layer;
  std::function<void(std::string)> on_warning;
};

using Run = std::uint64_t;

/// What a layer will stand on: the machine's files alone, or ContainerSpec::lowers as well.
enum class LayerUse { alone, over_lowers };

class Sandbox final {
 public:
  Sandbox(async::Loop& loop, SandboxConfig config);
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  ~Sandbox();

  /// What this machine grants; finds out at the first call, in about a millisecond, and warns once
  /// when it is less than was asked for.
  Isolation isolation();

  /// Starts a container that writes to the two descriptors, which the caller may close at once.
  /// `on_started` comes first, with a failure it is the last; `on_ended` comes when no process of
  /// the container is left.
  Run start(const ContainerSpec& spec, int output, int errors,
            std::function<void(const StartFailure*)> on_started,
            std::function<void(const Ended&)> on_ended,
            std::function<void(Descriptor)> on_terminal = {});
  /// Starts a further program in a container that runs, with its user, environment and folder;
  /// its output is dropped. `on_ended` gets its exit code, or nothing when it could not be started
  /// or the container ended before.
  void exec(Run run, const std::vector<std::string>& arguments,
            std::function<void(std::optional<int>)> on_ended);
  /// To the process group of the container's first process; SIGKILL to all of its processes.
  void signal(Run run, int number);

  /// Makes, or takes from the unused ones, the folders of a writable layer; for level layer. The
  /// layer must be used as announced: one that a worker keeps mounted serves only `alone`.
  Result<std::string> make_layer(LayerUse use);
  /// Before a container is started once more in a layer that one has written to.
  void reuse_layer(const std::string& layer);
  /// Gives a layer back. True when nothing was written to it: it is used again. Else the caller
  /// deletes its folder.
  bool recycle_layer(const std::string& layer);
  /// Files of this machine may have been changed by a container, outside its layer: no layer that
  /// is mounted now is used again.
  void machine_changed();
  /// The folder with the files a container wrote.
  std::string upper_folder(std::string_view layer) const;

  /// Parts of the machine's files that have a writable folder of their own in a layer, or none
  /// (empty); outer ones first.
  struct Part {
    std::string path;
    std::string upper_folder;
  };

  std::vector<Part> parts(std::string_view layer) const;
  /// Where further layers are put together.
  std::string inputs_folder() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tiphys::node
