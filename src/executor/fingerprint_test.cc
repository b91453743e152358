#include "executor/fingerprint.h"

#include "artifacts/testing/folder.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::executor {
namespace {

using artifacts::testing::TemporaryFolder;
using artifacts::testing::write_file;

doc::Value json(std::string_view text) { return doc::parse_json(text).value(); }

const std::vector<InputDigest> kInputs{{"reads", "aa"}, {"genome", "bb"}};
const std::vector<Program> kPrograms{{"bwa", "/usr/bin/bwa", "cc"}};

TEST(StepKey, does_not_depend_on_any_order) {
  const StepKey one = step_key(json(R"({"a":1,"b":{"x":[1,2],"y":{}}})"), kInputs, kPrograms);
  const StepKey two = step_key(json(R"({"b":{"y":{},"x":[1,2]},"a":1})"),
                               {{"genome", "bb"}, {"reads", "aa"}}, kPrograms);
  EXPECT_EQ(one, two);
  EXPECT_EQ(one.digest.size(), 64U);
  EXPECT_EQ(explain(one, two), std::nullopt);
}

TEST(StepKey, names_the_first_field_that_differs) {
  const auto key = [](std::string_view text) { return step_key(json(text), kInputs, kPrograms); };
  const StepKey before = key(R"({"container":{"args":["-q","20"],"image":"bwa:1"}})");
  EXPECT_EQ(explain(before, key(R"({"container":{"args":["-q","30"],"image":"bwa:1"}})")),
            (KeyDifference{"template.container.args[1]", R"("20")", R"("30")"}));
  EXPECT_EQ(explain(before, key(R"({"container":{"args":["-q"],"image":"bwa:1"}})")),
            (KeyDifference{"template.container.args[1]", R"("20")", std::nullopt}));
  EXPECT_EQ(explain(before, key(R"({"container":{"args":["-q","20","x"],"image":"bwa:1"}})")),
            (KeyDifference{"template.container.args[2]", std::nullopt, R"("x")"}));
}

TEST(StepKey, names_the_input_or_program_that_differs) {
  const doc::Value plain = json(R"({"a":1})");
  const StepKey before = step_key(plain, kInputs, kPrograms);
  EXPECT_EQ(explain(before, step_key(plain, {{"reads", "a2"}, {"genome", "bb"}}, kPrograms)),
            (KeyDifference{"inputs.artifacts.reads", "sha256:aa", "sha256:a2"}));
  EXPECT_EQ(explain(before, step_key(plain, {{"reads", ""}, {"genome", "bb"}}, kPrograms)),
            (KeyDifference{"inputs.artifacts.reads", "sha256:aa", "none"}));
  EXPECT_EQ(explain(before, step_key(plain, kInputs, {{"bwa", "/usr/bin/bwa", "c2"}})),
            (KeyDifference{"program.bwa", "/usr/bin/bwa sha256:cc", "/usr/bin/bwa sha256:c2"}));
  EXPECT_EQ(differences(before, step_key(json(R"({"a":2})"), {}, kPrograms)).size(), 3U);
}

TEST(StepKey, differs_for_every_difference_in_the_template) {
  const std::array<std::string_view, 12> texts{
      R"({})",         R"([])",        R"(null)",          R"("")",
      R"({"a":null})", R"({"a":{}})",  R"({"a":[]})",      R"({"a":"1"})",
      R"({"a":1})",    R"({"a.b":1})", R"({"a":{"b":1}})", R"({"a":[1]})"};
  for (const std::string_view one : texts) {
    for (const std::string_view two : texts) {
      const bool equal = step_key(json(one), {}, {}).digest == step_key(json(two), {}, {}).digest;
      EXPECT_EQ(equal, one == two) << one << " " << two;
    }
  }
}

TEST(StepKey, tells_long_values_by_their_digest) {
  const std::string text(10'000, 'x');
  const StepKey key = step_key(doc::Object{{"source", text}}, {}, {});
  EXPECT_TRUE(key.parts.at(0).value.starts_with("sha256:"));
  EXPECT_TRUE(key.parts.at(0).value.ends_with("(10002 bytes)"));
  EXPECT_NE(key.digest, step_key(doc::Object{{"source", text + "y"}}, {}, {}).digest);
}

TEST(StepKey, comes_back_from_its_json_unless_it_was_tampered_with) {
  const StepKey key = step_key(json(R"({"a":["<x>",1.5,true]})"), kInputs, kPrograms);
  EXPECT_EQ(StepKey::from_json(key.to_json()), key);
  std::string changed = key.to_json();
  changed.replace(changed.find("1.5"), 3, "1.6");
  EXPECT_FALSE(StepKey::from_json(changed));
  EXPECT_FALSE(StepKey::from_json("{}"));
  EXPECT_FALSE(StepKey::from_json(R"({"parts":[["a"]]})"));
  EXPECT_FALSE(StepKey::from_json("["));
}

class ProgramsTest : public ::testing::Test {
 protected:
  ProgramsTest() { search = {folder.path(), "/none:/usr/bin", "/work"}; }

  std::vector<std::string> names(std::string_view command) {
    std::vector<std::string> found;
    const auto programs = programs_of(command, search, digests);
    if (!programs) {
      return {programs.error().message};
    }
    for (const Program& program : *programs) {
      found.push_back(program.name + "=" + program.path.lexically_relative(folder.path()).string());
    }
    return found;
  }

  using Names = std::vector<std::string>;
  TemporaryFolder folder;
  ProgramSearch search;
  artifacts::FileDigests digests;
};

TEST_F(ProgramsTest, are_found_like_execvp_does) {
  write_file(folder / "usr/bin/tool",
             "\x7F"
             "ELF",
             0755);
  write_file(folder / "usr/bin/data", "x", 0644);
  write_file(folder / "work/local", "x", 0755);
  EXPECT_EQ(names("tool"), Names{"tool=usr/bin/tool"});
  EXPECT_EQ(names("/usr/bin/tool"), Names{"/usr/bin/tool=usr/bin/tool"});
  EXPECT_EQ(names("./local"), Names{"./local=work/local"});
  const std::string missing = "failed to find name in PATH: exec: ";
  EXPECT_EQ(names("none"), Names{missing + "\"none\": executable file not found in $PATH"});
  EXPECT_EQ(names("data"), Names{missing + "\"data\": executable file not found in $PATH"});
  EXPECT_EQ(names(""), Names{missing + "\"\": executable file not found in $PATH"});
}

TEST_F(ProgramsTest, include_the_interpreters_of_scripts) {
  write_file(folder / "usr/bin/python3", "ELF", 0755);
  write_file(folder / "usr/bin/env", "ELF", 0755);
  write_file(folder / "usr/bin/a", "#! /usr/bin/python3 -u\nprint()", 0755);
  write_file(folder / "usr/bin/b", "#!/usr/bin/env python3\n", 0755);
  write_file(folder / "usr/bin/c", "#!/usr/bin/b", 0755);
  EXPECT_EQ(names("a"), (Names{"a=usr/bin/a", "/usr/bin/python3=usr/bin/python3"}));
  EXPECT_EQ(names("b"),
            (Names{"b=usr/bin/b", "/usr/bin/env=usr/bin/env", "python3=usr/bin/python3"}));
  EXPECT_EQ(names("c").size(), 4U);
  write_file(folder / "usr/bin/self", "#!/usr/bin/self\n", 0755);
  EXPECT_EQ(names("self").size(), 5U);
}

TEST_F(ProgramsTest, are_looked_for_within_the_root_only) {
  write_file(folder / "usr/lib/real", "ELF", 0755);
  std::filesystem::create_directories(folder / "usr/bin");
  std::filesystem::create_symlink("/usr/lib/real", folder / "usr/bin/absolute");
  std::filesystem::create_symlink("../../../../../../usr/lib/real", folder / "usr/bin/up");
  std::filesystem::create_symlink("loop", folder / "usr/bin/loop");
  std::filesystem::create_symlink("/bin/sh", folder / "usr/bin/outside");
  EXPECT_EQ(names("absolute"), Names{"absolute=usr/lib/real"});
  EXPECT_EQ(names("up"), Names{"up=usr/lib/real"});
  EXPECT_EQ(names("loop").at(0).substr(0, 6), "failed");
  EXPECT_EQ(names("outside").at(0).substr(0, 6), "failed");
}

}  // namespace
}  // namespace tiphys::executor
