// What the embedded store costs: CPU time (all threads, user and system) and wall time of opening
// and writing. Usage: store_bench DIRECTORY [PUTS]; the directory is made and must be empty.
#include "async/loop.h"
#include "async/random.h"
#include "cluster/store/store.h"

#include <boost/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/resource.h>

namespace tiphys {
namespace {

using Microseconds = std::chrono::duration<double, std::micro>;

double cpu_microseconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

class Stopwatch {
 public:
  explicit Stopwatch(const char* what) : what_(what) {}

  ~Stopwatch() { report(1); }

  void report(int operations) {
    if (reported_) {
      return;
    }
    reported_ = true;
    const double cpu = cpu_microseconds() - cpu_;
    const Microseconds wall = clock_.now() - start_;
    std::printf("%-52s %10.1f us CPU %10.1f us wall\n", what_, cpu / operations,
                wall.count() / operations);
  }

 private:
  const char* what_;
  async::SystemClock clock_;
  async::TimePoint start_ = clock_.now();
  double cpu_ = cpu_microseconds();
  bool reported_ = false;
};

/// A pod of about 1.3 kB, as a workflow's step makes it.
doc::Value pod(int number) {
  const std::string name = "layers-step-" + std::to_string(number);
  return doc::Object{
      {"apiVersion", "v1"},
      {"kind", "Pod"},
      {"metadata",
       doc::Object{{"name", name},
                   {"namespace", "default"},
                   {"labels", doc::Object{{"workflows.argoproj.io/workflow", "layers"},
                                          {"workflows.argoproj.io/completed", "false"}}},
                   {"annotations", doc::Object{{"workflows.argoproj.io/node-name", name},
                                               {"tiphys.dev/step-plan", std::string(600, 'p')}}}}},
      {"spec",
       doc::Object{{"restartPolicy", "Never"},
                   {"containers", doc::Array{doc::Object{{"name", "main"},
                                                         {"image", "busybox"},
                                                         {"command", doc::Array{"sh", "-c"}},
                                                         {"args", doc::Array{"true " + name}}}}}}}};
}

class Bench {
 public:
  Bench(std::filesystem::path directory, int puts)
      : directory_(std::move(directory)), puts_(puts) {}

  void run() {
    {
      Stopwatch watch("open, nothing there yet");
      open();
    }
    {
      Stopwatch watch("close, nothing written");
      store_.reset();
    }
    {
      Stopwatch watch("open, empty");
      open();
    }
    make_documents();
    create_all();
    pods_through_their_lives();
    put_rows_one_a_turn();
    put_and_find_reuse();
    flush_once("first flush");
    flush_once("further flush, one write in it");
    {
      Stopwatch watch("close, everything written");
      static_cast<void>(store_->close());
    }
    {
      Stopwatch watch("forget, per object");
      store_.reset();
      watch.report(2 * puts_);
    }
    {
      Stopwatch watch("open again, per object");
      open();
      watch.report(2 * puts_);
    }
  }

 private:
  void open() {
    auto opened = store::Store::open(loop_, random_, {.directory = directory_});
    if (!opened) {
      std::fprintf(stderr, "%s\n", opened.error().message.c_str());
      std::exit(1);
    }
    store_ = *std::move(opened);
  }

  void make_documents() {
    Stopwatch watch("(making a document, not part of what follows)");
    for (int i = 0; i < puts_; ++i) {
      documents_.push_back(pod(i));
    }
    watch.report(puts_);
  }

  void create_all() {
    std::vector<doc::Value> documents = documents_;
    Stopwatch watch("create, a thousand a turn");
    for (int i = 0; i < puts_; ++i) {
      loop_.post([&, i] { store_->create(std::move(documents[static_cast<std::size_t>(i)]), {}); });
    }
    loop_.run_until_idle();
    watch.report(puts_);
  }

  /// Create, update, remove, each acknowledged before the next; `kUnderWay` pods at a time, as a
  /// running workflow does it.
  void pods_through_their_lives() {
    constexpr int kUnderWay = 2;
    int next = puts_;
    std::function<void()> start = [&] {
      if (next == 2 * puts_) {
        return;
      }
      store_->create(pod(next++), [&](Result<kube::ObjectRef> created) {
        store_->update((*created)->document(), [&](Result<kube::ObjectRef>) { start(); });
      });
    };
    Stopwatch watch("put, two pods at a time, acknowledged (with making)");
    for (int i = 0; i < kUnderWay; ++i) {
      start();
    }
    loop_.run_until_idle();
    watch.report(2 * puts_);
  }

  void put_rows_one_a_turn() {
    const std::string uid = store_->get({"Pod", "default", "layers-step-0"})->uid();
    const std::string bytes(400, 'n');
    std::uint64_t index = 0;
    std::function<void()> next = [&] {
      if (index < static_cast<std::uint64_t>(puts_)) {
        store_->put_rows(uid, {{index++, bytes}}, {});
        loop_.at_end_of_turn([&] { loop_.post([&] { next(); }); });
      }
    };
    Stopwatch watch("put a row of 400 bytes, one a turn");
    next();
    loop_.run_until_idle();
    watch.report(puts_);
    Stopwatch reading("read all rows, per row");
    static_cast<void>(store_->rows(uid));
    reading.report(puts_);
  }

  void put_and_find_reuse() {
    const auto key = [](int i) {
      return std::to_string(0x9E3779B97F4A7C15ULL * static_cast<std::uint64_t>(i));
    };
    Stopwatch watch("put a reuse record of 1 kB");
    for (int i = 0; i < puts_; ++i) {
      store_->put_reuse(key(i), std::string(1000, 'r'));
    }
    loop_.run_until_idle();
    watch.report(puts_);
    Stopwatch reading("find a reuse record");
    for (int i = 0; i < puts_; ++i) {
      static_cast<void>(store_->find_reuse(key(i)));
    }
    reading.report(puts_);
  }

  void flush_once(const char* what) {
    Stopwatch watch(what);
    store_->put_reuse("flush", "x");
    store_->flush({[](Result<>) {}});
    loop_.run_until_idle();
  }

  std::filesystem::path directory_;
  int puts_;
  async::SystemClock clock_;
  async::SystemRandom random_;
  async::Loop loop_{clock_};
  std::unique_ptr<store::Store> store_;
  std::vector<doc::Value> documents_;
};

}  // namespace
}  // namespace tiphys

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: store_bench DIRECTORY [PUTS]\n");
    return 2;
  }
  tiphys::Bench(argv[1], argc > 2 ? std::atoi(argv[2]) : 20000).run();
  return 0;
}
