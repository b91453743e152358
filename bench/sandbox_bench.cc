/// What a container costs in CPU time, by isolation level, beside a plain loop that makes the same
/// sandbox with the same system calls and nothing around it. Run as root.
///
///   sandbox_bench [containers per measurement, default 500]

#include "async/blocking_pool.h"
#include "cluster/node/files.h"
#include "cluster/node/node.h"

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <sched.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace tiphys;

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double own_cpu(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// CPU time of all descendants and of what they have waited for, from /proc/<pid>/stat.
double tree_cpu() {
  struct Process {
    int parent = 0;
    double cpu = 0;
  };

  std::map<int, Process> processes;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const int id = std::atoi(entry.path().filename().c_str());
    const std::string text = id > 0 ? node::read_text(entry.path().string() + "/stat") : "";
    const std::size_t end = text.rfind(')');
    int parent = 0;
    std::array<long, 4> ticks{};
    if (end != std::string::npos &&
        std::sscanf(text.c_str() + end + 1,
                    " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld %ld %ld", &parent,
                    &ticks[0], &ticks[1], &ticks[2], &ticks[3]) == 5) {
      const double total = static_cast<double>(ticks[0] + ticks[1] + ticks[2] + ticks[3]);
      processes[id] = {parent, total / static_cast<double>(sysconf(_SC_CLK_TCK))};
    }
  }
  double sum = 0;
  for (const auto& [id, process] : processes) {
    int at = id;
    while (at > 1 && at != getpid()) {
      at = processes[at].parent;
    }
    sum += at == getpid() && id != getpid() ? process.cpu : 0;
  }
  return sum;
}

struct Cost {
  double cpu_milliseconds = 0;
  double wall_milliseconds = 0;
};

template <class Work>
Cost measure(int count, Work work) {
  const double cpu = own_cpu(RUSAGE_SELF) + own_cpu(RUSAGE_CHILDREN) + tree_cpu();
  const auto start = std::chrono::steady_clock::now();
  work(count);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  const double after = own_cpu(RUSAGE_SELF) + own_cpu(RUSAGE_CHILDREN) + tree_cpu();
  return {(after - cpu) * 1000 / count, wall.count() * 1000 / count};
}

Cost through_node(const std::string& state, node::Isolation isolation, int count) {
  const async::SystemClock clock;
  async::Loop loop(clock);
  async::BlockingPool pool(loop, {});
  node::NodeConfig config;
  config.state_folder = state;
  config.isolation = isolation;
  config.slots = 1;
  node::NodeCallbacks callbacks;
  int good = 0;
  callbacks.on_status = [&](const node::PodKey&, const doc::Value& status, const auto&) {
    good += doc::find_string(status, "phase") == "Succeeded" ? 1 : 0;
  };
  node::Node node(loop, pool, config, callbacks, nullptr);
  if (node.isolation() != isolation) {
    fmt::print("level {} is not to be had here\n", node::name_of(isolation));
    return {};
  }
  int next = 0;
  const auto run = [&](int pods) {
    good = 0;
    for (int i = 0; i < pods; ++i) {
      auto pod = doc::parse_json(fmt::format(
          R"({{"metadata":{{"name":"p{0}","namespace":"n","uid":"u{0}"}},"spec":{{"containers":[{{"name":"main","image":"x","command":["/bin/true"]}}]}}}})",
          ++next));
      node.run(std::make_shared<doc::Value>(std::move(*pod)));
    }
    loop.run_until_idle();
    if (good != pods) {
      fmt::print("{} of {} pods failed\n", pods - good, pods);
    }
  };
  run(20);
  return measure(count, run);
}

struct Plain {
  const char* options = nullptr;
  const char* root = nullptr;
  bool layer = false;
};

