#include "cluster/node/node.h"

#include "cluster/node/files.h"
#include "cluster/node/pod_run.h"
#include "kube/quantity.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <set>
#include <sys/sysinfo.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>

namespace tiphys::node {
namespace {

/// What a pod takes of the node.
struct Need {
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;

  bool slot() const { return cpu_milli == 0 && memory_bytes == 0; }
};

const doc::Value* descend(const doc::Value& value, std::string_view a, std::string_view b) {
  const doc::Value* inner = doc::find(value, a);
  return inner != nullptr ? doc::find(*inner, b) : nullptr;
}

Need request_of(const doc::Value& container) {
  const doc::Value* requests = descend(container, "resources", "requests");
  const doc::Value* limits = descend(container, "resources", "limits");
  const auto amount = [&](std::string_view name) {
    // A limit without a request is the request (the API server's default).
    const doc::Value* value = requests != nullptr ? doc::find(*requests, name) : nullptr;
    if (value == nullptr && limits != nullptr) {
      value = doc::find(*limits, name);
    }
    return kube::parse_quantity(value).value_or(0);
  };
  return {amount("cpu"), amount("memory") / 1000};
}

/// The sum of the containers, or the largest init container if that is more.
Need need_of(const doc::Value& pod) {
  Need need;
  const doc::Value* spec = doc::find(pod, "spec");
  const auto each = [&](std::string_view key, auto&& take) {
    const doc::Value* list = spec != nullptr ? doc::find(*spec, key) : nullptr;
    if (list != nullptr && list->is_array()) {
      for (const doc::Value& container : list->get_array()) {
        take(request_of(container));
      }
    }
  };
  each("containers", [&](const Need& one) {
    need.cpu_milli += one.cpu_milli;
    need.memory_bytes += one.memory_bytes;
  });
  each("initContainers", [&](const Need& one) {
    need.cpu_milli = std::max(need.cpu_milli, one.cpu_milli);
    need.memory_bytes = std::max(need.memory_bytes, one.memory_bytes);
  });
  return need;
}

std::string_view safe_uid(std::string_view uid) {
  return uid.find('/') == std::string_view::npos && uid != "." && uid != ".." ? uid : "";
}

std::string host_name() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

NodeConfig complete(NodeConfig config) {
  while (config.state_folder.size() > 1 && config.state_folder.ends_with('/')) {
    config.state_folder.pop_back();
  }
  const auto cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  config.slots = config.slots > 0 ? config.slots : cores;
  config.cpu_milli = config.cpu_milli > 0 ? config.cpu_milli : std::int64_t{1000} * cores;
  struct sysinfo info{};
  if (config.memory_bytes <= 0 && sysinfo(&info) == 0) {
    config.memory_bytes = static_cast<std::int64_t>(info.totalram) * info.mem_unit;
  }
  if (config.logs_folder.empty()) {
    config.logs_folder = config.state_folder + "/logs";
  }
#if defined(__aarch64__)
  constexpr std::string_view kArchitecture = "arm64";
#else
  constexpr std::string_view kArchitecture = "amd64";
#endif
  config.labels.emplace("kubernetes.io/os", "linux");
  config.labels.emplace("kubernetes.io/arch", kArchitecture);
  config.labels.emplace("kubernetes.io/hostname", host_name());
  return config;
}

}  // namespace

class Node::Impl final {
 public:
  Impl(async::Loop& loop, async::BlockingPool& pool, NodeConfig config, NodeCallbacks callbacks,
       StepWork* work)
      : loop_(loop),
        pool_(pool),
        config_(complete(std::move(config))),
        callbacks_(std::move(callbacks)),
        sandbox_(loop, {config_.state_folder, config_.isolation,
                        [this](std::string text) { notice(std::move(text)); }}),
        shared_{loop,
                pool,
                config_,
                callbacks_,
                sandbox_,
                work,
                [this](std::string_view image) { note_image(image); },
                [this](const std::string& sentence) {
                  if (sentences_.insert(sentence).second) {
                    notice(sentence);
                  }
                },
                [this](const PodKey& pod, std::string_view container) {
                  return log_file(pod, container);
                }} {
    clean_leftovers();
  }

  void run(std::shared_ptr<const doc::Value> pod) {
    const doc::Value* metadata = doc::find(*pod, "metadata");
    if (metadata == nullptr) {
      return;
    }
    PodKey key{std::string(doc::find_string(*metadata, "namespace")),
               std::string(doc::find_string(*metadata, "name")),
               std::string(safe_uid(doc::find_string(*metadata, "uid")))};
    if (key.uid.empty() || entries_.contains(key.uid)) {
      return;
    }
    Entry& entry = entries_[key.uid];
    entry.key = key;
    entry.need = need_of(*pod);
    entry.pod = std::move(pod);
    place(entry);
  }

