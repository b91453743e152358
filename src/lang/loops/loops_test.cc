#include "lang/loops/loops.h"

#include <gtest/gtest.h>

#include <limits>

namespace tiphys::lang {
namespace {

std::vector<std::string> expand(const std::string& items, const std::string& value,
                                const std::string& when = "") {
  auto list = ItemList::from_json(items).value();
  const auto loop =
      Loop::make({.name = "t", .when = when, .body = "{\"v\":\"" + value + "\"}"}, std::move(list))
          .value();
  const Scope scope;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < loop.size(); ++i) {
    const auto child = loop.child(i, scope);
    out.push_back(child ? child->name + " " + child->json : "ERROR " + child.error().message);
  }
  return out;
}

using Texts = std::vector<std::string>;

TEST(Loops, items_keep_their_spelling) {
  EXPECT_EQ(expand(R"([1.0, 1e3, "a\u003cb", true])", "{{item}}"),
            (Texts{R"(t(0:1.0) {"v":"1.0"})", R"(t(1:1e3) {"v":"1e3"})", R"(t(2:a<b) {"v":"a<b"})",
                   R"(t(3:true) {"v":"true"})"}));
}

TEST(Loops, maps_give_their_members) {
  EXPECT_EQ(expand(R"j([{"b" : 1, "a":"(x)"}])j", "{{item.a}} {{item.b}} {{item}}"),
            (Texts{R"j(t(0:a:x,b:1) {"v":"(x) 1 {\"a\":\"(x)\",\"b\":1}"})j"}));
  EXPECT_EQ(expand(R"([{"b":1}])", "{{item.a}}"), (Texts{"ERROR failed to resolve {{item.a}}"}));
}

TEST(Loops, lists_print_as_go_prints_them) {
  EXPECT_EQ(expand(R"([[1,"a"], null])", "{{item}}"),
            (Texts{R"(t(0:[1 a]) {"v":"[1,\"a\"]"})", R"(t(1:[]) {"v":"null"})"}));
}

TEST(Loops, nothing_has_to_resolve_when_it_will_not_run) {
  EXPECT_EQ(expand("[1]", "{{x}} {{item}}", "false"), (Texts{R"(t(0:1) {"v":"{{x}} 1"})"}));
  EXPECT_EQ(expand("[1]", "{{x}} {{item}}", "true"), (Texts{"ERROR failed to resolve {{x}}"}));
}

TEST(Loops, a_text_json_cannot_hold_is_named_as_go_names_it) {
  EXPECT_EQ(expand(R"(["\u0001"])", "{{item}}"),
            (Texts{"ERROR invalid character 'x' in string escape code"}));
}

TEST(Loops, tags_in_the_loop_fields_of_a_task_must_resolve) {
  const std::string fields = R"({"withItems":["{{gone}}","{{gone}}"]})";
  const auto loop = Loop::make({.name = "t", .when = "", .body = "{}", .loop_fields = fields},
                               ItemList::from_json(R"(["{{gone}}","{{gone}}"])").value())
                        .value();
  EXPECT_EQ(loop.child(0, Scope()).error().message, "failed to resolve {{gone}}");
}

std::string sequence(const Sequence& spec) {
  const auto list = ItemList::from_sequence(spec);
  if (!list) {
    return list.error().message;
  }
  std::string out;
  for (std::size_t i = 0; i < std::min<std::size_t>(list->size(), 5); ++i) {
    out += list->json_at(i).value();
  }
  return out;
}

TEST(Loops, sequences_count_up_and_down) {
  EXPECT_EQ(sequence({.start = "1", .end = "3", .count = {}, .format = {}}), R"("1""2""3")");
  EXPECT_EQ(sequence({.start = {}, .end = "-2", .count = {}, .format = {}}), R"("0""-1""-2")");
  EXPECT_EQ(sequence({.start = "5", .end = {}, .count = "2", .format = "n%02d"}), R"("n05""n06")");
  EXPECT_EQ(sequence({.start = {}, .end = {}, .count = "0", .format = {}}), "");
  EXPECT_EQ(sequence({.start = {}, .end = {}, .count = {}, .format = {}}),
            "neither end nor count was specified in withSequence");
  EXPECT_EQ(sequence({.start = {}, .end = " 1", .count = {}, .format = {}}),
            R"(strconv.Atoi: parsing " 1": invalid syntax)");
  EXPECT_EQ(sequence({.start = {}, .end = {}, .count = "1", .format = "%q"}),
            "invalid character 'x' in string escape code");
}

TEST(Loops, endless_sequences_cost_nothing_until_they_are_read) {
  const auto list = ItemList::from_sequence(
      {.start = {}, .end = "9223372036854775807", .count = {}, .format = {}});
  EXPECT_EQ(list.value().json_at(12345).value(), "\"12345\"");
  EXPECT_EQ(list->size(), std::size_t{1} << 63U);
}

TEST(Loops, an_unreadable_list_is_empty_when_the_step_will_not_run) {
  EXPECT_EQ(loop_items({.items = {}, .param = "abc", .sequence = {}, .when = ""}).error().message,
            "withParam value could not be parsed as a JSON list: abc: invalid character 'a' "
            "looking for beginning of value");
  const auto skipped = loop_items({.items = {}, .param = "abc", .sequence = {}, .when = "false"});
  EXPECT_TRUE(skipped.value()->empty());
  EXPECT_FALSE(loop_items({}).value().has_value());
}

TEST(AnyString, scalars_become_text) {
  EXPECT_EQ(any_string("1234567890123456789").value(), "1234567890123456800");
  EXPECT_EQ(any_string("1e-7").value(), "0.0000001");
  EXPECT_EQ(any_string("1e21").value(), "1000000000000000000000");
  EXPECT_EQ(any_string("-12.50").value(), "-12.5");
  EXPECT_EQ(any_string("\"a\\n\"").value(), "a\n");
  EXPECT_EQ(any_string("true").value(), "true");
  EXPECT_EQ(any_string("[1]").value(), "");
  EXPECT_EQ(any_string("01").error().message, "invalid character '1' after top-level value");
}

}  // namespace
}  // namespace tiphys::lang
