#pragma once
/// A container's output: two pipes, read on the loop and written to a file in the kubelet's line
/// format, `<RFC 3339 time> stdout|stderr F|P <text>`; P marks a part of a line whose rest follows,
/// or that never ended. A container that wrote nothing has no file.

#include "async/loop.h"
#include "base/error.h"
#include "cluster/node/descriptor.h"

#include <memory>
#include <string>
#include <string_view>

namespace tiphys::node {

enum class Keep { nothing, standard_output };

class ContainerLog final {
 public:
  /// The file is made, with the folder it lies in, when there is something to write. With
  /// `Keep::standard_output` the last bytes of standard output, at least `kept_bytes`, are kept.
  static Result<std::unique_ptr<ContainerLog>> open(async::Loop& loop, std::string file, Keep keep,
                                                    std::size_t kept_bytes);
  /// New pipes after `finish`, for a container that is started again; what was kept stays.
  Result<> reopen();
  /// Reads a terminal in place of the pipes.
  void take_terminal(Descriptor terminal);
  ContainerLog(const ContainerLog&) = delete;
  ContainerLog& operator=(const ContainerLog&) = delete;

  /// The ends to hand to the container.
  int output() const { return streams_[0].theirs.get(); }

  int errors() const { return streams_[1].theirs.get(); }

  /// Closes them here; the container has its own.
  void handed_over();
  /// Reads what is left, when nothing writes any more, and closes the file.
  void finish();

  /// What was kept of standard output.
  const std::string& kept() const { return kept_; }

 private:
  struct Stream {
    std::string_view name;
    Descriptor ours;
    Descriptor theirs;
    async::Watch watch;
    std::string line;  ///< the beginning of a line that has not ended
  };

  ContainerLog(async::Loop& loop, std::string file, Keep keep, std::size_t kept_bytes);
  void watch(Stream& stream);
  bool read_some(Stream& stream);
  void take(Stream& stream, std::string_view bytes);
  void append(const Stream& stream, std::string_view text, char tag, std::string& out) const;
  void write_out(std::string_view text);

  async::Loop& loop_;
  std::string file_name_;
  Descriptor file_;
  bool keeps_;
  std::size_t kept_bytes_;
  std::string kept_;
  Stream streams_[2];
};

/// RFC 3339 with nanoseconds, trailing zeros cut, as Go's RFC3339Nano; UTC.
std::string format_nanoseconds(async::TimePoint time);

}  // namespace tiphys::node
