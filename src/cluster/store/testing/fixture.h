#pragma once
/// What the tests of the store share: a directory of their own, a loop with a manual clock, and
/// short ways to make manifests and to wait for answers.

#include "async/testing/manual_clock.h"
#include "cluster/store/store.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace tiphys::store::testing {

inline doc::Value manifest(const std::string& kind, const std::string& name,
                           const std::string& namespace_ = "default",
                           const kube::Labels& labels = {}) {
  doc::Object label_object;
  for (const kube::Label& label : labels) {
    label_object[label.key] = label.value;
  }
  return doc::Object{{"apiVersion", "v1"},
                     {"kind", kind},
                     {"metadata", doc::Object{{"name", name},
                                              {"namespace", namespace_},
                                              {"labels", std::move(label_object)}}}};
}

/// A directory that goes away with the object.
class TemporaryDirectory final {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tiphys-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
      ADD_FAILURE() << "no temporary directory";
    }
    path_ = pattern;
  }

  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class StoreTest : public ::testing::Test {
 protected:
  std::filesystem::path directory() const { return temporary_.path() / "state"; }

  void open() { open({.directory = directory()}); }

  void open(Options options) {
    auto opened = Store::open(loop_, random_, std::move(options));
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }

  void reopen() {
    store_.reset();
    open();
  }

  void close() { store_.reset(); }

  Store& store() { return *store_; }

  async::Loop& loop() { return loop_; }

  async::testing::ManualClock& clock() { return clock_; }

  async::Random& random() { return random_; }

  /// Starts an operation and runs the loop until it is answered.
  template <class Operation>
  Result<kube::ObjectRef> wait(Operation operation) {
    Result<kube::ObjectRef> answer = fail(ErrorCode::timeout, "no answer");
    operation(kube::Done([&](Result<kube::ObjectRef> result) { answer = std::move(result); }));
    loop_.run_until_idle();
    return answer;
  }

 private:
  TemporaryDirectory temporary_;
  async::testing::ManualClock clock_;
  async::SeededRandom random_{1};
  async::Loop loop_{clock_};
  std::unique_ptr<Store> store_;
};

}  // namespace tiphys::store::testing