[[noreturn]] void plain_child(const Plain& plain) {
  const auto must = [](int result) {
    if (result != 0) {
      _exit(126);
    }
  };
  must(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
  if (!plain.layer) {
    must(mount("proc", "/proc", "proc", 0, nullptr));
  } else {
    must(mount("overlay", plain.root, "overlay", 0, plain.options));
    must(chdir(plain.root));
    must(mount("/sys", "sys", nullptr, MS_BIND, nullptr));
    must(mount(nullptr, "sys", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr));
    must(mount("proc", "proc", "proc", 0, nullptr));
    must(mount("tmpfs", "dev", "tmpfs", 0, "mode=755"));
    for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
      const std::string path = fmt::format("dev/{}", name);
      close(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
      must(mount(("/" + path).c_str(), path.c_str(), nullptr, MS_BIND, nullptr));
    }
    must(mkdir("dev/pts", 0755));
    must(mkdir("dev/shm", 0777));
    must(mount("devpts", "dev/pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=0620"));
    must(mount("tmpfs", "dev/shm", "tmpfs", 0, nullptr));
    for (const char* name : {"tmp", "var/tmp", "run"}) {
      must(mount("tmpfs", name, "tmpfs", 0, nullptr));
    }
    must(static_cast<int>(syscall(SYS_pivot_root, ".", ".")));
    must(umount2(".", MNT_DETACH));
  }
  must(sethostname("plain", 5));
  execl("/bin/true", "true", nullptr);
  _exit(127);
}

/// The loop: folders, a process with its namespaces, its mounts, exec, wait, folders removed.
void plain_loop(int count, bool layer, const std::string& folder) {
  std::filesystem::create_directories(folder + "/root");
  for (int i = 0; i < count; ++i) {
    const std::string upper = fmt::format("{}/u{}", folder, i);
    const std::string work = fmt::format("{}/w{}", folder, i);
    const std::string options =
        fmt::format("lowerdir=/,upperdir={},workdir={},volatile", upper, work);
    const std::string root = folder + "/root";
    if (layer) {
      mkdir(upper.c_str(), 0755);
      mkdir(work.c_str(), 0755);
    }
    const Plain plain{options.c_str(), root.c_str(), layer};
    const int flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD;
    const long child = syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr);
    if (child == 0) {
      plain_child(plain);
    }
    int status = 0;
    waitpid(static_cast<pid_t>(child), &status, 0);
    if (status != 0) {
      fmt::print("the plain loop failed: status {}\n", status);
      return;
    }
    if (layer) {
      node::remove_tree(upper);
      node::remove_tree(work);
    }
  }
}

void spawn_loop(int count) {
  for (int i = 0; i < count; ++i) {
    std::array<char*, 2> arguments{const_cast<char*>("true"), nullptr};
    pid_t child = 0;
    if (posix_spawn(&child, "/bin/true", nullptr, nullptr, arguments.data(), environ) == 0) {
      waitpid(child, nullptr, 0);
    }
  }
}

void row(std::string_view name, const Cost& cost, const Cost& against) {
  fmt::print("{:<34} {:>8.3f} {:>8.3f} {:>7.2f}\n", name, cost.cpu_milliseconds,
             cost.wall_milliseconds, cost.cpu_milliseconds / against.cpu_milliseconds);
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 500;
  std::string folder = "/var/tmp/tiphys-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    return 1;
  }
  const Cost spawn = measure(count, spawn_loop);
  const Cost plain = measure(count, [&](int n) { plain_loop(n, false, folder + "/plain"); });
  const Cost layer = measure(count, [&](int n) { plain_loop(n, true, folder + "/layer"); });
  fmt::print("{:<34} {:>8} {:>8} {:>7}\n", "per container", "CPU ms", "wall ms", "ratio");
  row("posix_spawn in a loop", spawn, spawn);
  row("plain loop, namespaces", plain, plain);
  row("plain loop, layer", layer, layer);
  row("pod, process", through_node(folder + "/s0", node::Isolation::process, count), spawn);
  row("pod, namespaces", through_node(folder + "/s1", node::Isolation::namespaces, count), plain);
  row("pod, layer", through_node(folder + "/s2", node::Isolation::layer, count), layer);
  fmt::print("ratio: of CPU time, to the plain loop of the same level\n");
  node::remove_tree(folder);
}
