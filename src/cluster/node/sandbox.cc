#include "cluster/node/sandbox.h"

#include "cluster/node/files.h"
#include "cluster/node/host_mounts.h"
#include "cluster/node/keeper_process.h"
#include "cluster/node/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <span>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unordered_map>

namespace tiphys::node {
namespace {

using keeper::Message;
using keeper::Stage;

constexpr mode_t kLayerMode = 0755;
/// Parked workers beyond this many are let go.
constexpr std::size_t kMaximumIdle = 64;

keeper::Level level_of(Isolation isolation) { return static_cast<keeper::Level>(isolation); }

std::string_view path_of(const std::vector<std::string>& environment) {
  constexpr std::string_view kName = "PATH=";
  std::string_view path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  for (const std::string_view entry : environment) {
    if (entry.starts_with(kName)) {
      path = entry.substr(kName.size());
    }
  }
  return path;
}

template <class Writer>
void write_list(Writer& writer, const std::vector<std::string>& list) {
  writer.number(static_cast<std::uint32_t>(list.size()));
  for (const std::string& text : list) {
    writer.text(text);
  }
}

template <class Writer>
void write_mounts(Writer& writer, const std::vector<Mount>& mounts, std::string_view state) {
  writer.number(static_cast<std::uint32_t>(mounts.size()));
  for (const Mount& mount : mounts) {
    const bool ours = lies_in(mount.source, state) && mount.source != state;
    writer.number(ours ? keeper::MountKind::state : keeper::MountKind::host);
    writer.number(static_cast<std::uint8_t>(mount.read_only));
    writer.text(ours ? std::string_view(mount.source).substr(state.size() + 1) : mount.source);
    writer.text(mount.sub_path);
    writer.text(mount.target);
  }
}

/// The environment, with its own file of progress when `progress` is not empty.
template <class Writer>
void write_environment(Writer& writer, const std::vector<std::string>& environment,
                       const std::string& progress) {
  writer.number(static_cast<std::uint32_t>(environment.size()));
  for (const std::string& entry : environment) {
    writer.text(!progress.empty() && entry == kProgressVariable ? progress : entry);
  }
}

std::string start_packet(const ContainerSpec& spec, std::string_view state,
                         std::uint64_t generation, const std::string& progress) {
  std::string packet;
  packet.reserve(4096);
  keeper::Writer writer(packet);
  writer.number(Message::start);
  writer.text(spec.host_name);
  writer.text(spec.layer);
  writer.number(generation);
  writer.number(static_cast<std::uint8_t>(spec.read_only_root));
  write_list(writer, spec.lowers);
  write_mounts(writer, spec.mounts, state);
  writer.text(spec.working_directory);
  writer.text(path_of(spec.environment));
  writer.number(spec.user.value_or(-1));
  writer.number(spec.group.value_or(-1));
  writer.number(static_cast<std::uint32_t>(spec.groups.size()));
  for (const std::uint32_t group : spec.groups) {
    writer.number(group);
  }
  writer.number(spec.capabilities);
  writer.number(static_cast<std::uint8_t>(spec.no_new_privileges));
  writer.number(static_cast<std::uint8_t>(spec.terminal));
  write_list(writer, spec.arguments);
  write_environment(writer, spec.environment, progress);
  return packet;
}

/// Arguments or an environment can be larger than a packet; then they travel in a memory file.
Result<> send_start(int socket, const std::string& packet, int output, int errors, int input) {
  std::array<int, 4> descriptors{output, errors, -1, -1};
  std::size_t count = 2;
  if (packet.size() <= keeper::kMaximumPacket) {
    if (input >= 0) {
      descriptors[count++] = input;
    }
    return send_packet(socket, packet, std::span(descriptors).first(count));
  }
  const Descriptor file(memfd_create("start", MFD_CLOEXEC));
  const std::string_view fields = std::string_view(packet).substr(sizeof(Message));
  if (!file ||
      write(file.get(), fields.data(), fields.size()) != static_cast<ssize_t>(fields.size())) {
    return fail_errno("writing to a file in memory", errno);
  }
  const auto type = static_cast<char>(Message::start_far);
  descriptors[count++] = file.get();
  if (input >= 0) {
    descriptors[count++] = input;
  }
  return send_packet(socket, std::string_view(&type, 1), std::span(descriptors).first(count));
}

/// The sentences of containerd and runc 1.1 for what they call the same failures.
StartFailure start_failure(Stage stage, int error, std::string_view detail) {
  constexpr std::string_view kPrefix =
      "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
      "runc create failed: unable to start container process: ";
  std::string reason = std::strerror(error);
  if (!reason.empty()) {
    reason[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(reason[0])));
  }
  const bool bare = detail.find('/') == std::string_view::npos;
  if (stage == Stage::exec && error == ENOENT && bare) {
    return {
        fmt::format("{}exec: \"{}\": executable file not found in $PATH: unknown", kPrefix, detail),
        true};
  }
  if (stage == Stage::exec && error == ENOENT) {
    return {fmt::format("{}exec: \"{}\": stat {}: no such file or directory: unknown", kPrefix,
                        detail, detail),
            true};
  }
  if (stage == Stage::exec) {
    return {fmt::format("{}exec: \"{}\": {}: unknown", kPrefix, detail, reason), true};
  }
  if (stage == Stage::working_directory) {
    return {fmt::format("{}chdir to cwd (\"{}\") set in config.json failed: {}: unknown", kPrefix,
                        detail, reason),
            true};
  }
  return {describe(stage, error, detail), false};
}

Ended read_ended(keeper::Reader& reader) {
  const auto status = reader.number<std::int32_t>();
  Ended ended;
  ended.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  ended.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  ended.peak_memory_bytes = reader.number<std::uint64_t>() * 1024;
  ended.cpu_microseconds = reader.number<std::uint64_t>();
  return ended;
}

}  // namespace

