#include "app/pod_logs.h"

#include <algorithm>
#include <fstream>
#include <numeric>

namespace tiphys::app {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kTailBytes = 16 * 1024;

}  // namespace

std::optional<RawLogLine> parse_log_line(std::string_view line) {
  RawLogLine out;
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  const std::size_t third = second == std::string_view::npos ? second : line.find(' ', second + 1);
  if (second == std::string_view::npos) {
    return std::nullopt;
  }
  out.timestamp = line.substr(0, first);
  out.stream = line.substr(first + 1, second - first - 1);
  const std::string_view tag =
      line.substr(second + 1, third == std::string_view::npos ? third : third - second - 1);
  if ((out.stream != "stdout" && out.stream != "stderr") || (tag != "F" && tag != "P")) {
    return std::nullopt;
  }
  out.whole = tag == "F";
  out.text = third == std::string_view::npos ? std::string_view() : line.substr(third + 1);
  return out;
}

void LogFile::skip_to_last(std::uint64_t bytes) {
  std::error_code code;
  const std::uint64_t size = fs::file_size(path_, code);
  if (code || size <= bytes) {
    return;
  }
  std::ifstream in(path_, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(size - bytes));
  std::string rest_of_line;
  std::getline(in, rest_of_line);
  offset_ = size - bytes + rest_of_line.size() + 1;
}

void LogFile::read_new(std::vector<cli::LogLine>& out, LogWriter writer) {
  std::ifstream in(path_, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(offset_));
  for (std::string line; std::getline(in, line);) {
    if (in.eof()) {
      break;  // the writer is in the middle of this line
    }
    offset_ += line.size() + 1;
    const auto parsed = parse_log_line(line);
    if (!parsed) {
      continue;
    }
    partial_ += parsed->text;
    if (parsed->whole) {
      out.push_back({pod_, container_, std::string(parsed->timestamp), std::move(partial_)});
      partial_.clear();
    } else {
      partial_time_ = parsed->timestamp;
    }
  }
  if (writer == LogWriter::ended && !partial_.empty()) {
    out.push_back({pod_, container_, std::move(partial_time_), std::move(partial_)});
    partial_.clear();
  }
}

void sort_by_time(std::vector<cli::LogLine>& lines) {
  std::vector<std::size_t> order(lines.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t line) {
    return std::pair<std::string_view, std::size_t>(lines[line].timestamp, line);
  });
  std::vector<cli::LogLine> sorted;
  sorted.reserve(lines.size());
  for (const std::size_t line : order) {
    sorted.push_back(std::move(lines[line]));
  }
  lines = std::move(sorted);
}

void LogFolder::look() {
  std::error_code code;
  for (auto entry = fs::directory_iterator(folder_, code);
       !code && entry != fs::directory_iterator(); entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    const std::size_t uid = name.rfind('_');
    if (uid == std::string::npos) {
      continue;
    }
    // A pod that was made again, by a retry, has a folder of its own: the younger one counts.
    const auto [known, is_new] = pods_.try_emplace(name.substr(0, uid), entry->path());
    std::error_code ignored;
    if (!is_new && fs::last_write_time(known->second, ignored) < entry->last_write_time(ignored)) {
      known->second = entry->path();
    }
  }
}

std::vector<LogFile> LogFolder::files_of(const std::string& namespace_name,
                                         const std::string& pod) {
  const std::string key = namespace_name + "_" + pod;
  if (!pods_.contains(key)) {
    look();
  }
  std::vector<LogFile> out;
  const auto found = pods_.find(key);
  if (found == pods_.end()) {
    return out;
  }
  std::vector<fs::path> files;
  std::error_code code;
  for (auto entry = fs::directory_iterator(found->second, code);
       !code && entry != fs::directory_iterator(); entry.increment(code)) {
    if (entry->path().extension() == ".log") {
      files.push_back(entry->path());
    }
  }
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    out.emplace_back(file, pod, file.stem().string());
  }
  return out;
}

std::vector<std::string> LogFolder::tail_of(const std::string& pod, std::size_t lines) {
  const auto is_pod = [&](const auto& entry) {
    return entry.first.size() > pod.size() && entry.first.ends_with(pod) &&
           entry.first[entry.first.size() - pod.size() - 1] == '_';
  };
  auto found = std::ranges::find_if(pods_, is_pod);
  if (found == pods_.end()) {
    look();
    found = std::ranges::find_if(pods_, is_pod);
  }
  if (found == pods_.end()) {
    return {};
  }
  std::vector<cli::LogLine> all;
  std::error_code code;
  for (auto entry = fs::directory_iterator(found->second, code);
       !code && entry != fs::directory_iterator(); entry.increment(code)) {
    if (entry->path().extension() == ".log") {
      LogFile file(entry->path(), pod, entry->path().stem().string());
      file.skip_to_last(kTailBytes);
      file.read_new(all, LogWriter::ended);
    }
  }
  sort_by_time(all);
  std::vector<std::string> out;
  for (std::size_t i = all.size() - std::min(lines, all.size()); i < all.size(); ++i) {
    out.push_back(std::move(all[i].text));
  }
  return out;
}

}  // namespace tiphys::app
