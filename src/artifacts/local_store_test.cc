#include "artifacts/local_store.h"

#include "artifacts/digest.h"
#include "artifacts/testing/folder.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <random>
#include <thread>

namespace tiphys::artifacts {
namespace {

using testing::inode_of;
using testing::mode_of;
using testing::read_file;
using testing::TemporaryFolder;
using testing::write_file;

doc::Value key(std::string_view name) { return doc::Object{{"s3", doc::Object{{"key", name}}}}; }

class LocalStoreTest : public ::testing::Test {
 protected:
  LocalStoreTest() : store(LocalStore::open(folder / "store").value()) {}

  std::filesystem::path make(std::string_view content, mode_t mode = 0644) {
    const std::filesystem::path file = folder / ("made" + std::to_string(++made));
    write_file(file, content, mode);
    return file;
  }

  Result<Stored> put(std::string_view name, std::string_view content) {
    return store->save(key(name), make(content), Source::may_move);
  }

  /// The content of an object, or why there is none.
  std::string get(std::string_view name) {
    const std::filesystem::path file = folder / ("got" + std::to_string(++made));
    const auto loaded = store->load(key(name), file, Sharing::allowed);
    return loaded ? read_file(file) : "<" + loaded.error().message + ">";
  }

  TemporaryFolder folder;
  std::unique_ptr<LocalStore> store;
  int made = 0;
};

TEST_F(LocalStoreTest, gives_back_what_was_stored) {
  const auto stored = put("wf/pod/out.txt", "hello");
  ASSERT_TRUE(stored);
  EXPECT_EQ(*stored, (Stored{sha256_hex("hello"), 5, false}));
  EXPECT_EQ(get("wf/pod/out.txt"), "hello");
  EXPECT_EQ(store->stat(key("wf/pod/out.txt")), *stored);
  EXPECT_EQ(read_file(folder / "store/objects/wf/pod/out.txt"), "hello");
  EXPECT_EQ(store->path_of(key("wf/pod/out.txt")), folder / "store/objects/wf/pod/out.txt");
}

TEST_F(LocalStoreTest, moves_private_files_and_shares_stored_ones) {
  const std::filesystem::path file = make("x");
  const ino_t inode = inode_of(file);
  ASSERT_TRUE(store->save(key("a"), file, Source::may_move));
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_EQ(inode_of(folder / "store/objects/a"), inode);
  ASSERT_TRUE(store->load(key("a"), folder / "in/a", Sharing::allowed));
  EXPECT_EQ(inode_of(folder / "in/a"), inode);
  EXPECT_EQ(mode_of(folder / "in/a"), 0444U);
}

TEST_F(LocalStoreTest, copies_files_that_others_may_still_write_to) {
  const std::filesystem::path kept = make("one");
  ASSERT_TRUE(store->save(key("kept"), kept, Source::keep));
  write_file(kept, "two");
  EXPECT_EQ(get("kept"), "one");

  const std::filesystem::path shared = make("one");
  std::filesystem::create_hard_link(shared, folder / "other name");
  ASSERT_TRUE(store->save(key("shared"), shared, Source::may_move));
  write_file(folder / "other name", "two");
  EXPECT_EQ(get("shared"), "one");
}

TEST_F(LocalStoreTest, gives_copies_that_may_be_changed) {
  ASSERT_TRUE(put("a", "one"));
  ASSERT_TRUE(store->load(key("a"), folder / "mine", Sharing::own_copy));
  EXPECT_EQ(mode_of(folder / "mine") & 0200U, 0200U);
  write_file(folder / "mine", "two");
  EXPECT_EQ(get("a"), "one");
}

TEST_F(LocalStoreTest, keeps_old_bytes_for_those_who_hold_them_when_an_object_is_replaced) {
  ASSERT_TRUE(put("a", "one"));
  ASSERT_TRUE(store->load(key("a"), folder / "held", Sharing::allowed));
  ASSERT_TRUE(put("a", "two"));
  EXPECT_EQ(read_file(folder / "held"), "one");
  EXPECT_EQ(get("a"), "two");
}

TEST_F(LocalStoreTest, keeps_executable_bits) {
  ASSERT_TRUE(store->save(key("tool"), make("#!/bin/sh", 0755), Source::may_move));
  ASSERT_TRUE(store->load(key("tool"), folder / "tool", Sharing::allowed));
  EXPECT_EQ(mode_of(folder / "tool"), 0555U);
}

TEST_F(LocalStoreTest, says_in_s3_words_that_an_object_is_missing) {
  const auto loaded = store->load(key("none/x"), folder / "x", Sharing::allowed);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::not_found);
  EXPECT_EQ(loaded.error().message, "The specified key does not exist.");
  EXPECT_EQ(loaded.error().causes.at(0).path, "s3.key");
  EXPECT_EQ(store->stat(key("none")).error().code, ErrorCode::not_found);
  EXPECT_EQ(store->remove(key("none")).error().code, ErrorCode::not_found);
  ASSERT_TRUE(put("file", "x"));
  EXPECT_EQ(store->stat(key("file/below")).error().code, ErrorCode::not_found);
}

TEST_F(LocalStoreTest, refuses_keys_that_leave_the_folder) {
  write_file(folder / "secret", "secret");
  for (const std::string_view bad : {"../secret", "/etc/passwd", "a/../../secret", "", "."}) {
    EXPECT_FALSE(store->load(key(bad), folder / "x", Sharing::allowed)) << bad;
    EXPECT_FALSE(put(bad, "x")) << bad;
    EXPECT_FALSE(store->remove(key(bad))) << bad;
  }
  EXPECT_EQ(read_file(folder / "secret"), "secret");
}

TEST_F(LocalStoreTest, does_not_follow_links_out_of_the_folder) {
  write_file(folder / "secret/file", "secret");
  std::filesystem::create_directory_symlink(folder / "secret", folder / "store/objects/link");
  EXPECT_FALSE(store->load(key("link/file"), folder / "x", Sharing::allowed));
  EXPECT_FALSE(put("link/new", "x"));
  EXPECT_FALSE(store->remove(key("link/file")));
  EXPECT_FALSE(std::filesystem::exists(folder / "secret/new"));
}

TEST_F(LocalStoreTest, keeps_buckets_apart) {
  const doc::Value other =
      doc::parse_json(R"({"s3":{"endpoint":"e:9000","bucket":"b","key":"k","insecure":true}})")
          .value();
  ASSERT_TRUE(store->save(other, make("in bucket"), Source::may_move));
  EXPECT_EQ(store->stat(key("k")).error().code, ErrorCode::not_found);
  EXPECT_EQ(read_file(folder / "store/buckets/b/k"), "in bucket");
  EXPECT_TRUE(store->stat(other));
  const doc::Value bad = doc::parse_json(R"({"s3":{"bucket":"../objects","key":"k"}})").value();
  EXPECT_FALSE(store->save(bad, make("x"), Source::may_move));
}

TEST_F(LocalStoreTest, lets_a_key_be_a_prefix_of_others) {
  ASSERT_TRUE(put("a", "file"));
  ASSERT_TRUE(put("a/b", "below"));
  EXPECT_EQ(get("a"), "file");
  EXPECT_EQ(get("a/b"), "below");
  ASSERT_TRUE(put("a", "new"));
  EXPECT_EQ(get("a"), "new");
  EXPECT_EQ(get("a/b"), "below");
  ASSERT_TRUE(store->remove(key("a")));
  EXPECT_EQ(get("a/b"), "below");
  ASSERT_TRUE(put("x/y", "first"));
  ASSERT_TRUE(put("x", "then"));
  EXPECT_EQ(get("x"), "then");
  EXPECT_EQ(get("x/y"), "first");
}

TEST_F(LocalStoreTest, stores_folders_as_one_object_and_many) {
  write_file(folder / "tree/a", "A");
  write_file(folder / "tree/sub/b", "B", 0755);
  std::filesystem::create_directories(folder / "tree/empty");
  std::filesystem::create_symlink("../a", folder / "tree/sub/link");
  const auto stored = store->save(key("dir"), folder / "tree", Source::may_move);
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_TRUE(stored->folder);
  EXPECT_EQ(stored->size, 2U);
  EXPECT_EQ(store->stat(key("dir")), *stored);
  ASSERT_TRUE(store->load(key("dir"), folder / "out", Sharing::allowed));
  EXPECT_EQ(read_file(folder / "out/sub/link"), "A");
  EXPECT_EQ(mode_of(folder / "out/sub/b"), 0555U);
  EXPECT_TRUE(std::filesystem::is_directory(folder / "out/empty"));
  EXPECT_EQ(get("dir/sub/b"), "B");
}

TEST_F(LocalStoreTest, replaces_a_folder_as_a_whole) {
  write_file(folder / "one/stale", "x");
  ASSERT_TRUE(store->save(key("dir"), folder / "one", Source::keep));
  write_file(folder / "two/fresh", "y");
  ASSERT_TRUE(store->save(key("dir"), folder / "two", Source::keep));
  EXPECT_EQ(get("dir/fresh"), "y");
  EXPECT_EQ(store->stat(key("dir/stale")).error().code, ErrorCode::not_found);
  ASSERT_TRUE(put("dir", "file now"));
  EXPECT_EQ(get("dir"), "file now");
}

TEST_F(LocalStoreTest, knows_that_a_folder_changed_when_something_below_it_did) {
  write_file(folder / "tree/a", "A");
  const auto before = store->save(key("dir"), folder / "tree", Source::keep);
  ASSERT_TRUE(put("dir/a", "B"));
  const auto changed = store->stat(key("dir"));
  ASSERT_TRUE(changed);
  EXPECT_NE(changed->digest, before->digest);
  ASSERT_TRUE(put("dir/more", "C"));
  EXPECT_NE(store->stat(key("dir"))->digest, changed->digest);
  ASSERT_TRUE(store->remove(key("dir/more")));
  EXPECT_EQ(store->stat(key("dir"))->digest, changed->digest);
}

TEST_F(LocalStoreTest, gives_equal_folders_equal_digests) {
  write_file(folder / "one/a", "A", 0600);
  write_file(folder / "two/a", "A", 0664);
  const auto one = store->save(key("one"), folder / "one", Source::keep);
  const auto two = store->save(key("two"), folder / "two", Source::may_move);
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->digest, two->digest);
  write_file(folder / "three/a", "A", 0755);
  EXPECT_NE(store->save(key("three"), folder / "three", Source::keep)->digest, one->digest);
}

