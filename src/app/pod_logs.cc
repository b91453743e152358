#include "app/pod_logs.h"

#include <algorithm>
#include <fstream>

namespace tiphys::app {

namespace fs = std::filesystem;

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

void LogFile::read_new(std::vector<cli::LogLine>& out) {
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
    }
  }
}

void LogFolder::look() {
  std::error_code code;
  for (auto entry = fs::directory_iterator(folder_, code);
       !code && entry != fs::directory_iterator(); entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    if (const std::size_t uid = name.rfind('_'); uid != std::string::npos) {
      pods_[name.substr(0, uid)] = entry->path();
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

}  // namespace tiphys::app
