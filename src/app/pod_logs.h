#pragma once
/// Reads the log files that the node writes: `<time> stdout|stderr F|P <text>` a line, one file a
/// container, in <folder>/<namespace>_<pod>_<uid>/<container>.log.

#include "cli/session.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::app {

/// One line of a log file; nothing for a line that is none.
struct RawLogLine {
  std::string_view timestamp;
  std::string_view stream;
  bool whole = true;  ///< false: a part whose rest follows
  std::string_view text;
};

std::optional<RawLogLine> parse_log_line(std::string_view line);

/// Whether the container that writes a log may still write.
enum class LogWriter { running, ended };

/// A file read as it grows: each call gives the lines that have come since the last.
class LogFile final {
 public:
  LogFile(std::filesystem::path path, std::string pod, std::string container)
      : path_(std::move(path)), pod_(std::move(pod)), container_(std::move(container)) {}

  const std::string& container() const { return container_; }

  /// Appends the new whole lines, and when the writer has ended what stands after the last newline.
  /// A file that is not there has none.
  void read_new(std::vector<cli::LogLine>& out, LogWriter writer);
  /// Begins with the lines of the last `bytes` bytes. To be called first.
  void skip_to_last(std::uint64_t bytes);

 private:
  std::filesystem::path path_;
  std::string pod_;
  std::string container_;
  std::uint64_t offset_ = 0;
  std::string partial_;  ///< text of a line of which only parts have come
  std::string partial_time_;
};

/// Puts lines of several files into the order of their times; lines of one moment stay in theirs.
void sort_by_time(std::vector<cli::LogLine>& lines);

/// The log files of pods, by pod name. Found once by reading the folder.
class LogFolder final {
 public:
  explicit LogFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// The files of a pod, sorted by container; looks again into the folder when the pod is not known
  /// yet.
  std::vector<LogFile> files_of(const std::string& namespace_name, const std::string& pod);
  /// The last lines of a pod of whatever namespace, read from the ends of its files.
  std::vector<std::string> tail_of(const std::string& pod, std::size_t lines);

 private:
  void look();

  std::filesystem::path folder_;
  std::map<std::string, std::filesystem::path> pods_;  ///< "<namespace>_<pod>" -> folder
};

}  // namespace tiphys::app