TEST_F(LocalStoreTest, refuses_folders_with_links_out_pipes_and_reserved_names) {
  write_file(folder / "link/a", "A");
  std::filesystem::create_symlink("/etc/passwd", folder / "link/b");
  const auto linked = store->save(key("k"), folder / "link", Source::keep);
  ASSERT_FALSE(linked);
  EXPECT_EQ(linked.error().message,
            "store k: b: symbolic link to /etc/passwd leads to an absolute path");
  std::filesystem::create_directories(folder / "pipe");
  ASSERT_EQ(::mkfifo((folder / "pipe/p").c_str(), 0644), 0);
  EXPECT_FALSE(store->save(key("k"), folder / "pipe", Source::may_move));
  write_file(folder / "reserved/.tiphys-self", "A");
  EXPECT_FALSE(store->save(key("k"), folder / "reserved", Source::may_move));
  std::filesystem::create_symlink("/etc/passwd", folder / "itself");
  EXPECT_FALSE(store->save(key("k"), folder / "itself", Source::may_move));
  EXPECT_EQ(store->stat(key("k")).error().code, ErrorCode::not_found);
  EXPECT_TRUE(std::filesystem::is_empty(folder / "store/scratch"));
}

TEST_F(LocalStoreTest, survives_folders_nested_too_deep) {
  std::filesystem::path deep = folder / "deep";
  for (int i = 0; i < 300; ++i) {
    deep /= "d";
  }
  std::filesystem::create_directories(deep);
  EXPECT_FALSE(store->save(key("k"), folder / "deep", Source::keep));
}