std::string_view name_of(Isolation isolation) {
  constexpr std::array<std::string_view, 3> kNames{"process", "namespaces", "layer"};
  return kNames[static_cast<std::size_t>(isolation)];
}

class Sandbox::Impl final {
 public:
  Impl(async::Loop& loop, SandboxConfig config)
      : loop_(loop),
        config_(std::move(config)),
        progress_(loop, [this](ProgressFiles::Folder folder, const std::string& name) {
          on_progress(folder, name);
        }) {}

  ~Impl() {
    if (shared_folder_) {
      remove_tree(shared_path_);
    }
  }

  Isolation isolation() {
    if (!keeper_) {
      open();
    }
    return isolation_;
  }

  Run start(const ContainerSpec& spec, int output, int errors,
            std::function<void(const StartFailure*)> on_started,
            std::function<void(const Ended&)> on_ended,
            std::function<void(Descriptor)> on_terminal) {
    isolation();
    const Run run = ++last_run_;
    auto worker = take_worker(spec);
    if (!worker) {
      refuse(std::move(on_started), worker.error().message);
      return run;
    }
    Worker& chosen = **worker;
    chosen.run = run;
    chosen.on_started = std::move(on_started);
    chosen.on_ended = std::move(on_ended);
    chosen.on_progress = spec.on_progress;
    chosen.on_terminal = std::move(on_terminal);
    chosen.hold = loop_.hold();
    running_[run] = &chosen;
    const std::string progress =
        shared_folder_ ? fmt::format("ARGO_PROGRESS_FILE={}/{}", shared_path_, run) : "";
    const std::string packet = start_packet(spec, config_.state_folder, generation_, progress);
    if (const auto sent = send_start(chosen.socket.get(), packet, output, errors, spec.input);
        !sent) {
      drop(chosen, sent.error().message);
    }
    return run;
  }

