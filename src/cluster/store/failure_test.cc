#include "cluster/store/sqlite.h"
#include "cluster/store/testing/fail_nth.h"
#include "cluster/store/testing/fixture.h"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sched.h>
#include <set>
#include <string>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tiphys::store {
namespace {

using testing::FailNth;
using testing::manifest;

class StoreFailure : public testing::StoreTest {
 protected:
  Error refusal(const std::filesystem::path& directory, Mode mode = Mode::read_write) {
    auto opened = Store::open(loop(), random(), {.directory = directory, .mode = mode});
    return opened ? Error{ErrorCode::internal, "opened", {}} : opened.error();
  }

  void overwrite(const std::filesystem::path& file, const std::string& bytes) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
  }

  std::set<std::string> pods() {
    std::set<std::string> names;
    for (const auto& object : store().list("Pod", "", {})) {
      names.insert(object->key().name);
    }
    return names;
  }
};

std::string pod_name(int number) { return "p" + std::to_string(number); }

TEST_F(StoreFailure, a_second_program_is_refused_and_told_who_is_there) {
  open();
  EXPECT_EQ(refusal(directory()).code, ErrorCode::conflict);
  EXPECT_EQ(refusal(directory()).message, "state directory " + directory().string() +
                                              " is in use by process " + std::to_string(getpid()));
  close();
  open();
}

TEST_F(StoreFailure, a_state_of_a_newer_version_is_refused_and_left_as_it_is) {
  open();
  store().create(manifest("Pod", "a"), {});
  close();
  const auto set_format = [&](const char* sql) {
    const auto file = Connection::open(directory() / "store.db", Access::read_write).value();
    ASSERT_TRUE(file.execute(sql));
  };
  set_format("UPDATE meta SET value = 99 WHERE name = 'format'");
  const Error error = refusal(directory());
  EXPECT_EQ(error.code, ErrorCode::invalid);
  EXPECT_NE(error.message.find("newer version"), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("format 99"), std::string::npos) << error.message;
  set_format("UPDATE meta SET value = 1 WHERE name = 'format'");
  open();
  EXPECT_EQ(pods(), std::set<std::string>{"a"});
}

