#pragma once
/// A pod's volumes as folders of this machine, and a container's mounts of them.
///
/// emptyDir (also of medium Memory), configMap, secret, downwardAPI, projected of those three,
/// hostPath, and persistentVolumeClaim, which is a folder per claim that outlives the pod. Files of
/// ConfigMaps and Secrets stand as the kubelet lays them out: a folder of data, `..data` pointing
/// to it, and a link per entry; they are not refreshed.

#include "cluster/node/environment.h"
#include "cluster/node/sandbox.h"

#include <map>
#include <string>
#include <vector>

namespace tiphys::node {

struct VolumeFolders {
  std::string pod_folder;     ///< the pod's own; volumes come below <pod_folder>/volumes
  std::string memory_folder;  ///< for medium Memory; made when needed
  std::string claims_folder;  ///< <claims_folder>/<namespace>/<claim>
};

struct Volume {
  std::string source;  ///< the folder, or for some hostPaths the file
  bool read_only = false;
};

using Volumes = std::map<std::string, Volume, std::less<>>;

/// Makes the folders and files of all volumes. Errors in the kubelet's words
/// (`MountVolume.SetUp failed for volume "v" : configmap "x" not found`); invalid for a kind of
/// volume that is not known.
Result<Volumes> prepare_volumes(const PodContext& context, const VolumeFolders& folders);

/// The container's volumeMounts in the order in which they are mounted. subPathExpr is expanded
/// with `environment`. Errors: a volume that is not there, a path that leaves its volume.
Result<std::vector<Mount>> container_mounts(const Volumes& volumes, const doc::Value& container,
                                            const std::vector<std::string>& environment);

/// A path without "." and doubled slashes, absolute; nothing if it has "..".
std::optional<std::string> clean_path(std::string_view path);

}  // namespace tiphys::node
