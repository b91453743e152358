#pragma once
/// A node with a store of its own below /var/tmp, run to rest after each pod: the fixture of the
/// node's tests, at each level of isolation that the machine grants.

#include "artifacts/local_store.h"
#include "cluster/node/executor_work.h"
#include "cluster/node/files.h"
#include "cluster/node/node.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <sys/stat.h>
#include <unistd.h>

namespace tiphys::node {

class NodeTest : public testing::TestWithParam<Isolation> {
 protected:
  NodeTest() {
    std::string text = "/var/tmp/tiphys-node-XXXXXX";
    folder_ = mkdtemp(text.data());
    chmod(folder_.c_str(), 0755);
    store_ = *artifacts::LocalStore::open(folder_ + "/state/artifacts");
    work_ = std::make_unique<ExecutorWork>(*store_);
    make({});
  }

  ~NodeTest() override {
    node_.reset();
    pool_.reset();
    remove_tree(folder_);
  }

  void SetUp() override {
    if (node_->isolation() != GetParam()) {
      GTEST_SKIP() << (notices_.empty() ? "" : notices_.front());
    }
  }

  void make(NodeConfig config) {
    node_.reset();
    config.state_folder = folder_ + "/state";
    config.isolation = GetParam();
    NodeCallbacks callbacks;
    callbacks.lookup = [this](std::string_view kind, std::string_view, std::string_view name) {
      const auto found = objects_.find(fmt::format("{}/{}", kind, name));
      return found != objects_.end() ? found->second : nullptr;
    };
    callbacks.on_status = [this](const PodKey& pod, const doc::Value& status,
                                 const std::optional<std::string>& outputs) {
      statuses_[pod.name].push_back(status);
      if (outputs) {
        outputs_[pod.name] = *outputs;
      }
      if (on_status_) {
        on_status_(pod, status);
      }
    };
    callbacks.on_notice = [this](std::string text) { notices_.push_back(std::move(text)); };
    StepWork* work = other_work_ != nullptr ? other_work_ : work_.get();
    node_ = std::make_unique<Node>(loop_, *pool_, std::move(config), std::move(callbacks), work);
  }

  static std::shared_ptr<doc::Value> pod(std::string_view name, std::string_view spec) {
    auto value = doc::parse_json(fmt::format(
        R"json({{"metadata":{{"name":"{0}","namespace":"ns","uid":"uid-{0}","labels":{{"app":"x"}}}},"spec":{1}}})json",
        name, spec));
    EXPECT_TRUE(value.has_value()) << value.error().message;
    return std::make_shared<doc::Value>(std::move(*value));
  }

  /// A pod of one container "main" that runs a script; `more` are further members of its spec.
  static std::shared_ptr<doc::Value> shell_pod(std::string_view name, std::string_view script,
                                               std::string_view more = "",
                                               std::string_view container = "") {
    std::string text;
    doc::append_json_string(text, script);
    return pod(
        name,
        fmt::format(
            R"json({{"containers":[{{"name":"main","image":"alpine:3","command":["sh","-c",{}]{}}}]{}}})json",
            text, container, more));
  }

  static void add_plan(doc::Value& pod, std::string_view plan) {
    pod.at("metadata").as_object()["annotations"] =
        doc::Object{{std::string(executor::kPlanAnnotation), std::string(plan)}};
  }

  doc::Value run(std::shared_ptr<doc::Value> document) {
    const std::string name(doc::find_string(document->at("metadata"), "name"));
    node_->run(std::move(document));
    loop_.run_until_idle();
    return statuses_[name].empty() ? doc::Value() : statuses_[name].back();
  }

  std::string log(const std::string& name, std::string_view container = "main") {
    std::string text;
    const std::string rows = read_text(node_->log_file({"ns", name, "uid-" + name}, container));
    for (std::size_t at = 0; at < rows.size();) {
      const std::size_t end = rows.find('\n', at);
      const std::string row = rows.substr(at, end - at);
      text += row.substr(row.find(' ') + 1) + "\n";
      at = end + 1;
    }
    return text;
  }

  static const doc::Value& container_state(const doc::Value& status, std::size_t index = 0) {
    return status.at("containerStatuses").as_array()[index].at("state");
  }

  async::SystemClock clock_;
  async::Loop loop_{clock_};
  std::unique_ptr<async::BlockingPool> pool_ =
      std::make_unique<async::BlockingPool>(loop_, async::BlockingPool::Options());
  std::string folder_;
  std::map<std::string, std::shared_ptr<doc::Value>> objects_;
  std::map<std::string, std::vector<doc::Value>> statuses_;
  std::map<std::string, std::string> outputs_;
  std::vector<std::string> notices_;
  std::function<void(const PodKey&, const doc::Value&)> on_status_;
  std::unique_ptr<artifacts::LocalStore> store_;
  std::unique_ptr<ExecutorWork> work_;
  StepWork* other_work_ = nullptr;
  std::unique_ptr<Node> node_;
};

}  // namespace tiphys::node
