#include "executor/archive.h"

#include "artifacts/digest.h"
#include "artifacts/files.h"
#include "artifacts/testing/folder.h"
#include "artifacts/tree.h"
#include "executor/testing/tar.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fcntl.h>
#include <random>

namespace tiphys::executor {
namespace {

using artifacts::testing::mode_of;
using artifacts::testing::read_file;
using artifacts::testing::TemporaryFolder;
using artifacts::testing::write_file;
using testing::gzip;
using testing::tar_gzip;
using testing::TarEntry;

namespace fs = std::filesystem;

class ArchiveTest : public ::testing::Test {
 protected:
  /// Unpacks bytes to out/; answers the error's text.
  std::string unpack_bytes(const std::string& bytes, Archive kind = Archive::tar,
                           const UnpackLimits& limits = {}) {
    write_file(folder / "archive", bytes);
    fs::remove_all(folder / "sub");
    fs::create_directories(folder / "sub");
    const auto done = unpack(folder / "archive", kind, folder / "sub/out", limits);
    if (!done) {
      EXPECT_TRUE(fs::is_empty(folder / "sub")) << "left something behind";
    }
    return done ? "" : done.error().message;
  }

  fs::path out() const { return folder / "sub/out"; }

  std::string pack_bytes(const fs::path& source, Archive kind, int level = -1) {
    const fs::path file = folder / fmt::format("packed{}", ++made);
    const auto done = pack(source, source.filename().string(), kind, level, file);
    return done ? read_file(file) : "<" + done.error().message + ">";
  }

