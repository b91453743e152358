#include "cluster/node/probe.h"

#include "cluster/node/descriptor.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <netdb.h>
#include <optional>
#include <sys/socket.h>
#include <sys/time.h>
#include <vector>

namespace tiphys::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kFirstPause{50};

const doc::Value& member(const doc::Value& value, std::string_view key) {
  static const doc::Value kNone = doc::Object();
  const doc::Value* found = doc::find(value, key);
  return found != nullptr && !found->is_null() ? *found : kNone;
}

int number(const doc::Value& probe, std::string_view key, int otherwise, int least) {
  const doc::Value* found = doc::find(probe, key);
  constexpr std::int64_t kMost = 1'000'000;
  return found != nullptr && found->is_int64()
             ? static_cast<int>(std::clamp<std::int64_t>(found->get_int64(), least, kMost))
             : otherwise;
}

/// A port by number or by its name among the container's ports.
std::string port_of(const doc::Value& container, const doc::Value& port) {
  if (port.is_int64()) {
    return std::to_string(port.get_int64());
  }
  const std::string name(port.is_string() ? doc::text_of(port.get_string()) : std::string_view());
  if (const doc::Value& ports = member(container, "ports"); ports.is_array()) {
    for (const doc::Value& one : ports.get_array()) {
      if (doc::find_string(one, "name") == name && member(one, "containerPort").is_int64()) {
        return std::to_string(member(one, "containerPort").get_int64());
      }
    }
  }
  return name;
}

/// A connection that is asked about: the text to send, or none when being connected is enough.
struct Question {
  std::string host;
  std::string port;
  std::string request;
  seconds timeout{1};
};

/// Whether the answer begins with a status between 200 and 399.
bool good_answer(std::string_view answer) {
  const std::size_t blank = answer.find(' ');
  int status = 0;
  if (!answer.starts_with("HTTP/") || blank == std::string_view::npos) {
    return false;
  }
  std::from_chars(answer.data() + blank + 1, answer.data() + answer.size(), status);
  return status >= 200 && status < 400;
}

bool ask_address(const Question& question, const addrinfo& address) {
  const Descriptor socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  timeval timeout{};
  timeout.tv_sec = question.timeout.count();
  // The time to send is the time to connect, too.
  if (!socket || setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) != 0 ||
      setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0 ||
      connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
    return false;
  }
  if (question.request.empty()) {
    return true;
  }
  if (send(socket.get(), question.request.data(), question.request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(question.request.size())) {
    return false;
  }
  constexpr std::size_t kStatusLine = 16;
  std::string answer;
  std::array<char, 512> bytes{};
  while (answer.size() < kStatusLine) {
    const ssize_t got = recv(socket.get(), bytes.data(), bytes.size(), 0);
    if (got <= 0) {
      break;
    }
    answer.append(bytes.data(), static_cast<std::size_t>(got));
  }
  return good_answer(answer);
}

bool ask(const Question& question) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(question.host.c_str(), question.port.c_str(), &hints, &found) != 0) {
    return false;
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    if (ask_address(question, *address)) {
      return true;
    }
  }
  return false;
}

}  // namespace

class Probe::Impl final : public std::enable_shared_from_this<Impl> {
 public:
  Impl(const Ground& ground, Run run, const doc::Value& container,
       std::function<void(bool)> on_change)
      : ground_(ground), run_(run), on_change_(std::move(on_change)) {
    const doc::Value& probe = member(container, "readinessProbe");
    first_ = seconds(number(probe, "initialDelaySeconds", 0, 0));
    period_ = seconds(number(probe, "periodSeconds", 10, 1));
    question_.timeout = seconds(number(probe, "timeoutSeconds", 1, 1));
    successes_ = number(probe, "successThreshold", 1, 1);
    failures_ = number(probe, "failureThreshold", 3, 1);
    read_question(container, probe);
  }

  void begin() {
    timer_ = ground_.loop.call_after(first_, [self = weak_from_this()] {
      if (const auto probe = self.lock()) {
        probe->ask_once();
      }
    });
  }

