#pragma once
/// What a securityContext means on this machine: the container's own setting before the pod's, as
/// the kubelet takes them. With root a process changes to its user and groups inside the sandbox;
/// without root there is one user, the one that runs everything, and settings that would need
/// another are only noted. Containers never get more capabilities than the keeper leaves them:
/// capabilities can be dropped, and added again after `drop: [ALL]`, never gained.

#include "base/error.h"
#include "doc/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tiphys::node {

/// Stands for the user of an image that does not run as root, where the image is this machine's
/// files: nobody.
inline constexpr std::int64_t kNobody = 65534;

struct Security {
  std::optional<std::int64_t> user;
  std::optional<std::int64_t> group;
  std::vector<std::uint32_t> groups;  ///< supplementalGroups and fsGroup
  std::uint64_t capabilities = ~std::uint64_t{0};
  bool no_new_privileges = false;
  bool read_only_root = false;
  /// Sentences about what was asked for and cannot be had here.
  std::vector<std::string> notices;
};

enum class Rights { user, root };

/// Error invalid: runAsNonRoot with user 0 (in the kubelet's words), an unknown capability, a
/// number that is no id.
Result<Security> security_of(const doc::Value& pod, const doc::Value& container, Rights rights);

/// The group that owns the pod's volumes, if it names one.
std::optional<std::uint32_t> volume_group(const doc::Value& pod);

/// Gives a volume to a group as the kubelet does: readable for it, and writable unless the volume
/// is read-only. Nothing is done when its folder belongs to the group already.
void give_to_group(const std::string& folder, std::uint32_t group, bool read_only);

}  // namespace tiphys::node