  void signal(Run run, int number) {
    const auto found = running_.find(run);
    if (found == running_.end()) {
      return;
    }
    std::string packet;
    keeper::Writer writer(packet);
    writer.number(Message::signal);
    writer.number(static_cast<std::int32_t>(number));
    // A worker that is gone is noticed by its socket.
    [[maybe_unused]] const auto sent = send_packet(found->second->socket.get(), packet, {});
  }

  void exec(Run run, const std::vector<std::string>& arguments,
            std::function<void(std::optional<int>)> on_ended) {
    const auto found = running_.find(run);
    std::string packet;
    keeper::Writer writer(packet);
    writer.number(Message::exec);
    writer.number(++last_exec_);
    write_list(writer, arguments);
    const Descriptor null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    const std::array descriptors{null.get(), null.get()};
    const bool fits = packet.size() <= keeper::kMaximumRunningPacket;
    if (found == running_.end() || !fits || !null ||
        !send_packet(found->second->socket.get(), packet, descriptors)) {
      loop_.post([on_ended = std::move(on_ended), hold = loop_.hold()] { on_ended(std::nullopt); });
      return;
    }
    found->second->execs.emplace(last_exec_, std::move(on_ended));
  }

  void reuse_layer(const std::string& layer) {
    if (!holders_.contains(layer)) {
      unmark_all(layer);
    }
  }

  Result<std::string> make_layer(LayerUse use) {
    isolation();
    for (auto layer = free_layers_.rbegin(); layer != free_layers_.rend(); ++layer) {
      const auto holder = holders_.find(*layer);
      const bool is_held = holder != holders_.end();
      if (!is_held || (use == LayerUse::alone && holder->second->run == 0)) {
        std::string taken = std::move(*layer);
        free_layers_.erase(std::next(layer).base());
        return taken;
      }
    }
    return new_layer();
  }

  bool recycle_layer(const std::string& layer) {
    const auto holder = holders_.find(layer);
    if (is_clean(layer) && (holder != holders_.end() || unmark_all(layer))) {
      free_layers_.push_back(layer);
      return true;
    }
    if (holder != holders_.end()) {
      const auto type = static_cast<char>(Message::release);
      // A worker that is gone has let go already.
      [[maybe_unused]] const auto sent =
          send_packet(holder->second->socket.get(), std::string_view(&type, 1), {});
      holder->second->layer.clear();
      holders_.erase(holder);
    }
    return false;
  }

  void machine_changed() { ++generation_; }

  const SandboxConfig& config() const { return config_; }

  const std::vector<HostMounts::Other>& others() const { return others_; }

 private:
  struct Worker {
    Descriptor socket;
    std::string layer;  ///< the one it keeps mounted
    async::Watch watch;
    Run run = 0;
    bool answered = false;
    std::string refusal;
    async::Hold hold;
    std::function<void(const StartFailure*)> on_started;
    std::function<void(const Ended&)> on_ended;
    Descriptor folder;  ///< where its container says how far it is
    ProgressFiles::Folder watched = 0;
    bool wrote = false;  ///< there may be something in the folder
    std::string said;
    std::function<void(const std::string&)> on_progress;
    std::function<void(Descriptor)> on_terminal;
    std::unordered_map<std::uint64_t, std::function<void(std::optional<int>)>> execs;
  };

  void warn(std::string text) const {
    if (config_.on_warning) {
      config_.on_warning(std::move(text));
    }
  }

  /// Finds the highest level that this machine grants.
  void open() {
    for (const char* name : {"", "/root", "/empty", "/inputs", "/layers"}) {
      make_folder(config_.state_folder + name, name[0] == '\0' ? 0700 : 0755);
    }
    std::string refused;
    for (auto level = static_cast<int>(config_.isolation); level >= 0; --level) {
      isolation_ = static_cast<Isolation>(level);
      auto opened = open_at(isolation_);
      if (opened) {
        break;
      }
      if (refused.empty()) {
        refused = opened.error().message;
      }
    }
    if (isolation_ != config_.isolation || !keeper_) {
      warn(
          fmt::format("this machine does not allow isolation level {} ({}); steps run with level "
                      "{}",
                      name_of(config_.isolation), refused, name_of(isolation_)));
    }
  }

