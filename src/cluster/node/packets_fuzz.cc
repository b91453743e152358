#include "cluster/node/keeper/packets.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

using namespace tiphys::node::keeper;

/// Whether everything that was read is text that ends.
std::size_t measure(const RootPlan& plan, const Program& program) {
  std::size_t sum = std::strlen(program.host_name) + std::strlen(plan.layer) +
                    std::strlen(program.folder) + std::strlen(program.path);
  for (int i = 0; i < plan.lower_count; ++i) {
    sum += std::strlen(plan.lowers[i]);
  }
  for (int i = 0; i < plan.mount_count; ++i) {
    const Mount& mount = plan.mounts[i];
    sum += std::strlen(mount.base) + std::strlen(mount.sub) + std::strlen(mount.target);
  }
  for (char** text = program.arguments; *text != nullptr; ++text) {
    sum += std::strlen(*text);
  }
  for (char** text = program.environment; *text != nullptr; ++text) {
    sum += std::strlen(*text);
  }
  return sum;
}

}  // namespace

/// As the keeper reads what the node sends. Texts are used in place, so each must end in the
/// packet; the copy is exactly as large as the packet, so that reading on is seen.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  auto* const bytes = static_cast<char*>(std::malloc(size));
  std::memcpy(bytes, data, size);
  volatile std::size_t sum = 0;
  static Setup setup;
  const char* detach = nullptr;
  std::size_t left = 0;
  if (read_setup(Reader(bytes, size), setup, detach, left)) {
    sum = std::strlen(setup.state) + std::strlen(setup.root_folder) + std::strlen(detach);
    for (int i = 0; i < setup.other_count; ++i) {
      sum = sum + std::strlen(setup.others[i].path);
    }
  }
  static RootPlan plan;
  plan = {};
  Program program;
  std::uint64_t generation = 0;
  Reader reader(bytes, size);
  reader.number<Message>();
  if (read_start(reader, plan, program, generation)) {
    sum = measure(plan, program);
  }
  std::free(program.arguments);
  std::free(program.environment);
  std::free(bytes);
  return 0;
}
