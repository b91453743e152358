#include "cli/node_selector.h"

#include <gtest/gtest.h>

namespace tiphys::cli {
namespace {

doc::Value node() {
  return doc::parse_json(
             R"({"displayName":"a","phase":"Failed","templateRef":{"name":"t"},"inputs":{"parameters":[{"name":"p","value":"1"}]}})")
      .value();
}

TEST(NodeSelector, all_terms_must_hold) {
  EXPECT_TRUE(parse_node_selector(
                  "displayName=a,phase!=Succeeded,templateRef.name==t,inputs.parameters.p.value=1")
                  .value()(node()));
  EXPECT_FALSE(parse_node_selector("displayName=a,phase=Succeeded").value()(node()));
  EXPECT_TRUE(parse_node_selector("").value()(node()));
}

TEST(NodeSelector, what_cannot_be_read_is_refused) {
  EXPECT_FALSE(parse_node_selector("displayName"));
  EXPECT_FALSE(parse_node_selector("=a"));
  EXPECT_FALSE(parse_node_selector("color=a"));
}

}  // namespace
}  // namespace tiphys::cli