  Result<> open_at(Isolation isolation) {
    std::string probe;
    KeeperSetup setup;
    setup.level = level_of(isolation);
    setup.state_folder = config_.state_folder;
    setup.root_folder = config_.state_folder + "/root";
    if (isolation == Isolation::layer) {
      const std::string text = read_text("/proc/self/mountinfo");
      setup.mounts = geteuid() == 0 ? sort_mounts(text, config_.state_folder)
                                    : split_root(text, config_.state_folder);
      others_ = setup.mounts.others;
      TRY(probe, new_layer());
      if (probe != "layers/1") {
        return fail(ErrorCode::internal, "the first layer is taken");
      }
    }
    Descriptor socket;
    Descriptor folder;
    auto started = KeeperProcess::start(setup, socket, folder);
    if (!started) {
      return std::unexpected(std::move(started).error());
    }
    keeper_ = std::make_unique<KeeperProcess>(std::move(*started));
    Worker& worker = add_worker(std::move(socket));
    worker.answered = true;
    take_folder(worker, std::move(folder));
    if (isolation != Isolation::layer) {
      open_shared_folder();
    }
    idle_.push_back(&worker);
    if (!probe.empty() && !recycle_layer(probe)) {
      remove_tree(config_.state_folder + "/" + probe);
    }
    return {};
  }

  void take_folder(Worker& worker, Descriptor folder) {
    worker.folder = std::move(folder);
    worker.watched = worker.folder ? progress_.add(worker.folder.get()) : 0;
    if (worker.watched != 0) {
      folders_[worker.watched] = &worker;
    }
  }

  void forget_folder(Worker& worker) {
    folders_.erase(worker.watched);
    progress_.remove(std::exchange(worker.watched, 0));
  }

