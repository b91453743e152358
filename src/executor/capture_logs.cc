#include "executor/capture_logs.h"

#include "artifacts/files.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace tiphys::executor {
namespace {

using artifacts::Fd;

/// Writes the text of the log at `from`, nothing when there is no such file, to the new file `to`.
Result<> copy_text(const std::filesystem::path& from, const std::filesystem::path& to) {
  const Fd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!out) {
    return fail_errno(to.string(), errno);
  }
  const Fd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!in) {
    return errno == ENOENT ? Result<>{} : fail_errno(from.string(), errno);
  }
  LogText log;
  std::string text;
  std::array<char, 65536> piece;
  while (true) {
    const ssize_t got = ::read(in.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return fail_errno(from.string(), errno);
    }
    if (got == 0) {
      log.finish(text);
    } else {
      log.take({piece.data(), static_cast<std::size_t>(got)}, text);
    }
    TRY_VOID(artifacts::write_all(out.get(), text));
    text.clear();
    if (got == 0) {
      return {};
    }
  }
}

Result<artifacts::Stored> save_log(const LogArtifact& log, const std::filesystem::path& file,
                                   artifacts::Store& store) {
  static std::atomic<std::uint64_t> counter{0};
  const std::filesystem::path text =
      store.scratch() / fmt::format("log-{}-{}", ::getpid(), ++counter);
  const auto copied = copy_text(file, text);
  auto stored = copied ? store.save(log.location, text, artifacts::Source::may_move)
                       : Result<artifacts::Stored>(std::unexpected(copied.error()));
  ::unlink(text.c_str());
  return stored;
}

}  // namespace

void LogText::take(std::string_view piece, std::string& out) {
  while (!piece.empty()) {
    const std::size_t end = piece.find('\n');
    if (end == std::string_view::npos) {
      row_ += piece;
      return;
    }
    if (row_.empty()) {
      take_row(piece.substr(0, end), out);
    } else {
      row_ += piece.substr(0, end);
      take_row(row_, out);
      row_.clear();
    }
    piece.remove_prefix(end + 1);
  }
}

void LogText::finish(std::string& out) {
  if (!row_.empty()) {
    take_row(row_, out);
    row_.clear();
  }
}

void LogText::take_row(std::string_view row, std::string& out) const {
  const std::size_t stream = row.find(' ');
  const std::size_t tag = stream == std::string_view::npos ? stream : row.find(' ', stream + 1);
  const bool known = tag != std::string_view::npos && row.size() >= tag + 3 &&
                     row[tag + 2] == ' ' && (row[tag + 1] == 'F' || row[tag + 1] == 'P');
  if (!known) {
    out.append(row).push_back('\n');
    return;
  }
  out += row.substr(tag + 3);
  if (row[tag + 1] == 'F') {
    out.push_back('\n');
  }
}

Result<> capture_logs(const StepPlan& plan, const FileView& files, artifacts::Store& store,
                      StepOutputs& outputs) {
  Result<> first;
  for (const LogArtifact& log : plan.logs) {
    const auto file = files.log_of(log.container);
    if (!file) {
      continue;
    }
    auto stored = save_log(log, *file, store);
    if (stored) {
      outputs.artifacts.push_back({log.name, "",
                                   log.reported.is_null() ? log.location : log.reported,
                                   std::move(stored->digest), stored->size});
    } else if (first) {
      first = std::unexpected(std::move(stored).error().with_context("artifact " + log.name));
    }
  }
  return first;
}

}  // namespace tiphys::executor
