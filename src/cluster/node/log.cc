#include "cluster/node/log.h"

#include "cluster/node/files.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <fcntl.h>

namespace tiphys::node {
namespace {

/// The longest piece of a line in one row of the file (containerd's limit).
constexpr std::size_t kMaximumPiece = 16 * 1024;

std::string format_to_second(async::TimePoint time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t count = seconds.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&count, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace

std::string format_nanoseconds(async::TimePoint time) {
  const auto rest = time - std::chrono::floor<std::chrono::seconds>(time);
  std::string fraction = fmt::format(".{:09}", rest.count());
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return format_to_second(time) + (fraction == "." ? "" : fraction) + "Z";
}

ContainerLog::ContainerLog(async::Loop& loop, std::string file, Keep keep, std::size_t kept_bytes)
    : loop_(loop),
      file_name_(std::move(file)),
      keeps_(keep == Keep::standard_output),
      kept_bytes_(kept_bytes) {
  streams_[0].name = "stdout";
  streams_[1].name = "stderr";
}

Result<std::unique_ptr<ContainerLog>> ContainerLog::open(async::Loop& loop, std::string file,
                                                         Keep keep, std::size_t kept_bytes) {
  std::unique_ptr<ContainerLog> log(new ContainerLog(loop, std::move(file), keep, kept_bytes));
  TRY_VOID(log->reopen());
  return log;
}

Result<> ContainerLog::reopen() {
  for (Stream& stream : streams_) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
      return fail_errno("making a pipe", errno);
    }
    stream.ours = Descriptor(ends[0]);
    stream.theirs = Descriptor(ends[1]);
    watch(stream);
  }
  return {};
}

void ContainerLog::take_terminal(Descriptor terminal) {
  Stream& stream = streams_[0];
  stream.watch.cancel();
  stream.ours = std::move(terminal);
  watch(stream);
}

void ContainerLog::watch(Stream& stream) {
  // Only our side: programs expect theirs to block.
  fcntl(stream.ours.get(), F_SETFL, O_NONBLOCK);
  stream.watch = loop_.watch_fd(stream.ours.get(), async::Interest::readable, [this, &stream] {
    if (!read_some(stream)) {
      stream.watch.cancel();
    }
  });
}

void ContainerLog::handed_over() {
  for (Stream& stream : streams_) {
    stream.theirs.reset();
  }
}

bool ContainerLog::read_some(Stream& stream) {
  std::array<char, 65536> bytes;
  while (true) {
    const ssize_t got = read(stream.ours.get(), bytes.data(), bytes.size());
    if (got > 0) {
      take(stream, {bytes.data(), static_cast<std::size_t>(got)});
      return true;
    }
    if (got == 0 || errno != EINTR) {
      return got < 0 && errno == EAGAIN;
    }
  }
}

void ContainerLog::take(Stream& stream, std::string_view bytes) {
  if (keeps_ && &stream == &streams_[0]) {
    kept_.append(bytes);
    if (kept_.size() > 2 * kept_bytes_) {
      kept_.erase(0, kept_.size() - kept_bytes_);
    }
  }
  std::string out;
  out.reserve(bytes.size() + 128);
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const bool ended = end != std::string_view::npos;
    stream.line.append(bytes.substr(0, end));
    bytes.remove_prefix(ended ? end + 1 : bytes.size());
    std::string_view line = stream.line;
    while (line.size() > kMaximumPiece) {
      append(stream, line.substr(0, kMaximumPiece), 'P', out);
      line.remove_prefix(kMaximumPiece);
    }
    if (ended) {
      append(stream, line, 'F', out);
      line = {};
    }
    stream.line.erase(0, stream.line.size() - line.size());
  }
  write_out(out);
}

void ContainerLog::append(const Stream& stream, std::string_view text, char tag,
                          std::string& out) const {
  out += format_nanoseconds(loop_.now());
  out += ' ';
  out += stream.name;
  out += ' ';
  out += tag;
  out += ' ';
  out += text;
  out += '\n';
}

void ContainerLog::write_out(std::string_view text) {
  if (text.empty()) {
    return;
  }
  if (!file_) {
    constexpr int kFlags = O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC;
    file_ = Descriptor(::open(file_name_.c_str(), kFlags, 0640));
    if (!file_ && errno == ENOENT) {
      // A folder that cannot be made shows in the next line.
      [[maybe_unused]] const auto made = make_folders(file_name_.substr(0, file_name_.rfind('/')));
      file_ = Descriptor(::open(file_name_.c_str(), kFlags, 0640));
    }
  }
  // A full disk costs log lines, not the container.
  while (file_ && !text.empty()) {
    const ssize_t written = write(file_.get(), text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      return;
    }
    text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
}

void ContainerLog::finish() {
  handed_over();
  for (Stream& stream : streams_) {
    if (!stream.ours) {
      continue;
    }
    stream.watch.cancel();
    std::array<char, 65536> bytes;
    while (true) {
      const ssize_t got = read(stream.ours.get(), bytes.data(), bytes.size());
      if (got > 0) {
        take(stream, {bytes.data(), static_cast<std::size_t>(got)});
      } else if (got == 0 || errno != EINTR) {
        break;
      }
    }
    if (!stream.line.empty()) {
      std::string out;
      append(stream, stream.line, 'P', out);
      write_out(out);
      stream.line.clear();
    }
    stream.ours.reset();
  }
  file_.reset();
  if (keeps_ && kept_.size() > kept_bytes_) {
    kept_.erase(0, kept_.size() - kept_bytes_);
  }
}

}  // namespace tiphys::node
