#include "app/control_channel.h"

#include "doc/json.h"

#include <boost/json.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <set>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace tiphys::app {
namespace {

using doc::Value;

constexpr std::array<std::string_view, 5> kVerbs = {"stop", "terminate", "suspend", "resume",
                                                    "set"};
constexpr int kAnswerMilliseconds = 30'000;

/// A descriptor that closes itself.
class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}

  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

  Socket& operator=(Socket&&) = delete;

  ~Socket() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }

  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

/// The path may be longer than a socket address holds; the folder's descriptor makes it short.
Result<sockaddr_un> address_of(const std::filesystem::path& directory, Socket& folder) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string path = (directory / "control.sock").string();
  if (path.size() >= sizeof address.sun_path) {
    folder.~Socket();
    new (&folder) Socket(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0) {
      return fail_errno("open " + directory.string(), errno);
    }
    path = "/proc/self/fd/" + std::to_string(folder.get()) + "/control.sock";
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Result<Socket> connected(const std::filesystem::path& directory) {
  Socket folder(-1);
  TRY(const sockaddr_un address, address_of(directory, folder));
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0 ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail(ErrorCode::unavailable, "no program is running workflows in " + directory.string());
  }
  return socket;
}

std::string answer_of(Result<Value> result) {
  doc::Object answer;
  if (result) {
    answer["ok"] = true;
    answer["result"] = *std::move(result);
  } else {
    answer["error"] = result.error().message;
    answer["code"] = static_cast<int>(result.error().code);
  }
  return doc::to_json(answer) + "\n";
}

Result<Value> result_of(std::string_view answer) {
  TRY(const Value document, doc::parse_json(answer));
  if (doc::find(document, "ok") != nullptr) {
    const Value* result = doc::find(document, "result");
    return result == nullptr ? Value() : *result;
  }
  const Value* code = doc::find(document, "code");
  const bool known = code != nullptr && code->is_int64() && code->get_int64() >= 0 &&
                     code->get_int64() <= static_cast<int>(ErrorCode::io);
  return fail(known ? static_cast<ErrorCode>(code->get_int64()) : ErrorCode::internal,
              std::string(doc::find_string(document, "error")));
}

std::size_t verb_index(const Value& request) {
  const std::string_view verb = doc::find_string(request, "verb");
  std::size_t index = 0;
  while (index < kVerbs.size() && kVerbs.at(index) != verb) {
    ++index;
  }
  return index;
}

Result<> send_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return fail_errno("send a request", errno);
    }
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

Value request_of(const cli::Control& control) {
  doc::Array parameters;
  for (const auto& [name, value] : control.parameters) {
    parameters.push_back(doc::Object{{"name", name}, {"value", value}});
  }
  const std::string_view verb = kVerbs.at(static_cast<std::size_t>(control.verb));
  return doc::Object{{"verb", std::string(verb)},
                     {"namespace", control.namespace_},
                     {"workflow", control.workflow},
                     {"message", control.message},
                     {"nodeFieldSelector", control.node_field_selector},
                     {"phase", control.phase},
                     {"parameters", std::move(parameters)}};
}

bool is_control(const Value& request) { return verb_index(request) < kVerbs.size(); }

Result<cli::Control> control_of(const Value& request) {
  cli::Control control;
  const std::size_t index = verb_index(request);
  if (index == kVerbs.size()) {
    return fail(ErrorCode::bad_request,
                "verb: expected stop, terminate, suspend, resume or set, found \"" +
                    std::string(doc::find_string(request, "verb")) + "\"");
  }
  control.verb = static_cast<cli::Control::Verb>(index);
  control.namespace_ = doc::find_string(request, "namespace");
  control.workflow = doc::find_string(request, "workflow");
  control.message = doc::find_string(request, "message");
  control.node_field_selector = doc::find_string(request, "nodeFieldSelector");
  control.phase = doc::find_string(request, "phase");
  if (const Value* parameters = doc::find(request, "parameters");
      parameters != nullptr && parameters->is_array()) {
    for (const Value& parameter : parameters->get_array()) {
      control.parameters.emplace_back(doc::find_string(parameter, "name"),
                                      doc::find_string(parameter, "value"));
    }
  }
  return control;
}