  void stop(std::string_view uid, std::optional<std::chrono::seconds> grace) {
    const auto found = entries_.find(std::string(uid));
    if (found == entries_.end()) {
      return;
    }
    if (found->second.run) {
      found->second.run->stop(grace);
      return;
    }
    // Its place in the line stays and is skipped.
    PodState state;
    state.phase = PodPhase::failed;
    const PodKey key = found->second.key;
    entries_.erase(found);
    held_.erase(key.uid);
    loop_.post([this, alive = std::weak_ptr(alive_), key, state] {
      if (alive.lock()) {
        callbacks_.on_status(key, make_status(state, config_.address, loop_.now()), std::nullopt);
      }
    });
  }

  void objects_changed() {
    for (auto& [uid, entry] : entries_) {
      if (entry.run) {
        entry.run->look_again();
      }
    }
    for (const std::string& uid : std::exchange(held_, {})) {
      if (const auto found = entries_.find(uid); found != entries_.end()) {
        place(found->second);
      }
    }
  }

  std::size_t pods() const { return entries_.size(); }

  Isolation isolation() { return sandbox_.isolation(); }

  std::string log_file(const PodKey& pod, std::string_view container) const {
    return fmt::format("{}/{}_{}_{}/{}.log", config_.logs_folder, pod.name_space, pod.name, pod.uid,
                       container);
  }

 private:
  struct Entry {
    PodKey key;
    Need need;
    std::shared_ptr<const doc::Value> pod;
    std::shared_ptr<PodRun> run;
    bool placed = false;    ///< it has been given what it needs of the node
    bool released = false;  ///< it takes nothing of the node any more
  };

  void notice(std::string text) const {
    if (callbacks_.on_notice) {
      callbacks_.on_notice(std::move(text));
    }
  }

  void note_image(std::string_view image) {
    if (!image.empty() && images_.emplace(image).second) {
      notice(fmt::format("image {} is replaced by this machine's own files", image));
    }
  }

  /// What a node that was killed left behind. Moved aside at once, deleted when there is time.
  void clean_leftovers() {
    const std::string trash = fmt::format("{}/trash", config_.state_folder);
    bool any = false;
    for (const std::string_view name : {"layers", "pods", "inputs"}) {
      const std::string path = fmt::format("{}/{}", config_.state_folder, name);
      if (access(path.c_str(), F_OK) == 0 && !is_empty_folder(path)) {
        any = make_folders(trash).has_value();
        const std::string target =
            fmt::format("{}/{}-{}", trash, name, loop_.now().time_since_epoch().count());
        if (rename(path.c_str(), target.c_str()) != 0) {
          remove_tree(path);
        }
      }
    }
    any = any || access(trash.c_str(), F_OK) == 0;
    if (any && !pool_.run([trash] { remove_tree(trash); }, [] {})) {
      remove_tree(trash);
    }
  }

  /// Why the pod can never run here; empty when it can.
  std::string misfit(const Entry& entry) const {
    const doc::Value* selector = descend(*entry.pod, "spec", "nodeSelector");
    if (selector != nullptr && selector->is_object()) {
      for (const auto& [key, value] : selector->get_object()) {
        const auto label = config_.labels.find(std::string_view(key.data(), key.size()));
        if (label == config_.labels.end() || !value.is_string() ||
            label->second != doc::text_of(value.get_string())) {
          return "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";
        }
      }
    }
    const bool cpu = entry.need.cpu_milli > config_.cpu_milli;
    const bool memory = entry.need.memory_bytes > config_.memory_bytes;
    if (cpu || memory) {
      return insufficient(cpu, memory);
    }
    return missing_claim(entry);
  }

  static std::string insufficient(bool cpu, bool memory) {
    return fmt::format("0/1 nodes are available: {}{}{}.", cpu ? "1 Insufficient cpu" : "",
                       cpu && memory ? ", " : "", memory ? "1 Insufficient memory" : "");
  }

  std::string missing_claim(const Entry& entry) const {
    const doc::Value* volumes = descend(*entry.pod, "spec", "volumes");
    if (volumes == nullptr || !volumes->is_array() || !callbacks_.lookup) {
      return "";
    }
    for (const doc::Value& volume : volumes->get_array()) {
      const doc::Value* name = descend(volume, "persistentVolumeClaim", "claimName");
      if (name != nullptr && name->is_string() &&
          !callbacks_.lookup("PersistentVolumeClaim", entry.key.name_space,
                             doc::text_of(name->get_string()))) {
        return fmt::format("persistentvolumeclaim \"{}\" not found",
                           std::string_view(name->get_string()));
      }
    }
    return "";
  }

  void place(Entry& entry) {
    if (std::string why = misfit(entry); !why.empty()) {
      held_.insert(entry.key.uid);
      tell_unschedulable(entry, std::move(why));
      return;
    }
    auto& line = entry.need.slot() ? slot_line_ : request_line_;
    if (!entry.need.slot() && (!line.empty() || !fits(entry.need))) {
      const bool cpu = used_.cpu_milli + entry.need.cpu_milli > config_.cpu_milli;
      const bool memory = used_.memory_bytes + entry.need.memory_bytes > config_.memory_bytes;
      tell_unschedulable(entry, insufficient(cpu || !memory, memory));
    }
    line.push_back(entry.key.uid);
    advance_soon();
  }