TEST_F(StoreFailure, only_the_user_may_look_into_a_new_state_directory) {
  open();
  EXPECT_EQ(std::filesystem::status(directory()).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(StoreFailure, what_is_no_directory_is_refused) {
  overwrite(directory(), "a file");
  EXPECT_EQ(refusal(directory()).message,
            "state directory " + directory().string() + ": not a directory");
  const Error below = refusal(directory() / "below");
  EXPECT_EQ(below.code, ErrorCode::io);
  EXPECT_NE(below.message.find("Not a directory"), std::string::npos) << below.message;
}

TEST_F(StoreFailure, what_is_no_database_is_refused_and_left_as_it_is) {
  const std::string garbage(8192, 'x');
  overwrite(directory() / "store.db", garbage);
  const Error error = refusal(directory());
  EXPECT_EQ(error.code, ErrorCode::io);
  EXPECT_NE(error.message.find("store.db"), std::string::npos) << error.message;
  std::ifstream file(directory() / "store.db", std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), garbage);
}

TEST_F(StoreFailure, another_programs_database_is_refused) {
  std::filesystem::create_directories(directory());
  {
    const auto file = Connection::open(directory() / "store.db", Access::create).value();
    ASSERT_TRUE(file.execute("CREATE TABLE theirs(x)"));
  }
  EXPECT_NE(refusal(directory()).message.find("some other program"), std::string::npos);
}

TEST_F(StoreFailure, a_damaged_database_is_refused) {
  open();
  for (int i = 0; i < 500; ++i) {
    store().create(manifest("Pod", pod_name(i)), {});
  }
  close();
  {
    const auto file = Connection::open(directory() / "store.db", Access::read_write).value();
    ASSERT_TRUE(file.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  }
  const auto size = std::filesystem::file_size(directory() / "store.db");
  std::fstream file(directory() / "store.db", std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(4096);
  file << std::string(size - 4096, '\x5A');
  file.close();
  const Error error = refusal(directory());
  EXPECT_EQ(error.code, ErrorCode::io);
  EXPECT_NE(error.message.find("store.db"), std::string::npos) << error.message;
}

TEST_F(StoreFailure, reading_where_nothing_is_makes_nothing) {
  EXPECT_EQ(refusal(directory(), Mode::read_only).code, ErrorCode::not_found);
  EXPECT_FALSE(std::filesystem::exists(directory()));
}

TEST_F(StoreFailure, an_empty_file_left_by_a_crash_is_a_fresh_store) {
  overwrite(directory() / "store.db", "");
  open();
  EXPECT_TRUE(pods().empty());
}

TEST_F(StoreFailure, after_a_failed_commit_everything_acknowledged_is_there_and_nothing_else) {
  for (int nth = 1;; ++nth) {
    SCOPED_TRACE("commit " + std::to_string(nth) + " fails");
    std::filesystem::remove_all(directory());
    const FailNth fail_nth(nth);
    open({.directory = directory(), .before_commit = fail_nth});
    std::set<std::string> acknowledged;
    int answers = 0;
    for (int i = 0; i < 6; ++i) {
      store().create(manifest("Pod", pod_name(i)), [&, i](auto result) {
        ++answers;
        if (result) {
          acknowledged.insert(pod_name(i));
        }
      });
      loop().run_until_idle();
    }
    EXPECT_EQ(answers, 6);
    EXPECT_EQ(store().failure().has_value(), fail_nth.has_failed());
    EXPECT_EQ(store().close().has_value(), !fail_nth.has_failed());
    reopen();
    EXPECT_EQ(pods(), acknowledged);
    EXPECT_EQ(acknowledged.size(), static_cast<std::size_t>(std::min(nth - 1, 6)));
    close();
    if (!fail_nth.has_failed()) {
      break;
    }
  }
}

TEST_F(StoreFailure, after_a_failed_commit_writes_are_refused_and_reads_go_on) {
  open({.directory = directory(), .before_commit = FailNth(2)});
  store().create(manifest("Pod", "a"), {});
  loop().run_until_idle();
  const auto lost = wait([&](auto done) { store().create(manifest("Pod", "b"), std::move(done)); });
  EXPECT_EQ(lost.error().code, ErrorCode::io);
  const auto refused =
      wait([&](auto done) { store().create(manifest("Pod", "c"), std::move(done)); });
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  Result<> flushed;
  store().flush([&](Result<> result) { flushed = std::move(result); });
  loop().run_until_idle();
  EXPECT_FALSE(flushed);
  EXPECT_NE(store().get({"Pod", "default", "a"}), nullptr);
}

/// A child process that runs a function; what the function sends can be read here.
class Child final {
 public:
  explicit Child(const std::function<void(int descriptor)>& function) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    pid_ = fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      function(ends[1]);
      _exit(0);
    }
    ::close(ends[1]);
    descriptor_ = ends[0];
  }

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  ~Child() {
    kill(pid_, SIGKILL);
    wait();
    ::close(descriptor_);
  }

  /// Up to `size` bytes; nothing at the end.
  std::string receive(std::size_t size) const {
    std::string bytes(size, '\0');
    const ssize_t got = read(descriptor_, bytes.data(), size);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }

  std::string receive_all() const {
    std::string all;
    for (std::string more = receive(4096); !more.empty(); more = receive(4096)) {
      all += more;
    }
    return all;
  }

  void kill_now() { kill(pid_, SIGKILL); }

  void wait() {
    if (!waited_) {
      waited_ = waitpid(pid_, nullptr, 0) == pid_;
    }
  }

 private:
  pid_t pid_ = -1;
  int descriptor_ = -1;
  bool waited_ = false;
};

void send(int descriptor, const std::string& text) {
  [[maybe_unused]] const ssize_t written = write(descriptor, text.data(), text.size());
}

/// Writes pairs of objects for ever, some pairs at a time, each pair in one call, and a row of the
/// first with it; says a
/// '.' for each pair that was acknowledged. An 'x' says that a write failed, and ends it.
void write_for_ever(const std::filesystem::path& directory, int descriptor) {
  const async::SystemClock clock;
  async::Loop loop(clock);
  async::SystemRandom random;
  auto opened = Store::open(loop, random, {.directory = directory});
  if (!opened) {
    send(descriptor, "!" + opened.error().message);
    return;
  }
  Store& store = **opened;
  int number = static_cast<int>(store.list("Pod", "", {}).size());
  std::function<void()> next = [&] {
    if (store.failure()) {
      return;
    }
    store.create(manifest("Pod", pod_name(number++)), {});
    const auto first = store.get({"Pod", "default", pod_name(number - 1)});
    store.put_rows(first->uid(), {{1, "row"}}, {});
    store.create(manifest("Pod", pod_name(number++)), [&](auto result) {
      send(descriptor, result ? "." : "x" + result.error().message);
      if (result) {
        next();
      } else {
        loop.stop();
      }
    });
  };
  for (int under_way = 0; under_way < 4; ++under_way) {
    loop.post([&] { next(); });
  }
  loop.run();
  send(descriptor, store.close() ? "?" : "|closed");
}

class StoreCrash : public StoreFailure {
 protected:
  /// The pods must be p0, p1, ... without a gap, an even number, each first of a pair with its row.
  void expect_whole_pairs() {
    const auto names = pods();
    EXPECT_EQ(names.size() % 2, 0U);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto object = store().get({"Pod", "default", pod_name(static_cast<int>(i))});
      ASSERT_NE(object, nullptr) << i;
      if (i % 2 == 0) {
        EXPECT_EQ(store().rows(object->uid()).value().size(), 1U);
      }
    }
  }
};