class ControlServer::Impl {
 public:
  Impl(async::Loop& loop, Socket socket, std::filesystem::path path, Handler handler)
      : loop_(loop),
        socket_(std::move(socket)),
        path_(std::move(path)),
        handler_(std::move(handler)) {
    watch_ = loop_.watch_fd(socket_.get(), async::Interest::readable, [this] { accept(); });
  }

  ~Impl() { ::unlink(path_.c_str()); }

 private:
  struct Connection {
    explicit Connection(Socket socket_in) : socket(std::move(socket_in)) {}

    Socket socket;
    std::string request;
    async::Watch watch;
  };

  void accept() {
    const int descriptor = ::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0) {
      return;
    }
    auto connection = std::make_shared<Connection>(Socket(descriptor));
    connections_.insert(connection);
    connection->watch =
        loop_.watch_fd(descriptor, async::Interest::readable,
                       [this, known = std::weak_ptr(connection)] { read(known.lock()); });
  }

  void read(const std::shared_ptr<Connection>& connection) {
    std::array<char, 65536> buffer;
    const ssize_t count = ::read(connection->socket.get(), buffer.data(), buffer.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    }
    const std::string_view part(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    connection->request += part;
    const bool whole = part.contains('\n');
    if (count > 0 && !whole && connection->request.size() <= kMaximumRequestBytes) {
      return;
    }
    connections_.erase(connection);
    connection->watch = async::Watch();
    if (whole) {
      carry_out(connection);
    }
  }

  void carry_out(const std::shared_ptr<Connection>& connection) {
    const auto request = doc::parse_json(
        std::string_view(connection->request).substr(0, connection->request.find('\n')));
    Reply reply = [connection](Result<Value> result) {
      const std::string text = answer_of(std::move(result));
      // An answer is smaller than a socket's buffer; who does not read it loses it.
      (void)::send(connection->socket.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    };
    if (!request) {
      reply(std::unexpected(request.error()));
      return;
    }
    handler_(*request, std::move(reply));
  }

  async::Loop& loop_;
  Socket socket_;
  std::filesystem::path path_;
  Handler handler_;
  std::set<std::shared_ptr<Connection>> connections_;
  async::Watch watch_;
};

ControlServer::ControlServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ControlServer::~ControlServer() = default;

Result<std::unique_ptr<ControlServer>> ControlServer::listen(async::Loop& loop,
                                                             const std::filesystem::path& directory,
                                                             Handler handler) {
  const std::filesystem::path path = directory / "control.sock";
  ::unlink(path.c_str());
  Socket folder(-1);
  TRY(const sockaddr_un address, address_of(directory, folder));
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.get() < 0) {
    return fail_errno("make a control socket", errno);
  }
  const mode_t former = ::umask(0177);
  const int bound =
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int why = errno;
  ::umask(former);
  if (bound != 0 || ::listen(socket.get(), 16) != 0) {
    return fail_errno("listen at " + path.string(), bound != 0 ? why : errno);
  }
  auto impl = std::make_unique<Impl>(loop, std::move(socket), path, std::move(handler));
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(impl)));
}

bool is_served(const std::filesystem::path& directory) { return connected(directory).has_value(); }

Result<Value> send_request(const std::filesystem::path& directory, const Value& request) {
  TRY(const Socket socket, connected(directory));
  TRY_VOID(send_all(socket.get(), doc::to_json(request) + "\n"));
  std::string answer;
  std::array<char, 4096> buffer;
  pollfd ready{socket.get(), POLLIN, 0};
  while (answer.find('\n') == std::string::npos && ::poll(&ready, 1, kAnswerMilliseconds) > 0) {
    const ssize_t count = ::read(socket.get(), buffer.data(), buffer.size());
    if (count <= 0) {
      // It ended before it had understood.
      return fail(ErrorCode::unavailable,
                  "the program that ran workflows in " + directory.string() + " has ended");
    }
    answer.append(buffer.data(), static_cast<std::size_t>(count));
  }
  if (answer.find('\n') == std::string::npos) {
    return fail(ErrorCode::timeout,
                "the program that runs workflows in " + directory.string() + " does not answer");
  }
  return result_of(std::string_view(answer).substr(0, answer.find('\n')));
}

}  // namespace tiphys::app
