#include "cluster/node/security.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <dirent.h>
#include <fcntl.h>
#include <limits>
#include <memory>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace tiphys::node {
namespace {

constexpr int kMaximumDepth = 256;

/// In the order of their numbers (linux/capability.h).
constexpr std::array<std::string_view, 41> kCapabilities{"CHOWN",
                                                         "DAC_OVERRIDE",
                                                         "DAC_READ_SEARCH",
                                                         "FOWNER",
                                                         "FSETID",
                                                         "KILL",
                                                         "SETGID",
                                                         "SETUID",
                                                         "SETPCAP",
                                                         "LINUX_IMMUTABLE",
                                                         "NET_BIND_SERVICE",
                                                         "NET_BROADCAST",
                                                         "NET_ADMIN",
                                                         "NET_RAW",
                                                         "IPC_LOCK",
                                                         "IPC_OWNER",
                                                         "SYS_MODULE",
                                                         "SYS_RAWIO",
                                                         "SYS_CHROOT",
                                                         "SYS_PTRACE",
                                                         "SYS_PACCT",
                                                         "SYS_ADMIN",
                                                         "SYS_BOOT",
                                                         "SYS_NICE",
                                                         "SYS_RESOURCE",
                                                         "SYS_TIME",
                                                         "SYS_TTY_CONFIG",
                                                         "MKNOD",
                                                         "LEASE",
                                                         "AUDIT_WRITE",
                                                         "AUDIT_CONTROL",
                                                         "SETFCAP",
                                                         "MAC_OVERRIDE",
                                                         "MAC_ADMIN",
                                                         "SYSLOG",
                                                         "WAKE_ALARM",
                                                         "BLOCK_SUSPEND",
                                                         "AUDIT_READ",
                                                         "PERFMON",
                                                         "BPF",
                                                         "CHECKPOINT_RESTORE"};
/// What containers have without asking; all others nobody gets.
constexpr std::array<std::string_view, 13> kGranted{
    "CHOWN",   "DAC_OVERRIDE", "FSETID",           "FOWNER", "SETGID",
    "SETUID",  "SETPCAP",      "NET_BIND_SERVICE", "KILL",   "SETFCAP",
    "NET_RAW", "SYS_CHROOT",   "AUDIT_WRITE"};

const doc::Value& member(const doc::Value& value, std::string_view key) {
  static const doc::Value kNone = doc::Object();
  const doc::Value* found = doc::find(value, key);
  return found != nullptr && !found->is_null() ? *found : kNone;
}

/// A pod's and a container's settings together.
class Contexts {
 public:
  Contexts(const doc::Value& pod, const doc::Value& container)
      : pod_(member(member(pod, "spec"), "securityContext")),
        own_(member(container, "securityContext")) {}

  const doc::Value* find(std::string_view key) const {
    for (const doc::Value* context : {&own_, &pod_}) {
      const doc::Value* found = doc::find(*context, key);
      if (found != nullptr && !found->is_null()) {
        return found;
      }
    }
    return nullptr;
  }

  bool flag(std::string_view key) const {
    const doc::Value* found = find(key);
    return found != nullptr && found->is_bool() && found->get_bool();
  }

  Result<std::optional<std::int64_t>> id(std::string_view key) const {
    const doc::Value* found = find(key);
    if (found == nullptr) {
      return std::nullopt;
    }
    if (!found->is_int64() || found->get_int64() < 0 ||
        found->get_int64() > std::numeric_limits<std::int32_t>::max()) {
      return fail(ErrorCode::invalid, fmt::format("securityContext.{}: must be between 0 and "
                                                  "2147483647, inclusive",
                                                  key));
    }
    return found->get_int64();
  }

  const doc::Value& pod() const { return pod_; }

  const doc::Value& own() const { return own_; }

