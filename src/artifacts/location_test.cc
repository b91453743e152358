#include "artifacts/location.h"

#include <gtest/gtest.h>

namespace tiphys::artifacts {
namespace {

doc::Value json(std::string_view text) { return doc::parse_json(text).value(); }

TEST(Location, knows_its_type_and_key) {
  EXPECT_EQ(type_of(json(R"({"name":"a","s3":{"key":"k"}})")), "s3");
  EXPECT_EQ(type_of(json(R"({"raw":{"data":"x"},"s3":{"key":"k"}})")), "raw");
  EXPECT_EQ(type_of(json(R"({"name":"a"})")), "");
  EXPECT_EQ(type_of(json("null")), "");
  EXPECT_EQ(key_of(json(R"({"azure":{"blob":"b"}})")), "b");
  EXPECT_EQ(key_of(json(R"({"hdfs":{"path":"/p"}})")), "/p");
  EXPECT_EQ(key_of(json(R"({"s3":{"bucket":"b"}})")), std::nullopt);
  EXPECT_EQ(key_of(json(R"({"git":{"repo":"r"}})")), std::nullopt);
}

TEST(Location, is_complete_with_all_that_names_an_object) {
  EXPECT_TRUE(is_complete(json(R"({"s3":{"endpoint":"e","bucket":"b","key":"k"}})")));
  EXPECT_FALSE(is_complete(json(R"({"s3":{"bucket":"b","key":"k"}})")));
  EXPECT_FALSE(is_complete(json(R"({"s3":{"endpoint":"e","bucket":"b","key":""}})")));
  EXPECT_TRUE(is_complete(json(R"({"raw":{"data":""}})")));
  EXPECT_TRUE(is_complete(json(R"({"gcs":{"bucket":"b","key":"k"}})")));
  EXPECT_TRUE(is_complete(json(R"({"http":{"url":"http://x"}})")));
  EXPECT_FALSE(is_complete(json("{}")));
  EXPECT_TRUE(has_location_or_key(json(R"({"s3":{"key":"k"}})")));
  EXPECT_FALSE(has_location_or_key(json(R"({"s3":{}})")));
}

TEST(Location, is_completed_from_the_repository) {
  const Repository local{json(R"({"s3":{}})"), "wf/wf-pod-1"};
  EXPECT_EQ(complete(json("{}"), local, "out.tgz"),
            json(R"({"s3":{"key":"wf/wf-pod-1/out.tgz"}})"));
  EXPECT_EQ(complete(json("null"), local, "out.tgz"),
            json(R"({"s3":{"key":"wf/wf-pod-1/out.tgz"}})"));
  EXPECT_EQ(complete(json(R"({"s3":{"key":"mine"}})"), local, "x"),
            json(R"({"s3":{"key":"mine"}})"));
  EXPECT_EQ(complete(json(R"({"raw":{"data":"d"}})"), local, "x"), json(R"({"raw":{"data":"d"}})"));
}

TEST(Location, takes_everything_but_the_key_from_the_repository) {
  const Repository remote{
      json(R"({"archiveLogs":true,"s3":{"endpoint":"e","bucket":"b","keyFormat":"f"}})"), "a"};
  EXPECT_EQ(complete(json(R"({"s3":{"bucket":"other","key":"k"}})"), remote, "x"),
            json(R"({"s3":{"endpoint":"e","bucket":"b","key":"k"}})"));
  EXPECT_EQ(complete(json(R"({"gcs":{"key":"k"}})"), remote, "x"),
            json(R"({"s3":{"endpoint":"e","bucket":"b","key":"k"}})"));
  EXPECT_EQ(without_store_details(json(R"({"s3":{"endpoint":"e","bucket":"b","key":"k"}})")),
            json(R"({"s3":{"key":"k"}})"));
}

TEST(Location, cannot_be_completed_without_a_repository) {
  const auto result = complete(json(R"({"s3":{"key":"k"}})"), Repository{}, "x");
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().message.starts_with("You need to configure artifact storage."));
  EXPECT_FALSE(complete(json("{}"), Repository{json(R"({"http":{"url":"u"}})"), ""}, "x"));
}

TEST(Location, names_the_files_of_outputs) {
  EXPECT_EQ(file_name("out", "/tmp/a.txt", Archive::tar), "out.tgz");
  EXPECT_EQ(file_name("out", "/tmp/a.txt", Archive::zip), "out.zip");
  EXPECT_EQ(file_name("out", "/tmp/a.txt", Archive::none), "a.txt");
  EXPECT_EQ(file_name("out", "/tmp/folder/", Archive::none), "folder");
  EXPECT_EQ(default_key("wf/pod", "out.tgz"), "wf/pod/out.tgz");
  EXPECT_EQ(default_key("wf//pod/", "out.tgz"), "wf/pod/out.tgz");
  EXPECT_EQ(default_key("", "out.tgz"), "out.tgz");
}

TEST(Key, is_cleaned) {
  EXPECT_EQ(clean_key("a/b.txt"), "a/b.txt");
  EXPECT_EQ(clean_key("a//b/"), "a/b");
  EXPECT_EQ(clean_key("..a/b..c/..."), "..a/b..c/...");
  EXPECT_EQ(clean_key("with space/\xC3\xA9"), "with space/\xC3\xA9");
}

TEST(Key, is_refused_when_it_tries_to_leave_the_folder) {
  for (const std::string_view key : {"", "/", "//", "/etc/passwd", "..", "../x", "a/../b", "a/..",
                                     ".", "./a", "a/./b", "a/.tiphys-self"}) {
    EXPECT_FALSE(clean_key(key)) << key;
  }
  EXPECT_FALSE(clean_key(std::string_view("a\0b", 3)));
  EXPECT_FALSE(clean_key(std::string(1025, 'a')));
  EXPECT_FALSE(clean_key(std::string(256, 'a')));
  EXPECT_FALSE(clean_bucket("a/b"));
  EXPECT_FALSE(clean_bucket(".."));
  EXPECT_EQ(clean_bucket("my-bucket"), "my-bucket");
}

TEST(ContainerPath, is_cleaned_and_kept_inside) {
  EXPECT_EQ(clean_container_path("a", "/tmp//x/./y/"), "/tmp/x/y");
  EXPECT_EQ(clean_container_path("a", "/tmp/safe/../safe/y"), "/tmp/safe/y");
  EXPECT_EQ(clean_container_path("a", "rel/x"), "/rel/x");
  EXPECT_EQ(clean_container_path("a", "."), "/");
  for (const std::string_view path :
       {"/tmp/safe/../x", "/tmp/safe/..", "../x", "..", "/tmp/a/../../etc/passwd"}) {
    const auto result = clean_container_path("a", path);
    ASSERT_FALSE(result) << path;
    EXPECT_EQ(result.error().message,
              "Artifact 'a' attempted to use a path containing '..'. Directory traversal is not "
              "permitted");
  }
  EXPECT_EQ(clean_container_path("a", "").error().message, "Artifact 'a' did not specify a path");
  EXPECT_FALSE(clean_container_path("a", std::string_view("/a\0b", 4)));
}

}  // namespace
}  // namespace tiphys::artifacts
