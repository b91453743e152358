#pragma once
/// The files of a container that has ended, as executor::FileView: its writable layer, the layers
/// below, its volumes, and this machine's files, put together as the kernel did.

#include "cluster/node/sandbox.h"
#include "executor/step_plan.h"

#include <map>
#include <string>
#include <vector>

namespace tiphys::node {

struct ViewSources {
  /// Topmost first: the writable layer, then read-only ones. Empty when the container wrote to the
  /// machine's own files.
  std::vector<std::string> layers;
  /// Parts of the files whose writable layer lies elsewhere (or is none), outer ones first.
  std::vector<Sandbox::Part> parts;
  /// What lies below here is the step's alone.
  std::string private_folder;
  std::vector<Mount> mounts;  ///< outer ones first
  /// Folders of the machine that the container did not see.
  std::vector<std::string> hidden;
  /// Where folders that lie in several layers are put together; made when needed, and deleted by
  /// the owner.
  std::string merge_folder;
  /// Log files of the pod's containers that have started, by the container's name.
  std::map<std::string, std::string, std::less<>> logs;
};

class LayerView final : public executor::FileView {
 public:
  explicit LayerView(ViewSources sources);
  /// Links are followed inside the container, forty at most. A folder with parts in several layers
  /// is put together in the merge folder, with hard links where that can be.
  Result<std::filesystem::path> resolve(std::string_view path) const override;
  /// True for what lies in the writable layer or was put together.
  bool is_private(const std::filesystem::path& resolved) const override;
  std::optional<std::filesystem::path> log_of(std::string_view container) const override;

 private:
  struct Place {
    std::string path;       ///< on this machine
    std::size_t layer = 0;  ///< its index, or layers.size() for the machine's own files
    bool volume = false;
    bool merged = false;  ///< a folder that continues in lower layers
  };

  std::optional<Place> look(const std::string& path) const;
  std::optional<Place> look_in_volume(const std::string& path, const Mount& mount) const;
  /// A layer's own root for `path`, and the rest of the path below that.
  std::pair<std::string, std::string_view> split(std::size_t layer, std::string_view path) const;
  Result<std::string> follow(std::string_view path) const;
  Result<> merge(const std::string& path, const std::string& into, int depth) const;

  ViewSources sources_;
  mutable int merges_ = 0;
};

}  // namespace tiphys::node
