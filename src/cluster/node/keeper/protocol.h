#pragma once
/// What the program and its keeper say to each other. Three nouns: the `keeper`, a small static
/// program that the node starts once and that holds the namespaces; a `worker`, a process of the
/// keeper that is pid 1 of a pid namespace and runs one container after another; a `message`, one
/// packet of a SOCK_SEQPACKET socket, a type byte followed by fields.
///
/// Fields: integers in the machine's own order, strings as a 32-bit length and the bytes followed
/// by a zero byte (so that the receiver can use them in place), lists as a 32-bit count and the
/// elements. Both ends come from one build, so there is no version.
///
///   node -> keeper   setup      level, euid 0?, state folder, other parts, links, mounts to detach
///   keeper -> node   answer     errno, stage       (0 = ready)
///   node -> keeper   worker     with the worker's end of a socket pair
///   worker -> node   answer     errno, stage       (once, before anything else); at level layer
///                               with the folder in which containers say how far they are
///   node -> worker   start      with stdout, stderr and maybe stdin; or `start_far` when the text
///                               does not fit a packet: the same fields in a memory file, which is
///                               the descriptor before stdin
///   worker -> node   started    errno, stage, detail (0 = the program runs); with our end of the
///                               terminal when the program has one
///   node -> worker   signal     number
///   node -> worker   exec       id, arguments, with stdout and stderr: one more program in the
///                               container that runs
///   worker -> node   exec_ended id, wait status; -1 = it could not be started
///   node -> worker   release    the layer the worker keeps mounted was written to: let go of it
///   worker -> node   ended      wait status, peak memory KiB, CPU microseconds
///                               (nothing of the container is left when this is sent)

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tiphys::node::keeper {

inline constexpr std::size_t kMaximumPacket = 64 * 1024;
/// A packet that comes while a container runs is at most so large.
inline constexpr std::size_t kMaximumRunningPacket = 8 * 1024;
/// At most so many further file systems of the machine are shown.
inline constexpr int kMaximumOthers = 64;
/// Descriptors the keeper finds open: its socket and /dev/null.
inline constexpr int kSocket = 3;
inline constexpr int kNull = 4;

enum class Level : std::uint8_t { process, namespaces, layer };

enum class Message : std::uint8_t {
  setup,
  answer,
  worker,
  start,
  start_far,
  started,
  signal,
  ended,
  release,
  exec,
  exec_ended
};

/// Where something went wrong, for the sentence that a person reads.
enum class Stage : std::uint8_t {
  none,
  user_namespace,
  mount_namespace,
  private_root,
  skeleton,
  worker,
  proc,
  devices,
  overlay,
  volume,
  pivot,
  working_directory,
  user,
  exec,
  message,
};

enum class MountKind : std::uint8_t { state, host };

/// How a part of the machine's files that the layer itself cannot hold appears in it.
enum class OtherKind : std::uint8_t {
  overlay,
  read_only,
  fresh,   ///< an empty writable folder
  hidden,  ///< an empty folder
};

/// Reads fields from a packet. After a short read `ok` is false and every field is empty or zero.
class Reader {
 public:
  Reader(const char* data, std::size_t size) : data_(data), end_(data + size) {}

  template <class T>
  T number() {
    T value{};
    if (static_cast<std::size_t>(end_ - data_) < sizeof value) {
      ok_ = false;
      return value;
    }
    std::memcpy(&value, data_, sizeof value);
    data_ += sizeof value;
    return value;
  }

  /// The view's bytes are followed by a zero byte.
  std::string_view text() {
    const auto size = number<std::uint32_t>();
    if (!ok_ || static_cast<std::size_t>(end_ - data_) < std::size_t{size} + 1 ||
        data_[size] != '\0') {
      ok_ = false;
      return "";
    }
    const std::string_view view(data_, size);
    data_ += size + 1;
    return view;
  }

  bool ok() const { return ok_; }

 private:
  const char* data_;
  const char* end_;
  bool ok_ = true;
};

/// Writes fields into anything with append(const char*, size_t).
template <class Buffer>
class Writer {
 public:
  explicit Writer(Buffer& buffer) : buffer_(buffer) {}

  template <class T>
  void number(T value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    buffer_.append(bytes, sizeof value);
  }

  void text(std::string_view view) {
    number(static_cast<std::uint32_t>(view.size()));
    buffer_.append(view.data(), view.size());
    buffer_.append("\0", 1);
  }

 private:
  Buffer& buffer_;
};

}  // namespace tiphys::node::keeper
