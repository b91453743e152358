#pragma once
/// Files by which containers say how far they are: one of a name in a folder that is looked at.
/// Every change is told, by the kernel's word and never by looking again and again; after one
/// change the next ones wait for a moment, so that a container that writes all the time costs
/// little.

#include "async/loop.h"
#include "cluster/node/descriptor.h"

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace tiphys::node {

class ProgressFiles final {
 public:
  using Folder = int;  ///< 0 = none
  /// A file of this name was made or changed in the folder; "" = the folder itself was changed.
  using Changed = std::function<void(Folder folder, const std::string& name)>;

  /// How long the next changes wait.
  static constexpr std::chrono::milliseconds kPause{1000};

  ProgressFiles(async::Loop& loop, Changed changed);
  ProgressFiles(const ProgressFiles&) = delete;
  ProgressFiles& operator=(const ProgressFiles&) = delete;

  /// Begins to look at an open folder. 0 when the kernel refuses; then nothing is told.
  Folder add(int folder);
  void remove(Folder folder);
  /// Tells at once what has changed so far.
  void tell();

 private:
  void on_change();
  void look();

  async::Loop& loop_;
  Changed changed_;
  Descriptor events_;
  async::Watch watch_;
  async::Timer pause_;
};

/// The last line of a small file that a container wrote, when it has the form N/M; else "".
/// Whatever else stands in its place is not followed or waited for.
std::string read_progress(int folder, const std::string& name);

}  // namespace tiphys::node
