#include "cli/manifests.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace tiphys::cli {
namespace {

class Manifests : public testing::Test {
 protected:
  Manifests() {
    std::filesystem::create_directories(folder_ / "sub");
    surroundings_.random_suffix = [] { return "abcde"; };
    surroundings_.read_input = [] { return Result<std::string>("kind: Workflow\n"); };
  }

  ~Manifests() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      ("manifests_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
  Surroundings surroundings_;
  std::ostringstream out_;
  Context context_{surroundings_, out_, out_, "", "default", false, true};
};

TEST_F(Manifests, a_folder_stands_for_all_manifests_below_it_in_order) {
  write("b.yaml", "kind: B\n---\nkind: C\n");
  write("sub/a.json", R"({"kind":"List","items":[{"kind":"X"},{"kind":"Y"}]})");
  write("notes.txt", "kind: N\n");
  const auto loaded = load_manifests({folder_.string(), "-"}, surroundings_, true).value();
  std::string kinds;
  for (const auto& manifest : loaded.manifests) {
    kinds += manifest.kind() + " ";
  }
  EXPECT_EQ(kinds, "B C X Y Workflow ");
}

TEST_F(Manifests, a_broken_document_is_named_with_its_place_and_hides_no_other) {
  const std::string file =
      write("a.yaml", "kind: A\n---\nkind: [\n---\nkind: B\nkind: C\n---\nkind: D\n");
  const auto loaded = load_manifests({file}, surroundings_, true).value();
  EXPECT_EQ(loaded.manifests.size(), 2U);
  ASSERT_EQ(loaded.failures.size(), 2U);
  EXPECT_TRUE(describe_failure(loaded.failures[0]).starts_with(file + ":"))
      << describe_failure(loaded.failures[0]);
  EXPECT_TRUE(describe_failure(loaded.failures[1]).starts_with(file + ":6:"))
      << describe_failure(loaded.failures[1]);
  EXPECT_FALSE(load_manifests({file + ".no"}, surroundings_, true));
}

TEST_F(Manifests, parameters_of_the_command_line_beat_the_file_and_the_manifest) {
  auto workflow =
      doc::parse_json(
          R"({"metadata":{"generateName":"w-"},"spec":{"arguments":{"parameters":[{"name":"a","value":"1"},{"name":"b","value":"1"},{"name":"c","value":"1"}]}}})")
          .value();
  SubmitOptions options;
  options.parameter_file = write("p.yaml", "a: 2\nb: true\n");
  options.parameters = {"a=3", "d=x=y"};
  options.labels = "k=v,l=w";
  options.entrypoint = "main";
  ASSERT_TRUE(apply_submit_options(workflow, options, context_));
  EXPECT_EQ(
      doc::to_json(workflow, {.sort_keys = true}),
      R"({"metadata":{"generateName":"w-","labels":{"k":"v","l":"w"},"name":"w-abcde"},"spec":{"arguments":{"parameters":[{"name":"a","value":"3"},{"name":"d","value":"x=y"},{"name":"b","value":"true"},{"name":"c","value":"1"}]},"entrypoint":"main"}})");
}

TEST_F(Manifests, a_parameter_without_a_value_is_refused) {
  doc::Value workflow = doc::parse_json(R"({"metadata":{"name":"w"}})").value();
  EXPECT_FALSE(apply_submit_options(workflow, {.parameters = {"a"}}, context_));
  doc::Value nameless = doc::parse_json("{}").value();
  EXPECT_FALSE(apply_submit_options(nameless, {}, context_));
}

}  // namespace
}  // namespace tiphys::cli
