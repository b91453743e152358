#include "artifacts/digest.h"

#include "artifacts/files.h"
#include "artifacts/testing/folder.h"

#include <gtest/gtest.h>

#include <fcntl.h>

namespace tiphys::artifacts {
namespace {

using testing::TemporaryFolder;
using testing::write_file;

TEST(Digest, is_sha_256) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, of_a_file_is_that_of_its_bytes) {
  const TemporaryFolder folder;
  const std::string content(1'000'000, 'x');
  write_file(folder / "a", content);
  FileDigests digests;
  EXPECT_EQ(digests.digest_of(folder / "a"), sha256_hex(content));
}

TEST(FileDigests, are_computed_anew_when_a_file_changes_behind_its_times) {
  const TemporaryFolder folder;
  write_file(folder / "a", "one");
  struct stat before{};
  ASSERT_EQ(::stat((folder / "a").c_str(), &before), 0);
  FileDigests digests;
  EXPECT_EQ(digests.digest_of(folder / "a"), sha256_hex("one"));
  EXPECT_EQ(digests.digest_of(folder / "a"), sha256_hex("one"));
  EXPECT_EQ(digests.size(), 1U);
  // The kernel's change time has the resolution of its tick; writing until it moves on is no
  // waiting for a clock but for the condition under test.
  struct stat after = before;
  while (nanoseconds_of(after.st_ctim) == nanoseconds_of(before.st_ctim)) {
    write_file(folder / "a", "two");
    const std::array times{before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, (folder / "a").c_str(), times.data(), 0), 0);
    ASSERT_EQ(::stat((folder / "a").c_str(), &after), 0);
  }
  EXPECT_EQ(digests.digest_of(folder / "a"), sha256_hex("two"));
}

TEST(FileDigests, refuse_what_is_no_file) {
  const TemporaryFolder folder;
  FileDigests digests;
  EXPECT_EQ(digests.digest_of(folder / "none").error().code, ErrorCode::not_found);
  EXPECT_EQ(digests.digest_of(folder.path()).error().code, ErrorCode::io);
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0644), 0);
  EXPECT_EQ(digests.digest_of(folder / "pipe").error().code, ErrorCode::io);
}

TEST(Links, may_only_lead_to_places_in_their_folder) {
  EXPECT_EQ(reject_link("b", 0), "");
  EXPECT_EQ(reject_link("a/b", 0), "");
  EXPECT_EQ(reject_link("../b", 1), "");
  EXPECT_EQ(reject_link(".././../b", 2), "");
  EXPECT_NE(reject_link("", 0), "");
  EXPECT_NE(reject_link("/etc/passwd", 5), "");
  EXPECT_NE(reject_link("..", 0), "");
  EXPECT_NE(reject_link("../../b", 1), "");
  EXPECT_NE(reject_link("a/../b", 3), "");
}

TEST(Folders, are_opened_and_made_without_following_links) {
  const TemporaryFolder folder;
  const Fd root(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY));
  EXPECT_TRUE(open_folder_below(root.get(), "a/b/c", true));
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/c"));
  std::filesystem::create_directory_symlink("/tmp", folder / "link");
  EXPECT_FALSE(open_folder_below(root.get(), "link/x", true));
  EXPECT_FALSE(open_folder_below(root.get(), "a/../..", true));
  EXPECT_FALSE(open_folder_below(root.get(), "/tmp", true));
  EXPECT_EQ(open_folder_below(root.get(), "a/none", false).error().code, ErrorCode::not_found);
}

TEST(Folders, are_removed_even_when_their_modes_forbid_it) {
  const TemporaryFolder folder;
  write_file(folder / "a/b/file", "x", 0000);
  std::filesystem::create_directory_symlink("/tmp", folder / "a/link");
  ASSERT_EQ(::chmod((folder / "a/b").c_str(), 0000), 0);
  EXPECT_TRUE(remove_all_at(AT_FDCWD, (folder / "a").string()));
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
  EXPECT_TRUE(std::filesystem::exists("/tmp"));
  EXPECT_TRUE(remove_all_at(AT_FDCWD, (folder / "a").string()));
}

}  // namespace
}  // namespace tiphys::artifacts
