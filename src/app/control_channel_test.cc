#include "app/control_channel.h"

#include <boost/json.hpp>
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
      ControlServer::listen(loop_, folder_, [&](const doc::Value& request, auto reply) {
        seen = control_of(request).value();
        if (seen.workflow == "missing") {
          reply(fail(ErrorCode::not_found, "no such workflow"));
        } else {
          loop_.post([&, reply = std::move(reply)]() mutable { reply(doc::Value("later")); });
        }
      });
  ASSERT_TRUE(server) << server.error().message;
  Result<doc::Value> first;
  Result<doc::Value> second;
  std::thread client([&] {
    first = send_request(folder_, request_of({.verb = cli::Control::Verb::set,
                                              .workflow = "wf",
                                              .message = "m\n\"x\"",
                                              .parameters = {{"a", "1=2"}}}));
    const auto copy = seen;
    second = send_request(folder_,
                          request_of({.verb = cli::Control::Verb::stop, .workflow = "missing"}));
    EXPECT_EQ(copy.verb, cli::Control::Verb::set);
    EXPECT_EQ(copy.message, "m\n\"x\"");
    EXPECT_EQ(copy.parameters.at(0).second, "1=2");
    loop_.stop();
  });
  loop_.run();
  client.join();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(*first, doc::Value("later"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::not_found);
  EXPECT_EQ(second.error().message, "no such workflow");
}

TEST_F(ControlChannel, without_a_server_the_verb_is_told_so) {
  const auto sent = send_request(folder_, request_of({}));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::unavailable);
}

TEST_F(ControlChannel, hostile_requests_are_refused) {
  EXPECT_FALSE(control_of(doc::Value(7)));
  EXPECT_FALSE(control_of(doc::parse_json(R"({"verb":"explode"})").value()));
  EXPECT_TRUE(control_of(doc::parse_json(R"({"verb":"stop","parameters":7})").value()));
}

}  // namespace
}  // namespace tiphys::app