 private:
  void read_question(const doc::Value& container, const doc::Value& probe) {
    if (const doc::Value& exec = member(member(probe, "exec"), "command"); exec.is_array()) {
      for (const doc::Value& part : exec.get_array()) {
        command_.emplace_back(part.is_string() ? doc::text_of(part.get_string())
                                               : std::string_view());
      }
      return;
    }
    const doc::Value* http = doc::find(probe, "httpGet");
    const doc::Value* socket = doc::find(probe, "tcpSocket");
    const doc::Value& target = http != nullptr     ? *http
                               : socket != nullptr ? *socket
                                                   : member(probe, "grpc");
    question_.host = doc::find_string(target, "host");
    if (question_.host.empty()) {
      question_.host = ground_.address;
    }
    question_.port = port_of(container, member(target, "port"));
    // What speaks TLS is asked for a connection only.
    if (http != nullptr && doc::find_string(*http, "scheme") != "HTTPS") {
      question_.request = request_of(*http);
    }
  }

  std::string request_of(const doc::Value& http) const {
    std::string path(doc::find_string(http, "path"));
    if (!path.starts_with('/')) {
      path.insert(0, "/");
    }
    std::string host = fmt::format("{}:{}", question_.host, question_.port);
    std::string headers;
    if (const doc::Value& list = member(http, "httpHeaders"); list.is_array()) {
      for (const doc::Value& header : list.get_array()) {
        const std::string_view name = doc::find_string(header, "name");
        const std::string_view value = doc::find_string(header, "value");
        if (name == "Host") {
          host = value;
        } else {
          headers += fmt::format("{}: {}\r\n", name, value);
        }
      }
    }
    return fmt::format(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: kube-probe/1.32\r\nAccept: */*\r\n{}"
        "Connection: close\r\n\r\n",
        path, host, headers);
  }

  void ask_once() {
    if (!command_.empty()) {
      ground_.sandbox.exec(run_, command_, [self = weak_from_this()](std::optional<int> code) {
        if (const auto probe = self.lock()) {
          probe->answered(code == 0);
        }
      });
      return;
    }
    const auto answered = [self = weak_from_this()](bool good) {
      if (const auto probe = self.lock()) {
        probe->answered(good);
      }
    };
    if (!ground_.pool.run([question = question_] { return ask(question); }, answered)) {
      this->answered(false);
    }
  }

  void answered(bool good) {
    in_a_row_ = good == last_ ? in_a_row_ + 1 : 1;
    last_ = good;
    const bool changes = good != ready_ && in_a_row_ >= (good ? successes_ : failures_);
    if (changes) {
      ready_ = good;
    }
    const auto pause =
        ever_ready_ || ready_ ? milliseconds(period_) : std::min<milliseconds>(soon_, period_);
    soon_ = std::min<milliseconds>(soon_ * 3 / 2, period_);
    ever_ready_ = ever_ready_ || ready_;
    timer_ = ground_.loop.call_after(pause, [self = weak_from_this()] {
      if (const auto probe = self.lock()) {
        probe->ask_once();
      }
    });
    if (changes) {
      on_change_(ready_);
    }
  }

  Ground ground_;
  Run run_;
  std::function<void(bool)> on_change_;
  std::vector<std::string> command_;
  Question question_;
  seconds first_{0};
  seconds period_{10};
  int successes_ = 1;
  int failures_ = 3;
  milliseconds soon_ = kFirstPause;
  bool ready_ = false;
  bool ever_ready_ = false;
  bool last_ = false;
  int in_a_row_ = 0;
  async::Timer timer_;
};

Probe::Probe(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Probe::~Probe() = default;

std::unique_ptr<Probe> Probe::start(const Ground& ground, Run run, const doc::Value& container,
                                    std::function<void(bool)> on_change) {
  auto impl = std::make_shared<Impl>(ground, run, container, std::move(on_change));
  impl->begin();
  return std::unique_ptr<Probe>(new Probe(std::move(impl)));
}

}  // namespace tiphys::node
