#include "cluster/node/keeper/packets.h"

#include <cstdlib>

namespace tiphys::node::keeper {
namespace {

/// A count of at most `most`; -1 for others.
int read_count(Reader& reader, int most) {
  const auto count = reader.number<std::uint32_t>();
  return reader.ok() && count <= static_cast<std::uint32_t>(most) ? static_cast<int>(count) : -1;
}

bool read_mounts(Reader& reader, RootPlan& plan) {
  const int count = read_count(reader, kMaximumMounts);
  for (int i = 0; i < count; ++i) {
    Mount& mount = plan.mounts[i];
    mount.kind = static_cast<MountKind>(reader.number<std::uint8_t>());
    mount.read_only = reader.number<std::uint8_t>() != 0;
    mount.base = reader.text().data();
    mount.sub = reader.text().data();
    mount.target = reader.text().data();
  }
  plan.mount_count = count < 0 ? 0 : count;
  return count >= 0;
}

}  // namespace

char** read_list(Reader& reader) {
  const auto count = reader.number<std::uint32_t>();
  if (!reader.ok() || count > (1U << 20)) {
    return nullptr;
  }
  auto** list = static_cast<char**>(std::calloc(count + 1, sizeof(char*)));
  for (std::uint32_t i = 0; i < count && list != nullptr; ++i) {
    // execve takes pointers to char for historical reasons and does not write.
    list[i] = const_cast<char*>(reader.text().data());
  }
  return list;
}

bool read_setup(Reader reader, Setup& setup, const char*& detach, std::size_t& left) {
  if (reader.number<Message>() != Message::setup) {
    return false;
  }
  setup.level = reader.number<Level>();
  setup.root = reader.number<std::uint8_t>() != 0;
  setup.uid = reader.number<std::uint32_t>();
  setup.gid = reader.number<std::uint32_t>();
  setup.state = reader.text().data();
  setup.state_hidden = reader.number<std::uint8_t>() != 0;
  setup.root_folder = reader.text().data();
  const int others = read_count(reader, kMaximumOthers);
  for (int i = 0; i < others; ++i) {
    setup.others[i].kind = reader.number<OtherKind>();
    setup.others[i].path = reader.text().data();
  }
  const int links = read_count(reader, kMaximumOthers);
  for (int i = 0; i < links; ++i) {
    setup.links[i].path = reader.text().data();
    setup.links[i].target = reader.text().data();
  }
  if (others < 0 || links < 0) {
    return false;
  }
  setup.other_count = others;
  setup.link_count = links;
  const std::string_view list = reader.text();
  detach = list.data();
  left = list.size();
  return reader.ok();
}

bool read_start(Reader& reader, RootPlan& plan, Program& program, std::uint64_t& generation) {
  program.host_name = reader.text().data();
  plan.layer = reader.text().data();
  generation = reader.number<std::uint64_t>();
  plan.read_only = reader.number<std::uint8_t>() != 0;
  plan.lower_count = read_count(reader, kMaximumLowers);
  if (plan.lower_count < 0) {
    plan.lower_count = 0;
    return false;
  }
  for (int i = 0; i < plan.lower_count; ++i) {
    plan.lowers[i] = reader.text().data();
  }
  if (!read_mounts(reader, plan)) {
    return false;
  }
  program.folder = reader.text().data();
  program.path = reader.text().data();
  program.user = reader.number<std::int64_t>();
  program.group = reader.number<std::int64_t>();
  program.group_count = read_count(reader, kMaximumGroups);
  if (program.group_count < 0) {
    program.group_count = 0;
    return false;
  }
  for (int i = 0; i < program.group_count; ++i) {
    program.groups[i] = reader.number<std::uint32_t>();
  }
  program.capabilities = reader.number<std::uint64_t>();
  program.no_new_privileges = reader.number<std::uint8_t>() != 0;
  program.wants_terminal = reader.number<std::uint8_t>() != 0;
  program.arguments = read_list(reader);
  program.environment = read_list(reader);
  return reader.ok() && program.arguments != nullptr && program.arguments[0] != nullptr &&
         program.environment != nullptr;
}

}  // namespace tiphys::node::keeper
