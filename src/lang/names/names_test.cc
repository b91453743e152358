#include "lang/names/names.h"

#include <gtest/gtest.h>

namespace tiphys::lang {
namespace {

TEST(Names, node_ids_carry_the_hash_of_the_node_name) {
  EXPECT_EQ(node_id("wf", "wf"), "wf");
  EXPECT_EQ(node_id("my-wf", ""), "my-wf-2166136261");
  EXPECT_EQ(node_id("a", "a.A"), "a-864824357");
  EXPECT_EQ(agent_pod_name("a"), "a-1340600742-agent");
}

TEST(Names, pod_names_are_cut_before_the_hash) {
  EXPECT_EQ(pod_name("a", "a.task(0:foo)", "main", PodNames::v2), "a-main-1069651356");
  EXPECT_EQ(pod_name("a", "a.A", "main", PodNames::v1), "a-864824357");
  EXPECT_EQ(pod_name("a", "a", "main", PodNames::v2), "a");
  EXPECT_EQ(pod_name("a", "a.A", "", PodNames::v2), "a-864824357");
  const std::string long_name(250, 'x');
  EXPECT_EQ(pod_name(long_name, "n", "t", PodNames::v2).substr(0, 243),
            std::string(242, 'x') + "-");
  EXPECT_EQ(pod_names_of("v1"), PodNames::v1);
  EXPECT_EQ(pod_names_of(""), PodNames::v2);
  EXPECT_EQ(pod_names_of(std::nullopt), PodNames::v2);
}

TEST(Names, loop_children_lose_brackets_and_keep_their_index) {
  EXPECT_EQ(loop_child_name("t", 5, "((a))").value(), "t(5:a)");
  EXPECT_FALSE(loop_child_name("t(1", 5, "a"));
  EXPECT_EQ(loop_index_of("wf[0].t(5:x:y)").value(), 5);
  EXPECT_EQ(loop_index_of("t(0)").value(), -1);
  EXPECT_EQ(loop_index_of("t(x:1)").value(), -1);
  EXPECT_FALSE(loop_index_of("t:0("));
}

TEST(Names, display_names_drop_boundary_and_group) {
  EXPECT_EQ(display_name("wf[0]", "wf"), "[0]");
  EXPECT_EQ(display_name("wf[10].a(0:x)", "wf"), "a(0:x)");
  EXPECT_EQ(display_name("wf[x].a", "wf"), "[x].a");
  EXPECT_EQ(display_name("other[0].a", "wf"), "other[0].a");
  EXPECT_TRUE(check_display_name("A1-b.c"));
  EXPECT_TRUE(check_display_name(std::string(63, 'a')));
  EXPECT_FALSE(check_display_name(std::string(64, 'a')));
  EXPECT_FALSE(check_display_name("1"));
  EXPECT_FALSE(check_display_name("a_b"));
}

TEST(Names, the_task_of_a_node_is_what_stands_before_the_brackets) {
  EXPECT_EQ(task_name(".fanout1(0:1)(0)[0]"), "fanout1");
  EXPECT_EQ(task_name("wf.t(0:a.b.c)(2)"), "t");
  EXPECT_EQ(task_name("]"), "]");
  EXPECT_EQ(task_name("a("), "a(");
  EXPECT_EQ(task_name(""), "");
}

TEST(Names, stored_templates_are_keyed_by_where_they_come_from) {
  const TemplateHolder plain{
      .name = "s", .template_name = "t", .has_inline = false, .reference = {}};
  EXPECT_EQ(stored_template_id(TemplateScope::local, "res", plain), std::nullopt);
  EXPECT_EQ(stored_template_id(TemplateScope::cluster, "res", plain), "cluster/res/t");
  const TemplateHolder in_line{
      .name = "s", .template_name = "", .has_inline = true, .reference = {}};
  EXPECT_EQ(stored_template_id(TemplateScope::namespaced, "res", in_line),
            "namespaced/res/inline/s");
  const TemplateHolder elsewhere{.name = "s",
                                 .template_name = "",
                                 .has_inline = false,
                                 .reference = TemplateHolder::Reference{
                                     .name = "r", .template_name = "t", .cluster_scope = true}};
  EXPECT_EQ(stored_template_id(TemplateScope::local, "res", elsewhere), "cluster/r/t");
}

TEST(Names, artifact_collectors_are_named_by_account_and_metadata) {
  EXPECT_EQ(artifact_gc_pod_name("my-wf", ArtifactGcTime::on_workflow_completion, "sa",
                                 {{"a", "1"}, {"b", "2"}}, {}),
            "my-wf-artgc-wfcomp-943914411");
  EXPECT_EQ(artifact_gc_time("Never").error().message, "ArtifactGCStrategy \"Never\" not valid");
}

}  // namespace
}  // namespace tiphys::lang