  /// Containers that see the machine's own files find theirs in one folder.
  void open_shared_folder() {
    shared_path_ = fmt::format("/dev/shm/tiphys-{}-progress", getpid());
    if (mkdir(shared_path_.c_str(), 0700) != 0) {
      return;
    }
    shared_folder_ = Descriptor(::open(shared_path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    fchmod(shared_folder_.get(), 01777);
    shared_watch_ = progress_.add(shared_folder_.get());
  }

  void on_progress(ProgressFiles::Folder folder, const std::string& name) {
    Worker* worker = nullptr;
    if (folder == shared_watch_) {
      const auto run = running_.find(std::strtoull(name.c_str(), nullptr, 10));
      worker = run == running_.end() ? nullptr : run->second;
    } else if (const auto found = folders_.find(folder); found != folders_.end()) {
      worker = found->second;
    }
    if (worker == nullptr) {
      return;
    }
    worker->wrote = true;
    if (folder != shared_watch_ && name != "progress") {
      return;
    }
    const Descriptor& place = folder == shared_watch_ ? shared_folder_ : worker->folder;
    std::string text = read_progress(place.get(), name);
    if (!text.empty() && text != worker->said && worker->on_progress) {
      worker->said = std::move(text);
      worker->on_progress(worker->said);
    }
  }

  /// What a container that has ended said last, and nothing of it for the next one.
  void end_progress(Worker& worker) {
    progress_.tell();
    if (!std::exchange(worker.wrote, false)) {
      return;
    }
    worker.said.clear();
    if (worker.folder) {
      clear_folder(worker.folder.get());
      fchmod(worker.folder.get(), 01777);
      // What was done just now is no news.
      progress_.tell();
      worker.wrote = false;
    } else if (shared_folder_) {
      unlinkat(shared_folder_.get(), std::to_string(worker.run).c_str(), 0);
    }
  }

  Worker& add_worker(Descriptor socket) {
    auto worker = std::make_unique<Worker>();
    Worker& added = *worker;
    added.socket = std::move(socket);
    added.watch = loop_.watch_fd(added.socket.get(), async::Interest::readable,
                                 [this, &added] { on_readable(added); });
    workers_.emplace(&added, std::move(worker));
    return added;
  }

  /// The parked worker that has the layer mounted, or else one that would lose nothing, or any
  /// whose layer nobody waits for: two may not mount the same one.
  Worker* choose_idle(const ContainerSpec& spec) {
    const auto holder = holders_.find(spec.layer);
    auto chosen = idle_.end();
    if (holder != holders_.end()) {
      chosen = std::find(idle_.begin(), idle_.end(), holder->second);
    }
    for (const bool may_lose : {false, true}) {
      for (auto worker = idle_.end(); chosen == idle_.end() && worker != idle_.begin();) {
        --worker;
        const std::string& held = (*worker)->layer;
        if (held.empty() ||
            (may_lose && std::ranges::find(free_layers_, held) != free_layers_.end())) {
          chosen = worker;
        }
      }
    }
    if (chosen == idle_.end()) {
      return nullptr;
    }
    Worker* worker = *chosen;
    idle_.erase(chosen);
    return worker;
  }

  Result<Worker*> take_worker(const ContainerSpec& spec) {
    Worker* worker = choose_idle(spec);
    if (worker == nullptr) {
      if (!keeper_) {
        return fail(ErrorCode::unavailable, "no process can be started");
      }
      TRY(Descriptor socket, keeper_->new_worker());
      worker = &add_worker(std::move(socket));
    }
    if (spec.lowers.empty() && worker->layer != spec.layer) {
      forget_layer(*worker);
      if (!spec.layer.empty()) {
        worker->layer = spec.layer;
        holders_[spec.layer] = worker;
      }
    }
    return worker;
  }

  /// The worker lets go of a clean layer for another one, at a moment we do not know: nobody may
  /// mount it meanwhile, so it is given up.
  void forget_layer(Worker& worker) {
    if (worker.layer.empty()) {
      return;
    }
    holders_.erase(worker.layer);
    if (std::erase(free_layers_, worker.layer) > 0) {
      remove_tree(config_.state_folder + "/" + worker.layer);
    }
    worker.layer.clear();
  }

  void refuse(std::function<void(const StartFailure*)> on_started, std::string message) {
    loop_.post(
        [on_started = std::move(on_started), message = std::move(message), hold = loop_.hold()] {
          const StartFailure failure{message, false};
          on_started(&failure);
        });
  }

  void on_readable(Worker& worker) {
    std::array<char, 2048> bytes{};
    Descriptor descriptor;
    const ssize_t got = receive_packet(worker.socket.get(), bytes, descriptor);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    }
    if (got <= 0) {
      drop(worker, worker.refusal.empty() ? "the container's keeper died" : worker.refusal);
      return;
    }
    keeper::Reader reader(bytes.data(), static_cast<std::size_t>(got));
    switch (reader.number<Message>()) {
      case Message::answer:
        on_answer(worker, reader);
        take_folder(worker, std::move(descriptor));
        break;
      case Message::started:
        on_started(worker, reader, std::move(descriptor));
        break;
      case Message::exec_ended:
        on_exec_ended(worker, reader);
        break;
      case Message::ended: {
        const Ended ended = read_ended(reader);
        end_progress(worker);
        auto callback = std::move(worker.on_ended);
        park(worker);
        callback(ended);
        break;
      }
      default:
        break;
    }
  }

  void on_answer(Worker& worker, keeper::Reader& reader) {
    const auto error = reader.number<std::int32_t>();
    const auto stage = reader.number<Stage>();
    worker.answered = true;
    if (stage != Stage::none) {
      worker.refusal = describe(stage, error, reader.text());
    }
  }

  static void on_exec_ended(Worker& worker, keeper::Reader& reader) {
    const auto id = reader.number<std::uint64_t>();
    const auto status = reader.number<std::int32_t>();
    if (auto exec = worker.execs.extract(id)) {
      exec.mapped()(status < 0            ? std::nullopt
                    : WIFSIGNALED(status) ? std::optional(128 + WTERMSIG(status))
                                          : std::optional(WEXITSTATUS(status)));
    }
  }

  void on_started(Worker& worker, keeper::Reader& reader, Descriptor terminal) {
    const auto error = reader.number<std::int32_t>();
    const auto stage = reader.number<Stage>();
    auto callback = std::exchange(worker.on_started, nullptr);
    auto take_terminal = std::exchange(worker.on_terminal, nullptr);
    if (terminal && take_terminal) {
      take_terminal(std::move(terminal));
    }
    if (stage == Stage::none) {
      callback(nullptr);
      return;
    }
    const StartFailure failure = start_failure(stage, error, reader.text());
    park(worker);
    callback(&failure);
  }

  /// They ended with their container.
  void forget_execs(Worker& worker) {
    for (auto& exec : std::exchange(worker.execs, {})) {
      loop_.post(
          [on_ended = std::move(exec.second), hold = loop_.hold()] { on_ended(std::nullopt); });
    }
  }

  void park(Worker& worker) {
    running_.erase(worker.run);
    worker.run = 0;
    worker.on_started = nullptr;
    worker.on_ended = nullptr;
    worker.on_progress = nullptr;
    worker.on_terminal = nullptr;
    forget_execs(worker);
    worker.hold = {};
    if (idle_.size() < kMaximumIdle) {
      idle_.push_back(&worker);
    } else {
      forget_layer(worker);
      forget_folder(worker);
      workers_.erase(&worker);
    }
  }

  void drop(Worker& worker, const std::string& why) {
    auto started = std::move(worker.on_started);
    auto ended = std::move(worker.on_ended);
    const bool busy = worker.run != 0;
    running_.erase(worker.run);
    forget_execs(worker);
    std::erase(idle_, &worker);
    forget_layer(worker);
    forget_folder(worker);
    auto hold = std::move(worker.hold);
    // Its watch calls us just now: it goes when that call is over.
    const auto node = std::make_shared<decltype(workers_)::node_type>(workers_.extract(&worker));
    worker.watch.cancel();
    loop_.post([node] {});
    if (!busy) {
      return;
    }
    loop_.post(
        [started = std::move(started), ended = std::move(ended), why, hold = std::move(hold)] {
          if (started) {
            const StartFailure failure{why, false};
            started(&failure);
          } else if (ended) {
            ended({128 + SIGKILL, SIGKILL, 0, 0});
          }
        });
  }

  Result<std::string> new_layer() {
    const std::string layer = fmt::format("layers/{}", ++last_layer_);
    const std::string folder = config_.state_folder + "/" + layer;
    TRY_VOID(make_folder(folder, 0700));
    TRY_VOID(make_folder(folder + "/u", kLayerMode));
    TRY_VOID(make_folder(folder + "/w", kLayerMode));
    for (std::size_t i = 0; i < others_.size(); ++i) {
      if (is_writable(others_[i].kind)) {
        TRY_VOID(make_folder(fmt::format("{}/o{}u", folder, i), kLayerMode));
        TRY_VOID(make_folder(fmt::format("{}/o{}w", folder, i), kLayerMode));
      }
    }
    return layer;
  }

  template <class Check>
  bool all_parts(const std::string& layer, Check check) const {
    const std::string folder = config_.state_folder + "/" + layer;
    if (!check(folder + "/")) {
      return false;
    }
    for (std::size_t i = 0; i < others_.size(); ++i) {
      if (is_writable(others_[i].kind) && !check(fmt::format("{}/o{}", folder, i))) {
        return false;
      }
    }
    return true;
  }

  bool is_clean(const std::string& layer) const {
    return all_parts(layer, [](const std::string& part) { return untouched(part + "u"); });
  }

  bool unmark_all(const std::string& layer) const {
    return all_parts(layer, [](const std::string& part) { return unmark(part + "w"); });
  }

  /// Nothing was written below the folder and it still looks as it was made.
  static bool untouched(const std::string& folder) {
    struct stat status{};
    if (stat(folder.c_str(), &status) != 0 || (status.st_mode & 07777) != kLayerMode ||
        status.st_uid != geteuid() || status.st_gid != getegid()) {
      return false;
    }
    return is_empty_folder(folder);
  }

  /// Takes away the kernel's mark that a `volatile` layer was not synced: nothing is in it.
  static bool unmark(const std::string& work) {
    // overlayfs keeps a folder of its own, named like this, in the one it was given to work in.
    const std::string own = work + "/" + "work";
    const std::string mark = own + "/incompat/volatile";
    if (unlink((mark + "/dirty").c_str()) != 0 && errno == EACCES) {
      // The kernel makes these folders without permissions; root does not notice.
      for (const char* below : {"", "/incompat", "/incompat/volatile"}) {
        chmod((own + below).c_str(), 0700);
      }
      unlink((mark + "/dirty").c_str());
    }
    return rmdir(mark.c_str()) == 0 || errno == ENOENT;
  }

  async::Loop& loop_;
  SandboxConfig config_;
  Isolation isolation_ = Isolation::process;
  std::vector<HostMounts::Other> others_;
  ProgressFiles progress_;
  std::unordered_map<ProgressFiles::Folder, Worker*> folders_;
  std::string shared_path_;
  Descriptor shared_folder_;
  ProgressFiles::Folder shared_watch_ = -1;
  std::unique_ptr<KeeperProcess> keeper_;
  std::unordered_map<Worker*, std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;
  std::unordered_map<Run, Worker*> running_;
  Run last_run_ = 0;
  std::uint64_t last_exec_ = 0;
  std::uint64_t last_layer_ = 0;
  std::vector<std::string> free_layers_;
  /// Who keeps a layer mounted.
  std::unordered_map<std::string, Worker*> holders_;
  std::uint64_t generation_ = 1;
};

Sandbox::Sandbox(async::Loop& loop, SandboxConfig config)
    : impl_(std::make_unique<Impl>(loop, std::move(config))) {}

Sandbox::~Sandbox() = default;

Isolation Sandbox::isolation() { return impl_->isolation(); }

Run Sandbox::start(const ContainerSpec& spec, int output, int errors,
                   std::function<void(const StartFailure*)> on_started,
                   std::function<void(const Ended&)> on_ended,
                   std::function<void(Descriptor)> on_terminal) {
  return impl_->start(spec, output, errors, std::move(on_started), std::move(on_ended),
                      std::move(on_terminal));
}

void Sandbox::exec(Run run, const std::vector<std::string>& arguments,
                   std::function<void(std::optional<int>)> on_ended) {
  impl_->exec(run, arguments, std::move(on_ended));
}

void Sandbox::reuse_layer(const std::string& layer) { impl_->reuse_layer(layer); }

void Sandbox::signal(Run run, int number) { impl_->signal(run, number); }

Result<std::string> Sandbox::make_layer(LayerUse use) { return impl_->make_layer(use); }

bool Sandbox::recycle_layer(const std::string& layer) { return impl_->recycle_layer(layer); }

void Sandbox::machine_changed() { impl_->machine_changed(); }

std::string Sandbox::upper_folder(std::string_view layer) const {
  return fmt::format("{}/{}/u", impl_->config().state_folder, layer);
}

std::vector<Sandbox::Part> Sandbox::parts(std::string_view layer) const {
  std::vector<Part> parts;
  const auto& others = impl_->others();
  for (std::size_t i = 0; i < others.size(); ++i) {
    parts.push_back(
        {others[i].path, is_writable(others[i].kind)
                             ? fmt::format("{}/{}/o{}u", impl_->config().state_folder, layer, i)
                             : ""});
  }
  return parts;
}

std::string Sandbox::inputs_folder() const { return impl_->config().state_folder + "/inputs"; }

}  // namespace tiphys::node
