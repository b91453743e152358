#include "cluster/node/host_mounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::node {
namespace {

using keeper::OtherKind;
using testing::ElementsAre;
using Other = HostMounts::Other;

constexpr std::string_view kMachine =
    "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
    "22 27 0:21 / /proc rw shared:1 - proc proc rw\n"
    "40 22 0:35 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw\n"
    "24 27 0:6 / /dev rw - devtmpfs devtmpfs rw\n"
    "25 24 0:23 / /dev/pts rw - devpts devpts rw\n"
    "30 27 0:24 / /tmp rw - tmpfs tmpfs rw\n"
    "31 27 8:2 / /home rw,relatime - xfs /dev/sdb rw\n"
    "32 31 8:3 / /home/old\\040disk ro,relatime - ext4 /dev/sdc ro\n"
    "33 27 0:50 / /mnt/far rw - nfs4 server:/x rw\n";

TEST(HostMounts, are_layered_shown_or_detached_by_kind) {
  const HostMounts mounts = sort_mounts(kMachine, "/var/lib/tiphys");
  EXPECT_THAT(mounts.detach, ElementsAre("/dev/pts", "/proc"));
  EXPECT_THAT(mounts.others, ElementsAre(Other{OtherKind::overlay, "/home"},
                                         Other{OtherKind::read_only, "/home/old disk"},
                                         Other{OtherKind::read_only, "/mnt/far"}));
}

TEST(HostMounts, the_state_folder_is_hidden_where_it_would_show) {
  const HostMounts mounts = sort_mounts(kMachine, "/home/u/state");
  EXPECT_EQ(mounts.others.back(), (Other{OtherKind::hidden, "/home/u/state"}));
}

TEST(HostMounts, damaged_lines_are_skipped) {
  EXPECT_TRUE(sort_mounts("x\n1 2 3\n- - - - - - - -\n", "/s").others.empty());
}

TEST(HostMounts, a_path_lies_in_itself_and_its_parents) {
  EXPECT_TRUE(lies_in("/a/b", "/a"));
  EXPECT_TRUE(lies_in("/a", "/a"));
  EXPECT_TRUE(lies_in("/a", "/"));
  EXPECT_FALSE(lies_in("/ab", "/a"));
}

}  // namespace
}  // namespace tiphys::node
