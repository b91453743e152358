#pragma once
/// A container's environment and command line from its document, as the kubelet makes them
/// (pkg/kubelet/kubelet_pods.go makeEnvironmentVariables, third_party/forked/golang/expansion).

#include "base/error.h"
#include "doc/json.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::node {

/// Gives the object of a kind ("ConfigMap", "Secret", "PersistentVolumeClaim"), or nothing.
using Lookup = std::function<std::shared_ptr<const doc::Value>(
    std::string_view kind, std::string_view name_space, std::string_view name)>;

/// What a reference to a pod's or container's fields can see.
struct PodContext {
  const doc::Value& pod;
  const Lookup& lookup;
  std::string_view node_name;
  std::string_view node_address;
  std::int64_t allocatable_cpu_milli = 0;
  std::int64_t allocatable_memory_bytes = 0;
  /// The image's PATH; empty = that of container runtimes.
  std::string_view path = {};
};

/// NAME=value, in the order the container names them; PATH, HOSTNAME and HOME are added as
/// container runtimes do. Errors in the kubelet's words (`configmap "x" not found`, `couldn't find
/// key k in Secret ns/x`): the container waits with CreateContainerConfigError.
Result<std::vector<std::string>> make_environment(const PodContext& context,
                                                  const doc::Value& container);
/// `text` with $(NAME) replaced where NAME is in `environment`, and $$ by $.
std::string expand(std::string_view text, const std::vector<std::string>& environment);
/// command and args, expanded. Empty when the container has neither.
std::vector<std::string> make_arguments(const doc::Value& container,
                                        const std::vector<std::string>& environment);
/// What stands for an image's entrypoint where the image is this machine's files: the last part of
/// its name without tag and digest ("registry.example/tools/jq:1.7" -> "jq").
std::string entrypoint_of_image(std::string_view image);
/// The value of a fieldRef's fieldPath. Error invalid: `unsupported fieldPath: x`.
Result<std::string> field_value(const PodContext& context, std::string_view path);
/// The value of a resourceFieldRef of this container.
Result<std::string> resource_value(const PodContext& context, const doc::Value& container,
                                   const doc::Value& reference);
/// The bytes of standard base64, as Secrets hold them.
Result<std::string> decode_base64(std::string_view text);
/// One key of a ConfigMap (data, then binaryData decoded) or Secret (data decoded, stringData);
/// nothing when it has no such key.
Result<std::optional<std::string>> data_value(std::string_view kind, const doc::Value& object,
                                              std::string_view key);
/// All keys in byte order.
std::vector<std::string> data_keys(const doc::Value& object);

}  // namespace tiphys::node
