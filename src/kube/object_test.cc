#include "kube/object.h"

#include <gtest/gtest.h>

namespace tiphys::kube {
namespace {

doc::Value document(std::string_view json) { return doc::parse_json(json).value(); }

TEST(Object, makes_its_text_and_its_document_when_asked) {
  const std::string text = R"({"kind":"Pod","metadata":{"name":"a","annotations":{"k":"v"}}})";
  const ObjectRef parsed = Object::from_document({.key = {"Pod", "", "a"}}, document(text));
  EXPECT_EQ(parsed->bytes(), text);
  const ObjectRef stored = Object::from_bytes({.key = {"Pod", "", "a"}}, text);
  EXPECT_EQ(stored->document(), parsed->document());
  EXPECT_EQ(stored->annotation("k"), "v");
  EXPECT_EQ(stored->annotation("other"), "");
}

TEST(Object, text_that_is_no_document_is_null) {
  EXPECT_TRUE(Object::from_bytes({}, "{")->document().is_null());
}

TEST(KeyOf, reads_kind_namespace_and_name) {
  EXPECT_EQ(key_of(document(R"({"kind":"Pod","metadata":{"namespace":"n","name":"a"}})")).value(),
            (ObjectKey{"Pod", "n", "a"}));
  EXPECT_EQ(key_of(document(R"({"kind":"Pod","metadata":{"generateName":"a-"}})")).value(),
            (ObjectKey{"Pod", "", ""}));
}

TEST(KeyOf, refuses_objects_without_kind_or_name) {
  for (const char* json :
       {"{}", "[]", R"({"kind":"Pod"})", R"({"kind":1,"metadata":{"name":"a"}})",
        R"({"kind":"Pod","metadata":{"name":["a"]}})", R"({"kind":"Pod","metadata":"x"})"}) {
    const auto key = key_of(document(json));
    ASSERT_FALSE(key) << json;
    EXPECT_EQ(key.error().code, ErrorCode::invalid);
  }
}

TEST(LabelsOf, are_sorted_and_found) {
  const Labels labels = labels_of(document(R"({"metadata":{"labels":{"b":"2","a":"1"}}})")).value();
  EXPECT_EQ(labels, (Labels{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(find_label(labels, "b"), "2");
  EXPECT_EQ(find_label(labels, "c"), std::nullopt);
  EXPECT_FALSE(labels_of(document(R"({"metadata":{"labels":{"b":2}}})")));
  EXPECT_FALSE(labels_of(document(R"({"metadata":{"labels":[]}})")));
}

}  // namespace
}  // namespace tiphys::kube
