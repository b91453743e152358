#include "app/control_channel.h"

#include <gtest/gtest.h>

#include <thread>

namespace tiphys::app {
namespace {

class ControlChannel : public testing::Test {
 protected:
  ControlChannel() { std::filesystem::create_directories(folder_); }

  ~ControlChannel() override { std::filesystem::remove_all(folder_); }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("control_" + std::to_string(getpid()));
  async::SystemClock clock_;
  async::Loop loop_{clock_};
};

TEST_F(ControlChannel, a_request_reaches_the_handler_and_its_answer_the_caller) {
  cli::Control seen;
  const auto server =
      ControlServer::listen(loop_, folder_, [&](const cli::Control& control) -> Result<> {
        seen = control;
        if (control.workflow == "missing") {
          return fail(ErrorCode::not_found, "no such workflow");
        }
        return {};
      });
  ASSERT_TRUE(server) << server.error().message;
  Result<> first;
  Result<> second;
  std::thread client([&] {
    first = send_control(folder_, {.verb = cli::Control::Verb::set,
                                   .workflow = "wf",
                                   .message = "m\n\"x\"",
                                   .parameters = {{"a", "1=2"}}});
    const auto copy = seen;
    second = send_control(folder_, {.verb = cli::Control::Verb::stop, .workflow = "missing"});
    EXPECT_EQ(copy.verb, cli::Control::Verb::set);
    EXPECT_EQ(copy.message, "m\n\"x\"");
    EXPECT_EQ(copy.parameters.at(0).second, "1=2");
    loop_.stop();
  });
  loop_.run();
  client.join();
  EXPECT_TRUE(first) << first.error().message;
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::not_found);
  EXPECT_EQ(second.error().message, "no such workflow");
}

TEST_F(ControlChannel, without_a_server_the_verb_is_told_so) {
  const auto sent = send_control(folder_, {});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::unavailable);
}

TEST_F(ControlChannel, hostile_requests_are_refused) {
  EXPECT_FALSE(control_from_json("{"));
  EXPECT_FALSE(control_from_json(R"({"verb":"explode"})"));
  EXPECT_TRUE(control_from_json(R"({"verb":"stop","parameters":7})"));
}

}  // namespace
}  // namespace tiphys::app
