#include "executor/capture.h"

#include "artifacts/files.h"
#include "artifacts/location.h"
#include "executor/archive.h"
#include "executor/capture_logs.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tiphys::executor {
namespace {

using artifacts::Fd;

std::string_view cut_newline(std::string_view text) {
  if (text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  return text;
}

/// The length of the valid UTF-8 sequence that `text` begins with; 0 if there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    return 1;
  }
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) {
    return 0;
  }
  // The second byte excludes overlong forms, surrogates and what is beyond U+10FFFF.
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) {
    return 0;
  }
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) {
      return 0;
    }
  }
  return length;
}

/// A small regular file's content.
Result<std::string> read_file(const std::filesystem::path& file, std::string_view name) {
  const Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (!opened || ::fstat(opened.get(), &status) != 0) {
    return fail(ErrorCode::io, fmt::format("open {}: {}", name, std::strerror(errno)));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::io, S_ISDIR(status.st_mode)
                                   ? fmt::format("read {}: is a directory", name)
                                   : fmt::format("read {}: not a regular file", name));
  }
  std::string content(kMaximumParameterBytes + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = ::read(opened.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return fail(ErrorCode::io, fmt::format("read {}: {}", name, std::strerror(errno)));
    }
    if (got == 0) {
      content.resize(size);
      return content;
    }
    size += static_cast<std::size_t>(got);
  }
  return fail(ErrorCode::invalid, fmt::format("{}: an output parameter can have at most {} bytes",
                                              name, kMaximumParameterBytes));
}

/// Carries out one plan.
class Capturer {
 public:
  Capturer(const StepPlan& plan, const FileView& files, artifacts::Store& store)
      : plan_(plan), files_(files), store_(store) {}

  Result<> parameters(StepOutputs& outputs) {
    for (const OutputParameter& parameter : plan_.output_parameters) {
      auto value = read_parameter(parameter);
      if (!value) {
        if (!parameter.default_value) {
          return std::unexpected(std::move(value).error());
        }
        value = *parameter.default_value;
      }
      outputs.parameters.push_back({parameter.name, to_valid_utf8(cut_newline(*value))});
    }
    return {};
  }

  Result<> artifacts(StepOutputs& outputs) {
    std::string errors;
    for (const OutputArtifact& artifact : plan_.output_artifacts) {
      auto captured = save(artifact);
      if (captured) {
        outputs.artifacts.push_back(*std::move(captured));
      } else if (!artifact.optional || captured.error().code != ErrorCode::not_found) {
        errors += captured.error().message + "; ";
      }
    }
    return errors.empty() ? Result<>{} : fail(ErrorCode::io, std::move(errors));
  }

 private:
  Result<std::string> read_parameter(const OutputParameter& parameter) const {
    TRY(const std::string path, artifacts::clean_container_path(parameter.name, parameter.path));
    auto resolved = files_.resolve(path);
    if (!resolved) {
      return resolved.error().code == ErrorCode::not_found
                 ? fail(ErrorCode::not_found,
                        fmt::format(
                            "open /var/run/argo/outputs/parameters{}: no such file or directory",
                            path))
                 : std::unexpected(std::move(resolved).error());
    }
    return read_file(*resolved, path);
  }

  Result<CapturedArtifact> save(const OutputArtifact& artifact) {
    TRY(const std::string path, artifacts::clean_container_path(artifact.name, artifact.path));
    auto resolved = files_.resolve(path);
    if (!resolved) {
      // The words of upstream, which looks for the archive its first half made.
      return resolved.error().code == ErrorCode::not_found
                 ? fail(ErrorCode::not_found,
                        fmt::format(
                            "open /var/run/argo/outputs/artifacts{}.tgz: no such file or directory",
                            path))
                 : std::unexpected(std::move(resolved).error());
    }
    auto stored = artifact.archive == Archive::none ? save_plain(artifact, path, *resolved)
                                                    : save_packed(artifact, path, *resolved);
    if (!stored) {
      // Only a missing output may be overlooked, not a store that lost something.
      Error error = std::move(stored).error().with_context("artifact " + artifact.name);
      error.code = error.code == ErrorCode::not_found ? ErrorCode::io : error.code;
      return std::unexpected(std::move(error));
    }
    return CapturedArtifact{artifact.name, artifact.path,
                            artifact.reported.is_null() ? artifact.location : artifact.reported,
                            std::move(stored->digest), stored->size};
  }

  Result<artifacts::Stored> save_plain(const OutputArtifact& artifact, const std::string& path,
                                       const std::filesystem::path& resolved) {
    const bool movable = files_.is_private(resolved) && !is_shared(artifact, path);
    return store_.save(artifact.location, resolved,
                       movable ? artifacts::Source::may_move : artifacts::Source::keep);
  }

  Result<artifacts::Stored> save_packed(const OutputArtifact& artifact, const std::string& path,
                                        const std::filesystem::path& resolved) {
    static std::atomic<std::uint64_t> counter{0};
    const std::filesystem::path packed =
        store_.scratch() / fmt::format("pack-{}-{}", ::getpid(), ++counter);
    const Archive kind = artifact.archive == Archive::zip ? Archive::zip : Archive::tar;
    const std::string name = artifacts::file_name(artifact.name, path, Archive::none);
    TRY_VOID(pack(resolved, name, kind, artifact.compression_level, packed));
    auto stored = store_.save(artifact.location, packed, artifacts::Source::may_move);
    ::unlink(packed.c_str());
    return stored;
  }

  /// Whether another output still needs the file: it is the same, inside it or around it.
  bool is_shared(const OutputArtifact& artifact, const std::string& path) const {
    return std::ranges::any_of(plan_.output_artifacts, [&](const OutputArtifact& other) {
      if (&other == &artifact) {
        return false;
      }
      const auto theirs = artifacts::clean_container_path(other.name, other.path);
      return theirs && (*theirs == path || theirs->starts_with(path + "/") ||
                        path.starts_with(*theirs + "/"));
    });
  }

  const StepPlan& plan_;
  const FileView& files_;
  artifacts::Store& store_;
};

}  // namespace

std::string to_valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    valid += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return valid;
}

StepOutputs capture(const StepPlan& plan, const FileView& files, artifacts::Store& store,
                    const std::optional<std::string>& stdout_text) {
  StepOutputs outputs;
  if (plan.capture_result && stdout_text) {
    std::string_view text = cut_newline(*stdout_text);
    if (text.size() > kMaximumResultBytes) {
      text.remove_prefix(text.size() - kMaximumResultBytes);
    }
    outputs.result = to_valid_utf8(text);
  }
  Capturer capturer(plan, files, store);
  const auto keep_first = [&outputs](Result<> done) {
    if (!done && outputs.error.empty()) {
      outputs.error = std::move(done).error().message;
    }
  };
  keep_first(capturer.parameters(outputs));
  keep_first(capturer.artifacts(outputs));
  keep_first(capture_logs(plan, files, store, outputs));
  return outputs;
}

}  // namespace tiphys::executor