TEST_F(LocalStoreTest, links_objects_without_copying_them) {
  ASSERT_TRUE(put("a", "x"));
  ASSERT_TRUE(store->link(key("a"), key("b/c")));
  EXPECT_EQ(inode_of(folder / "store/objects/a"), inode_of(folder / "store/objects/b/c"));
  ASSERT_TRUE(store->remove(key("a")));
  EXPECT_EQ(get("b/c"), "x");
  write_file(folder / "tree/a", "A");
  const auto tree = store->save(key("dir"), folder / "tree", Source::keep);
  ASSERT_TRUE(store->link(key("dir"), key("dir2")));
  EXPECT_EQ(store->stat(key("dir2")), *tree);
}

TEST_F(LocalStoreTest, removes_objects_and_the_folders_only_they_needed) {
  ASSERT_TRUE(put("a/b/c", "x"));
  ASSERT_TRUE(put("a/d", "y"));
  ASSERT_TRUE(store->remove(key("a/b/c")));
  EXPECT_FALSE(std::filesystem::exists(folder / "store/objects/a/b"));
  EXPECT_EQ(get("a/d"), "y");
  ASSERT_TRUE(store->remove(key("a/d")));
  EXPECT_TRUE(std::filesystem::exists(folder / "store/objects"));
  EXPECT_FALSE(std::filesystem::exists(folder / "store/objects/a"));
}

