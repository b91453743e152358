#include "cluster/node/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

namespace tiphys::node {
namespace {

std::string path_of(int folder) { return fmt::format("/proc/self/fd/{}", folder); }

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 18 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  return first == std::string_view::npos
             ? ""
             : text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

}  // namespace

ProgressFiles::ProgressFiles(async::Loop& loop, Changed changed)
    : loop_(loop), changed_(std::move(changed)) {}

ProgressFiles::Folder ProgressFiles::add(int folder) {
  if (!events_) {
    events_ = Descriptor(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!events_) {
      return 0;
    }
    look();
  }
  constexpr std::uint32_t kWanted = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR;
  const int added = inotify_add_watch(events_.get(), path_of(folder).c_str(), kWanted);
  return added < 0 ? 0 : added;
}

void ProgressFiles::remove(Folder folder) {
  if (folder != 0) {
    inotify_rm_watch(events_.get(), folder);
  }
}

void ProgressFiles::look() {
  watch_ = loop_.watch_fd(events_.get(), async::Interest::readable, [this] { on_change(); });
}

void ProgressFiles::on_change() {
  watch_.cancel();
  pause_ = loop_.call_after(kPause, [this] { look(); });
  tell();
}

void ProgressFiles::tell() {
  if (!events_) {
    return;
  }
  std::set<std::pair<Folder, std::string>> changes;
  alignas(inotify_event) std::array<char, 4096> bytes{};
  ssize_t got = 0;
  while ((got = read(events_.get(), bytes.data(), bytes.size())) > 0) {
    const char* const end = bytes.data() + got;
    for (const char* at = bytes.data(); at < end;) {
      inotify_event event{};
      std::memcpy(&event, at, sizeof event);
      if (event.wd > 0) {
        changes.emplace(event.wd, event.len > 0 ? at + sizeof event : "");
      }
      at += sizeof event + event.len;
    }
  }
  for (const auto& [folder, name] : changes) {
    changed_(folder, name);
  }
}

std::string read_progress(int folder, const std::string& name) {
  constexpr std::size_t kTail = 256;
  const Descriptor file(
      openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  struct stat status{};
  if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return "";
  }
  std::array<char, kTail> bytes{};
  const off_t from = std::max<off_t>(0, status.st_size - static_cast<off_t>(kTail));
  const ssize_t got = pread(file.get(), bytes.data(), bytes.size(), from);
  std::string_view line =
      trimmed(std::string_view(bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0));
  line = trimmed(line.substr(line.rfind('\n') + 1));
  const std::size_t slash = line.find('/');
  const bool valid = slash != std::string_view::npos && is_number(line.substr(0, slash)) &&
                     is_number(line.substr(slash + 1));
  return valid ? std::string(line) : "";
}

}  // namespace tiphys::node