  bool fits(const Need& need) const {
    return used_.cpu_milli + need.cpu_milli <= config_.cpu_milli &&
           used_.memory_bytes + need.memory_bytes <= config_.memory_bytes;
  }

  void tell_unschedulable(const Entry& entry, std::string why) {
    PodState state;
    state.unschedulable = std::move(why);
    loop_.post([this, alive = std::weak_ptr(alive_), key = entry.key, state] {
      const auto found = alive.lock() ? entries_.find(key.uid) : entries_.end();
      if (found != entries_.end() && !found->second.placed) {
        callbacks_.on_status(key, make_status(state, config_.address, loop_.now()), std::nullopt);
      }
    });
  }

  void advance_soon() {
    if (advancing_) {
      return;
    }
    advancing_ = true;
    loop_.post([this, alive = std::weak_ptr(alive_)] {
      if (alive.lock()) {
        advancing_ = false;
        advance();
      }
    });
  }

  void advance() {
    while (!slot_line_.empty() && used_slots_ < config_.slots) {
      const std::string uid = std::move(slot_line_.front());
      slot_line_.pop_front();
      begin(uid);
    }
    while (!request_line_.empty()) {
      const auto found = entries_.find(request_line_.front());
      if (found != entries_.end() && !fits(found->second.need)) {
        break;
      }
      const std::string uid = std::move(request_line_.front());
      request_line_.pop_front();
      begin(uid);
    }
    prepare_next(slot_line_);
    prepare_next(request_line_);
  }

  void begin(const std::string& uid) {
    const auto found = entries_.find(uid);
    if (found == entries_.end() || found->second.placed) {
      return;
    }
    Entry& entry = found->second;
    entry.placed = true;
    take(entry.need, 1);
    const auto run = run_of(entry);
    run->begin();
  }

  std::shared_ptr<PodRun> run_of(Entry& entry) {
    if (!entry.run) {
      // Its processes or its work on the pool may outlive this node's interest in it.
      const std::string& uid = entry.key.uid;
      entry.run = std::make_shared<PodRun>(
          shared_, entry.key, entry.pod,
          [this, alive = std::weak_ptr(alive_), uid] {
            if (alive.lock()) {
              release(uid);
            }
          },
          [this, alive = std::weak_ptr(alive_), uid] {
            if (alive.lock()) {
              ended(uid);
            }
          });
    }
    return entry.run;
  }

  /// The next in line stage their inputs while others run, as many as may run at once: a place that
  /// becomes free then starts a process and nothing else.
  void prepare_next(const std::deque<std::string>& line) {
    const std::size_t most = std::min(line.size(), static_cast<std::size_t>(config_.slots));
    for (std::size_t i = 0; i < most; ++i) {
      const auto found = entries_.find(line[i]);
      if (found != entries_.end() && !found->second.run) {
        const auto run = run_of(found->second);
        run->prepare();
      }
    }
  }

  void take(const Need& need, int sign) {
    used_slots_ += need.slot() ? sign : 0;
    used_.cpu_milli += sign * need.cpu_milli;
    used_.memory_bytes += sign * need.memory_bytes;
  }

  /// Its processes are over: the next pod can be prepared while this one's outputs are captured.
  void release(const std::string& uid) {
    const auto found = entries_.find(uid);
    if (found != entries_.end() && found->second.placed && !found->second.released) {
      found->second.released = true;
      take(found->second.need, -1);
      advance_soon();
    }
  }

  void ended(const std::string& uid) {
    release(uid);
    entries_.erase(uid);
  }

  async::Loop& loop_;
  async::BlockingPool& pool_;
  const NodeConfig config_;
  const NodeCallbacks callbacks_;
  Sandbox sandbox_;
  NodeShared shared_;
  std::unordered_map<std::string, Entry> entries_;
  std::deque<std::string> slot_line_;
  std::deque<std::string> request_line_;
  /// Pods that nothing on this node can satisfy now.
  std::set<std::string> held_;
  Need used_;
  int used_slots_ = 0;
  bool advancing_ = false;
  std::set<std::string, std::less<>> images_;
  std::set<std::string> sentences_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

Node::Node(async::Loop& loop, async::BlockingPool& pool, NodeConfig config, NodeCallbacks callbacks,
           StepWork* work)
    : impl_(std::make_unique<Impl>(loop, pool, std::move(config), std::move(callbacks), work)) {}

Node::~Node() = default;

void Node::run(std::shared_ptr<const doc::Value> pod) { impl_->run(std::move(pod)); }

void Node::stop(std::string_view uid, std::optional<std::chrono::seconds> grace) {
  impl_->stop(uid, grace);
}

void Node::objects_changed() { impl_->objects_changed(); }

std::size_t Node::pods() const { return impl_->pods(); }

Isolation Node::isolation() { return impl_->isolation(); }

std::string Node::log_file(const PodKey& pod, std::string_view container) const {
  return impl_->log_file(pod, container);
}

}  // namespace tiphys::node