TEST_F(LocalStoreTest, notices_bytes_that_were_changed_behind_its_back) {
  const auto stored = put("a", "one");
  ASSERT_TRUE(stored);
  const std::filesystem::path object = folder / "store/objects/a";
  ASSERT_EQ(::chmod(object.c_str(), 0644), 0);
  write_file(object, "other bytes");
  EXPECT_EQ(store->stat(key("a"))->digest, sha256_hex("other bytes"));
}

TEST_F(LocalStoreTest, empties_what_a_killed_program_left_in_the_making) {
  write_file(folder / "store/scratch/half", "x");
  store.reset();
  store = LocalStore::open(folder / "store").value();
  EXPECT_TRUE(std::filesystem::is_empty(folder / "store/scratch"));
}

TEST_F(LocalStoreTest, serves_several_threads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string name = std::to_string(t) + "-" + std::to_string(i);
        write_file(folder / ("t" + name), name);
        EXPECT_TRUE(store->save(key("shared/" + name), folder / ("t" + name), Source::may_move));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(get("shared/3-49"), "3-49");
  EXPECT_EQ(store->stat(key("shared"))->size, 4U * (10 * 3 + 40 * 4));
}

/// Random saves and removals against a map, with keys that are prefixes of each other.
TEST_F(LocalStoreTest, behaves_like_a_map_from_keys_to_bytes) {
  const std::array<std::string, 7> names{"a", "a/b", "a/b/c", "a/d", "b", "b/x/y", "b/x"};
  std::mt19937 random(20240607);
  std::map<std::string, std::string> model;
  for (int step = 0; step < 400; ++step) {
    const std::string& name = names[random() % names.size()];
    if (random() % 3 != 0) {
      model[name] = std::to_string(step);
      ASSERT_TRUE(put(name, model[name])) << step;
    } else if (model.erase(name) > 0) {
      ASSERT_TRUE(store->remove(key(name))) << step;
    }
    for (const auto& [model_key, content] : model) {
      ASSERT_EQ(get(model_key), content) << "step " << step << " key " << model_key;
    }
  }
}

}  // namespace
}  // namespace tiphys::artifacts