  TemporaryFolder folder;
  int made = 0;
};

TEST_F(ArchiveTest, packs_and_unpacks_a_file) {
  write_file(folder / "a.txt", "hello", 0755);
  for (const Archive kind : {Archive::tar, Archive::zip}) {
    EXPECT_EQ(unpack_bytes(pack_bytes(folder / "a.txt", kind), kind), "");
    EXPECT_EQ(read_file(out()), "hello");
    EXPECT_EQ(mode_of(out()), 0755U);
  }
}

TEST_F(ArchiveTest, packs_and_unpacks_a_folder) {
  write_file(folder / "d/a", "A", 0600);
  write_file(folder / "d/sub/\xC3\xBC \xE4\xBD\xA0.txt", "B");
  write_file(folder / "d/" / fs::path(std::string(200, 'n')) / std::string(200, 'm'), "long");
  fs::create_directories(folder / "d/empty");
  fs::create_symlink("sub", folder / "d/link");
  for (const Archive kind : {Archive::tar, Archive::zip}) {
    ASSERT_EQ(unpack_bytes(pack_bytes(folder / "d", kind), kind), "");
    EXPECT_EQ(read_file(out() / "link/\xC3\xBC \xE4\xBD\xA0.txt"), "B");
    EXPECT_EQ(read_file(out() / std::string(200, 'n') / std::string(200, 'm')), "long");
    EXPECT_EQ(mode_of(out() / "a"), 0600U);
    EXPECT_TRUE(fs::is_directory(out() / "empty"));
    EXPECT_TRUE(fs::is_symlink(out() / "link"));
  }
}

TEST_F(ArchiveTest, writes_the_same_bytes_for_the_same_content) {
  write_file(folder / "one/d/b", "B");
  write_file(folder / "one/d/a", "A");
  write_file(folder / "two/d/a", "A");
  write_file(folder / "two/d/b", "B");
  const std::array times{timespec{1, 0}, timespec{1, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (folder / "one/d/a").c_str(), times.data(), 0), 0);
  for (const Archive kind : {Archive::tar, Archive::zip}) {
    const std::string one = pack_bytes(folder / "one/d", kind);
    ::setenv("TZ", "Pacific/Kiritimati", 1);
    ::tzset();
    EXPECT_EQ(one, pack_bytes(folder / "two/d", kind));
    ::unsetenv("TZ");
    ::tzset();
    EXPECT_FALSE(one.starts_with("<"));
  }
}

TEST_F(ArchiveTest, takes_the_compression_levels_of_go) {
  write_file(folder / "a", std::string(100'000, 'x'));
  EXPECT_GT(pack_bytes(folder / "a", Archive::tar, 0).size(), 100'000U);
  EXPECT_LT(pack_bytes(folder / "a", Archive::tar, 9).size(), 1'000U);
  EXPECT_LT(pack_bytes(folder / "a", Archive::tar, -1).size(), 1'000U);
  EXPECT_LT(pack_bytes(folder / "a", Archive::tar, -2).size(), 30'000U);
  EXPECT_EQ(pack_bytes(folder / "a", Archive::tar, 10), "<gzip: invalid compression level: 10>");
  EXPECT_EQ(unpack_bytes(pack_bytes(folder / "a", Archive::tar, 0)), "");
  EXPECT_EQ(read_file(out()).size(), 100'000U);
}

TEST_F(ArchiveTest, refuses_to_pack_what_is_neither_file_nor_folder) {
  fs::create_directories(folder / "d");
  ASSERT_EQ(::mkfifo((folder / "d/pipe").c_str(), 0644), 0);
  EXPECT_EQ(pack_bytes(folder / "d", Archive::tar), "<d/pipe is not a regular file or directory>");
  EXPECT_EQ(pack_bytes(folder / "none", Archive::tar), "<none: no such file or directory>");
  EXPECT_FALSE(fs::exists(folder / "packed1"));
}

TEST_F(ArchiveTest, flattens_an_archive_with_one_entry_only) {
  EXPECT_EQ(unpack_bytes(tar_gzip({{.name = "./x", .content = "X"}})), "");
  EXPECT_EQ(read_file(out()), "X");
  EXPECT_EQ(unpack_bytes(tar_gzip({{.name = "d/x", .content = "X"}, {.name = "d/y"}})), "");
  EXPECT_EQ(read_file(out() / "x"), "X");
  EXPECT_EQ(unpack_bytes(tar_gzip({{.name = "x", .content = "X"}, {.name = "y"}})), "");
  EXPECT_EQ(read_file(out() / "x"), "X");
  EXPECT_EQ(unpack_bytes(tar_gzip({})), "");
  EXPECT_TRUE(fs::is_empty(out()));
}

TEST_F(ArchiveTest, keeps_modes_times_and_links_inside) {
  EXPECT_EQ(unpack_bytes(tar_gzip({{.name = "f", .content = "F", .mode = 04751},
                                   {.name = "ro/", .type = '5', .mode = 0555},
                                   {.name = "ro/x", .content = "X"},
                                   {.name = "ro/link", .type = '2', .link = "../f"},
                                   {.name = "hard", .type = '1', .link = "f"}})),
            "");
  EXPECT_EQ(mode_of(out() / "f"), 0751U);
  EXPECT_EQ(mode_of(out() / "ro"), 0755U);
  EXPECT_EQ(read_file(out() / "ro/link"), "F");
  EXPECT_EQ(read_file(out() / "hard"), "F");
  struct stat status{};
  ASSERT_EQ(::stat((out() / "f").c_str(), &status), 0);
  EXPECT_EQ(status.st_mtim.tv_sec, 1'600'000'000);
}

TEST_F(ArchiveTest, lets_a_later_entry_replace_an_earlier_one) {
  EXPECT_EQ(unpack_bytes(tar_gzip(
                {{.name = "f", .content = "1"}, {.name = "g"}, {.name = "f", .content = "2"}})),
            "");
  EXPECT_EQ(read_file(out() / "f"), "2");
}

struct Hostile {
  const char* what;
  std::vector<TarEntry> entries;
  const char* message;
};

TEST_F(ArchiveTest, refuses_what_tries_to_leave_its_folder) {
  const std::vector<Hostile> cases{
      {"absolute", {{.name = "/etc/x"}}, "illegal file path: /etc/x: is absolute"},
      {"up", {{.name = "../x"}}, "illegal file path: ../x: has the part \"..\""},
      {"up inside", {{.name = "a/../../x"}}, "illegal file path: a/../../x: has the part \"..\""},
      {"link absolute",
       {{.name = "l", .type = '2', .link = "/etc"}, {.name = "y"}},
       "illegal symlink target: l -> /etc: leads to an absolute path"},
      {"link up",
       {{.name = "d/l", .type = '2', .link = "../../x"}, {.name = "y"}},
       "illegal symlink target: d/l -> ../../x: leaves its folder"},
      {"link up through a link",
       {{.name = "l", .type = '2', .link = "a/../../x"}, {.name = "y"}},
       "illegal symlink target: l -> a/../../x: goes up after going down"},
      {"link out of the only folder",
       {{.name = "d/l", .type = '2', .link = "../x"}},
       "illegal symlink target: d/l -> ../x: leaves d"},
      {"only a link",
       {{.name = "l", .type = '2', .link = "x"}},
       "illegal symlink target: l -> x: leaves l"},
      {"device",
       {{.name = "dev", .type = '3'}},
       "illegal entry: dev: not a file, a folder or a link"},
      {"pipe", {{.name = "p", .type = '6'}}, "illegal entry: p: not a file, a folder or a link"},
      {"hard link out",
       {{.name = "h", .type = '1', .link = "../../etc/passwd"}},
       "illegal file path: ../../etc/passwd: has the part \"..\""},
      {"hard link to nothing",
       {{.name = "h", .type = '1', .link = "none"}},
       "illegal link target: h -> none: not a file of the archive"},
      {"hard link to a link",
       {{.name = "l", .type = '2', .link = "x"}, {.name = "h", .type = '1', .link = "l"}},
       "illegal link target: h -> l: not a file of the archive"},
      {"file over folder",
       {{.name = "d/x"}, {.name = "d"}},
       "illegal file path: d: a folder of that name exists"},
      {"folder over file",
       {{.name = "d"}, {.name = "d", .type = '5'}, {.name = "e"}},
       "illegal file path: d: not a folder, but an earlier entry"},
      {"no name", {{.name = "."}}, "archive has an entry without a name"},
  };
  for (const Hostile& hostile : cases) {
    EXPECT_EQ(unpack_bytes(tar_gzip(hostile.entries)), hostile.message) << hostile.what;
  }
}

TEST_F(ArchiveTest, does_not_write_through_links) {
  fs::create_directories(folder / "outside");
  const std::string message = unpack_bytes(tar_gzip({{.name = "a/", .type = '5'},
                                                     {.name = "l", .type = '2', .link = "a"},
                                                     {.name = "l/x", .content = "X"}}));
  EXPECT_TRUE(message.starts_with("illegal file path: l/x: its folder: open folder l")) << message;
}

TEST_F(ArchiveTest, stops_at_its_limits) {
  const std::string bomb = tar_gzip({{.name = "a", .content = std::string(1 << 20, '\0')},
                                     {.name = "b", .content = std::string(1 << 20, '\0')}});
  EXPECT_EQ(unpack_bytes(bomb, Archive::tar, {.bytes = 1'500'000, .entries = 10}),
            "b: archive unpacks to more than 1500000 bytes");
  EXPECT_EQ(unpack_bytes(bomb, Archive::tar, {.bytes = 1 << 22, .entries = 1}),
            "archive has more than 1 entries");
  std::string deep;
  for (int i = 0; i < 45; ++i) {
    deep += "d/";
  }
  std::vector<TarEntry> entries{{.name = deep, .type = '5'}};
  EXPECT_EQ(unpack_bytes(tar_gzip(entries)), "");
  const std::string zip = [&] {
    write_file(folder / "z", std::string(1 << 20, '\0'));
    return pack_bytes(folder / "z", Archive::zip);
  }();
  EXPECT_EQ(unpack_bytes(zip, Archive::zip, {.bytes = 1000, .entries = 10}),
            "z: archive unpacks to more than 1000 bytes");
}

TEST_F(ArchiveTest, refuses_damaged_archives) {
  const std::string good = tar_gzip({{.name = "a", .content = std::string(10'000, 'a')}});
  EXPECT_NE(unpack_bytes(good.substr(0, good.size() / 2)), "");
  EXPECT_NE(unpack_bytes("not an archive"), "");
  EXPECT_NE(unpack_bytes(""), "");
  EXPECT_NE(unpack_bytes(gzip("not a tar")), "");
  EXPECT_NE(unpack_bytes("not an archive", Archive::zip), "");
  std::string broken = good;
  broken[broken.size() - 5] = static_cast<char>(broken[broken.size() - 5] ^ 1);
  EXPECT_NE(unpack_bytes(broken), "");
  EXPECT_NE(unpack_bytes(gzip(good)), "") << "gzip in gzip is no tarball";
}

TEST_F(ArchiveTest, recognises_tarballs) {
  const auto looks = [this](const std::string& bytes) {
    write_file(folder / "x", bytes);
    return looks_like_tarball(folder / "x");
  };
  EXPECT_TRUE(looks(tar_gzip({{.name = "a"}})));
  EXPECT_FALSE(looks(testing::tar({{.name = "a"}})));
  EXPECT_FALSE(looks(gzip("plain text, compressed")));
  EXPECT_FALSE(looks(gzip(tar_gzip({{.name = "a"}}))));
  EXPECT_FALSE(looks(""));
  EXPECT_FALSE(looks("\x1F"));
  EXPECT_FALSE(looks_like_tarball(folder.path()));
  EXPECT_FALSE(looks_like_tarball(folder / "none"));
}

TEST_F(ArchiveTest, reads_gzip_in_several_members) {
  const std::string whole = testing::tar({{.name = "a", .content = std::string(2000, 'a')}});
  EXPECT_EQ(unpack_bytes(gzip(whole.substr(0, 700)) + gzip(whole.substr(700))), "");
  EXPECT_EQ(read_file(out()), std::string(2000, 'a'));
}

/// Made by other programs, with names in UTF-8, which a program in the C locale must not lose.
TEST_F(ArchiveTest, reads_archives_of_others) {
  const fs::path corpus = fs::path(TIPHYS_SOURCE_DIR) / "src/executor/testdata/fuzz/unpack_fuzz";
  ASSERT_EQ(unpack_bytes(read_file(corpus / "pax.tgz")), "");
  EXPECT_EQ(read_file(out() / "x"), "X");
  ASSERT_EQ(unpack_bytes(read_file(corpus / "file.zip"), Archive::zip), "");
  EXPECT_EQ(read_file(out() / "a/b"), "hello");
  EXPECT_EQ(read_file(out() / "\xC3\xBC"), "x");
  EXPECT_EQ(unpack_bytes(read_file(corpus / "up.zip"), Archive::zip),
            "illegal file path: ../b: has the part \"..\"");
}

/// Random folders come back as they were.
TEST_F(ArchiveTest, round_trips_random_folders) {
  std::mt19937 random(7);
  const auto name = [&] {
    return std::string(1 + random() % 3, static_cast<char>('a' + random() % 4));
  };
  for (int round = 0; round < 30; ++round) {
    const fs::path top = folder / fmt::format("r{}", round) / "top";
    fs::create_directories(top);
    for (unsigned i = random() % 12; i > 0; --i) {
      const fs::path place = top / name() / name();
      std::error_code failure;
      fs::create_directories(place.parent_path(), failure);
      if (failure || fs::exists(fs::symlink_status(place))) {
        continue;
      }
      std::string content(random() % 5000, '\0');
      for (char& c : content) {
        c = static_cast<char>(random() % 7);
      }
      if (random() % 5 == 0) {
        fs::create_symlink(name(), place);
      } else {
        write_file(place, content, random() % 2 == 0 ? 0755 : 0644);
      }
    }
    artifacts::FileDigests digests;
    const auto describe = [&digests](const fs::path& path) {
      const artifacts::Fd opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY));
      return artifacts::describe_folder(opened.get(), digests);
    };
    const Archive kind = round % 2 == 0 ? Archive::tar : Archive::zip;
    ASSERT_EQ(unpack_bytes(pack_bytes(top, kind), kind), "") << round;
    EXPECT_EQ(describe(top), describe(out())) << round;
  }
}

}  // namespace
}  // namespace tiphys::executor