TEST_F(StoreCrash, everything_acknowledged_survives_kill_9) {
  std::size_t acknowledged = 0;
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Child child([&](int descriptor) { write_for_ever(directory(), descriptor); });
    std::size_t count = 0;
    while (count < static_cast<std::size_t>(1 + round * 7)) {
      const std::string got = child.receive(16);
      ASSERT_FALSE(got.empty() || got.front() == '!') << got;
      count += got.size();
    }
    child.kill_now();
    child.wait();
    count += child.receive_all().size();
    acknowledged += count;
    open();
    EXPECT_GE(pods().size(), 2 * acknowledged);
    expect_whole_pairs();
    acknowledged = pods().size() / 2;
    close();
  }
}

TEST_F(StoreCrash, a_file_that_may_not_grow_keeps_what_was_acknowledged) {
  Child child([&](int descriptor) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{300'000, 300'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    write_for_ever(directory(), descriptor);
  });
  const std::string said = child.receive_all();
  child.wait();
  const auto acknowledged = said.find_first_not_of('.');
  ASSERT_NE(acknowledged, std::string::npos);
  EXPECT_EQ(said[acknowledged], 'x') << said.substr(acknowledged);
  EXPECT_GT(acknowledged, 10U);
  EXPECT_TRUE(said.ends_with("|closed")) << said.substr(acknowledged);
  open();
  EXPECT_EQ(pods().size(), 2 * acknowledged);
  expect_whole_pairs();
}

TEST_F(StoreCrash, a_full_disk_keeps_what_was_acknowledged) {
  std::filesystem::create_directories(directory());
  Child child([&](int descriptor) {
    if (unshare(CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER)) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", directory().c_str(), "tmpfs", 0, "size=512k") != 0) {
      send(descriptor, "skip");
      return;
    }
    write_for_ever(directory(), descriptor);
    const async::SystemClock clock;
    async::Loop loop(clock);
    async::SystemRandom random;
    auto opened = Store::open(loop, random, {.directory = directory(), .mode = Mode::read_only});
    send(descriptor, opened ? "|" + std::to_string((*opened)->list("Pod", "", {}).size())
                            : "|" + opened.error().message);
  });
  const std::string said = child.receive_all();
  if (said == "skip") {
    GTEST_SKIP() << "may not mount a small file system here";
  }
  const auto acknowledged = said.find_first_not_of('.');
  ASSERT_NE(acknowledged, std::string::npos);
  EXPECT_GT(acknowledged, 10U);
  EXPECT_NE(said.find("disk is full"), std::string::npos) << said.substr(acknowledged);
  EXPECT_TRUE(said.ends_with("|closed|" + std::to_string(2 * acknowledged)))
      << said.substr(acknowledged);
}

TEST_F(StoreCrash, a_lock_that_is_kept_by_a_leftover_child_is_told_as_such) {
  std::optional<Child> leftover(std::in_place, [&](int descriptor) {
    async::testing::ManualClock still;
    async::Loop its_loop(still);
    async::SeededRandom its_random(1);
    const auto store = Store::open(its_loop, its_random, {.directory = directory()});
    if (fork() == 0) {
      // Keeps the lock until nobody listens any more.
      while (write(descriptor, ".", 1) == 1) {
      }
    }
    _exit(0);
  });
  leftover->wait();
  ASSERT_EQ(leftover->receive(1), ".");
  EXPECT_NE(refusal(directory()).message.find("left behind"), std::string::npos);
  leftover.reset();
  open();
}

TEST_F(StoreCrash, another_process_is_refused_until_the_first_is_gone) {
  std::optional<Child> child(std::in_place,
                             [&](int descriptor) { write_for_ever(directory(), descriptor); });
  ASSERT_EQ(child->receive(1), ".");
  const Error error = refusal(directory());
  EXPECT_EQ(error.code, ErrorCode::conflict);
  EXPECT_NE(error.message.find("is in use by process "), std::string::npos) << error.message;
  child.reset();
  open();
}

}  // namespace
}  // namespace tiphys::store