 private:
  const doc::Value& pod_;
  const doc::Value& own_;
};

Result<std::uint64_t> bits_of(const doc::Value& list) {
  std::uint64_t bits = 0;
  if (!list.is_array()) {
    return bits;
  }
  for (const doc::Value& entry : list.get_array()) {
    std::string name(entry.is_string() ? doc::text_of(entry.get_string()) : std::string_view());
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
    const std::string_view bare =
        name.starts_with("CAP_") ? std::string_view(name).substr(4) : std::string_view(name);
    if (bare == "ALL") {
      return ~std::uint64_t{0};
    }
    const auto found = std::ranges::find(kCapabilities, bare);
    if (found == kCapabilities.end()) {
      return fail(ErrorCode::invalid, fmt::format("unknown capability \"{}\"", name));
    }
    bits |= std::uint64_t{1} << (found - kCapabilities.begin());
  }
  return bits;
}

std::uint64_t granted_bits() {
  std::uint64_t bits = 0;
  for (const std::string_view name : kGranted) {
    bits |= std::uint64_t{1} << (std::ranges::find(kCapabilities, name) - kCapabilities.begin());
  }
  return bits;
}

Result<> read_capabilities(const Contexts& contexts, Security& out) {
  const doc::Value& lists = member(contexts.own(), "capabilities");
  TRY(const std::uint64_t added, bits_of(member(lists, "add")));
  TRY(const std::uint64_t dropped, bits_of(member(lists, "drop")));
  out.capabilities = ~dropped | added;
  if (contexts.flag("privileged") || (added & ~granted_bits()) != 0) {
    out.notices.emplace_back(
        "containers get no more privileges here than steps need: privileged and further "
        "capabilities of a securityContext have no effect");
  }
  return {};
}

void read_groups(const Contexts& contexts, Security& out) {
  const auto add = [&](const doc::Value& id) {
    if (id.is_int64() && id.get_int64() >= 0 &&
        id.get_int64() <= std::numeric_limits<std::int32_t>::max()) {
      out.groups.push_back(static_cast<std::uint32_t>(id.get_int64()));
    }
  };
  if (const doc::Value& list = member(contexts.pod(), "supplementalGroups"); list.is_array()) {
    std::ranges::for_each(list.get_array(), add);
  }
  add(member(contexts.pod(), "fsGroup"));
}

void give_below(int folder, std::uint32_t group, unsigned file_bits, unsigned folder_bits,
                int depth) {
  if (depth > kMaximumDepth) {
    return;
  }
  const int copy = dup(folder);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(fdopendir(copy), closedir);
  while (const dirent* entry = entries ? readdir(entries.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    struct stat status{};
    if (name == "." || name == ".." ||
        fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      continue;
    }
    static_cast<void>(
        fchownat(folder, entry->d_name, static_cast<uid_t>(-1), group, AT_SYMLINK_NOFOLLOW));
    if (S_ISREG(status.st_mode)) {
      fchmodat(folder, entry->d_name, (status.st_mode & 07777) | file_bits, 0);
    } else if (S_ISDIR(status.st_mode)) {
      fchmodat(folder, entry->d_name, (status.st_mode & 07777) | folder_bits, 0);
      const int inner =
          openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (inner >= 0) {
        give_below(inner, group, file_bits, folder_bits, depth + 1);
        close(inner);
      }
    }
  }
}

}  // namespace

Result<Security> security_of(const doc::Value& pod, const doc::Value& container, Rights rights) {
  Security out;
  const Contexts contexts(pod, container);
  if (contexts.own().get_object().empty() && contexts.pod().get_object().empty()) {
    return out;
  }
  TRY(out.user, contexts.id("runAsUser"));
  TRY(out.group, contexts.id("runAsGroup"));
  read_groups(contexts, out);
  TRY_VOID(read_capabilities(contexts, out));
  out.read_only_root = contexts.flag("readOnlyRootFilesystem");
  const doc::Value* escalation = contexts.find("allowPrivilegeEscalation");
  out.no_new_privileges = escalation != nullptr && escalation->is_bool() && !escalation->get_bool();
  const bool non_root = contexts.flag("runAsNonRoot");
  if (non_root && out.user == 0) {
    const doc::Value& metadata = member(pod, "metadata");
    return fail(
        ErrorCode::invalid,
        fmt::format("container's runAsUser breaks non-root policy (pod: \"{}_{}({})\", "
                    "container: {})",
                    doc::find_string(metadata, "name"), doc::find_string(metadata, "namespace"),
                    doc::find_string(metadata, "uid"), doc::find_string(container, "name")));
  }
  if (non_root && !out.user) {
    out.user = kNobody;
    out.group = out.group ? out.group : kNobody;
  }
  const bool other = out.user.value_or(0) != 0 || out.group || !out.groups.empty();
  if (rights == Rights::user && (other || out.user)) {
    if (other) {
      out.notices.emplace_back(
          "without root all steps run as the user who started this program: runAsUser, runAsGroup "
          "and fsGroup of a securityContext have no effect");
    }
    out.user = std::nullopt;
    out.group = std::nullopt;
    out.groups.clear();
  }
  return out;
}

std::optional<std::uint32_t> volume_group(const doc::Value& pod) {
  const doc::Value& group = member(member(member(pod, "spec"), "securityContext"), "fsGroup");
  const bool valid = group.is_int64() && group.get_int64() >= 0 &&
                     group.get_int64() <= std::numeric_limits<std::int32_t>::max();
  return valid ? std::optional(static_cast<std::uint32_t>(group.get_int64())) : std::nullopt;
}

void give_to_group(const std::string& folder, std::uint32_t group, bool read_only) {
  const unsigned file_bits = read_only ? 0440 : 0660;
  const unsigned folder_bits = (read_only ? 0550U : 0770U) | S_ISGID;
  struct stat status{};
  const int opened = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) {
    return;
  }
  if (fstat(opened, &status) == 0 &&
      (status.st_gid != group || (status.st_mode & folder_bits) != folder_bits)) {
    give_below(opened, group, file_bits, folder_bits, 0);
    static_cast<void>(fchown(opened, static_cast<uid_t>(-1), group));
    fchmod(opened, (status.st_mode & 07777) | folder_bits);
  }
  close(opened);
}

}  // namespace tiphys::node
