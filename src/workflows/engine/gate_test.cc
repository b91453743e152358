// Locks and caches, as a run meets them. Every event is also applied to a restored run.
#include "workflows/engine/retry_workflow.h"
#include "workflows/engine/testing/scripted_run.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

using testing::Checks;
using testing::DocumentReferences;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Outcome;
using testing::Script;
using testing::ScriptedRun;

doc::Value document_of(std::string_view json) { return doc::parse_json(json).value(); }

doc::Value workflow_of(std::string_view spec) {
  return document_of(
      R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow",
    "metadata":{"name":"wf","namespace":"ns","uid":"u","creationTimestamp":"2023-11-14T22:13:20Z"},
    "spec":)" +
      std::string(spec) + "}");
}

const DocumentReferences kNone;

Outcome succeeds(const Engine& /*engine*/, const CreatePod& /*pod*/) { return {}; }

ScriptedRun started(std::string_view spec, const References& references = kNone,
                    Script script = succeeds) {
  auto run =
      ScriptedRun::create(workflow_of(spec), references, std::move(script), {}, Checks::restore);
  EXPECT_TRUE(run) << run.error().message;
  return std::move(*run);
}

void expect_done(const Result<>& done) { EXPECT_TRUE(done) << done.error().message; }

void finish(ScriptedRun& run) {
  for (;;) {
    const auto happened = run.step();
    ASSERT_TRUE(happened) << happened.error().message;
    if (!*happened) {
      return;
    }
  }
}

const Node& node_of(const ScriptedRun& run, std::string_view name) {
  return run.engine().nodes()[run.engine().nodes().find_name(name).value()];
}

std::string status_of(const ScriptedRun& run, std::string_view member) {
  const doc::Value workflow = run.engine().workflow(Engine::WithNodes::no);
  const doc::Value* value = doc::find(workflow.at("status"), member);
  return value == nullptr ? "" : doc::to_json(*value, {.sort_keys = true});
}

std::string id_of(const ScriptedRun& run, std::string_view name) {
  return run.engine().nodes().id(run.engine().nodes().find_name(name).value());
}

LockRequest other(std::string lock, std::string node = "", std::int64_t created = 0) {
  return {.run = "ns/other",
          .node = std::move(node),
          .created = created,
          .locks = {LockName::parse(lock).value()}};
}

constexpr std::string_view kRunMutex =
    R"({"entrypoint":"main","synchronization":{"mutexes":[{"name":"{{workflow.name}}-m"}]},
        "templates":[{"name":"main","container":{"image":"b","command":["x"]}}]})";

TEST(RunLocks, are_held_while_the_run_lasts) {
  auto run = started(kRunMutex);
  expect_done(run.start());
  EXPECT_EQ(status_of(run, "synchronization"),
            R"({"mutex":{"holding":[{"holder":"ns/wf","mutex":"ns/Mutex/wf-m"}]}})");
  EXPECT_THAT(run.locks().holders("ns/Mutex/wf-m"), ElementsAre("ns/wf"));
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded);
  EXPECT_EQ(status_of(run, "synchronization"), "");
  EXPECT_TRUE(run.locks().empty());
}

TEST(RunLocks, a_run_waits_as_pending_and_names_lock_and_holder) {
  auto run = started(kRunMutex);
  EXPECT_TRUE(run.locks().acquire(other("ns/Mutex/wf-m"))->granted);
  expect_done(run.start());
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::pending);
  EXPECT_EQ(run.engine().message(), "Waiting for ns/Mutex/wf-m lock. Lock status: 0/1");
  EXPECT_EQ(status_of(run, "startedAt"), "null");
  EXPECT_EQ(status_of(run, "synchronization"),
            R"({"mutex":{"waiting":[{"holder":"ns/other","mutex":"ns/Mutex/wf-m"}]}})");
  EXPECT_EQ(run.engine().nodes().size(), 0U);
  run.locks().release_run("ns/other");
  expect_done(run.tell_granted());
  EXPECT_EQ(run.engine().phase(), RunPhase::running);
  EXPECT_EQ(run.engine().message(), "");
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded);
  EXPECT_TRUE(run.locks().empty());
}

TEST(RunLocks, a_waiting_run_that_is_stopped_ends_and_leaves_the_queue) {
  for (const Event& verb : {Event(Stop{}), Event(Terminate{})}) {
    auto run = started(kRunMutex);
    EXPECT_TRUE(run.locks().acquire(other("ns/Mutex/wf-m"))->granted);
    expect_done(run.start());
    expect_done(run.apply(verb));
    EXPECT_EQ(run.engine().phase(), RunPhase::failed);
    EXPECT_THAT(run.engine().message(), HasSubstr("Stopped with strategy '"));
    EXPECT_EQ(status_of(run, "synchronization"), "");
    run.locks().release_run("ns/other");
    EXPECT_TRUE(run.locks().empty());
  }
}

TEST(RunLocks, a_semaphore_without_a_limit_fails_the_run) {
  auto run = started(
      R"({"entrypoint":"main","synchronization":{"semaphores":[{"configMapKeyRef":{"name":"c","key":"k"}}]},
          "templates":[{"name":"main","container":{"image":"b","command":["x"]}}]})");
  expect_done(run.run());
  EXPECT_EQ(run.engine().phase(), RunPhase::failed);
  EXPECT_EQ(run.engine().message(),
            "Failed to acquire the synchronization lock. failed to initialize semaphore "
            "ns/ConfigMap/c/k with limit");
}

constexpr std::string_view kTemplateMutex = R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[{"name":"each","template":"work","withItems":[1,2,3]}]]},
    {"name":"work","synchronization":{"mutexes":[{"name":"m"}]},"container":{"image":"b","command":["x"]}}]})";

TEST(TemplateLocks, nodes_take_turns_in_their_order) {
  auto run = started(kTemplateMutex);
  expect_done(run.start());
  const Node& second = node_of(run, "wf[0].each(1:2)");
  EXPECT_EQ(second.phase, NodePhase::pending);
  EXPECT_EQ(second.message, "Waiting for ns/Mutex/m lock. Lock status: 0/1");
  const doc::Value shown =
      run.engine().node_status(*run.engine().nodes().find_name("wf[0].each(1:2)"));
  EXPECT_EQ(doc::to_json(shown.at("synchronizationStatus")), R"({"waiting":"ns/Mutex/m"})");
  EXPECT_EQ(shown.at("type").as_string(), "Pod");
  const std::string holder = "ns/wf/" + id_of(run, "wf[0].each(0:1)");
  EXPECT_EQ(status_of(run, "synchronization"),
            R"({"mutex":{"holding":[{"holder":")" + holder +
                R"(","mutex":"ns/Mutex/m"}],"waiting":[{"holder":")" + holder +
                R"(","mutex":"ns/Mutex/m"}]}})");
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded);
  EXPECT_EQ(run.most_pods(), 1U);
  EXPECT_THAT(run.created(), ElementsAre("wf[0].each(0:1)", "wf[0].each(1:2)", "wf[0].each(2:3)"));
  EXPECT_EQ(node_of(run, "wf[0].each(1:2)").message, "");
  EXPECT_TRUE(run.locks().empty());
}

TEST(TemplateLocks, names_of_locks_may_come_from_inputs) {
  auto run = started(R"({"entrypoint":"main","templates":[
    {"name":"main","dag":{"tasks":[{"name":"each","template":"work","withItems":["a","a","b"],
       "arguments":{"parameters":[{"name":"p","value":"{{item}}"}]}}]}},
    {"name":"work","inputs":{"parameters":[{"name":"p"}]},
     "synchronization":{"mutexes":[{"name":"m-{{inputs.parameters.p}}"}]},"container":{"image":"b","command":["x"]}}]})");
  expect_done(run.run());
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded);
  EXPECT_EQ(run.most_pods(), 2U);
}

DocumentReferences semaphore_of(std::string_view limit) {
  DocumentReferences out;
  out.add(doc::Object{{"kind", "ConfigMap"},
                      {"metadata", doc::Object{{"name", "c"}}},
                      {"data", doc::Object{{"k", limit}}}});
  return out;
}

TEST(TemplateLocks, a_semaphore_bounds_how_many_nodes_run) {
  const DocumentReferences references = semaphore_of("2");
  auto run = started(
      R"({"entrypoint":"main","templates":[
    {"name":"main","dag":{"tasks":[{"name":"each","template":"work","withSequence":{"count":"7"}}]}},
    {"name":"work","synchronization":{"semaphores":[{"configMapKeyRef":{"name":"c","key":"k"}}],"mutexes":[]},
     "container":{"image":"b","command":["x"]}}]})",
      references);
  expect_done(run.start());
  EXPECT_EQ(node_of(run, "wf.each(2:2)").message,
            "Waiting for ns/ConfigMap/c/k lock. Lock status: 0/2");
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded);
  EXPECT_EQ(run.most_pods(), 2U);
  EXPECT_TRUE(run.locks().empty());
}

TEST(TemplateLocks, a_node_whose_locks_cannot_be_had_is_an_error) {
  auto run = started(R"({"entrypoint":"main","templates":[
    {"name":"main","dag":{"tasks":[{"name":"a","template":"work"}]}},
    {"name":"work","synchronization":{"semaphores":[{"configMapKeyRef":{"name":"c","key":"k"}}]},
     "container":{"image":"b","command":["x"]}}]})");
  expect_done(run.run());
  EXPECT_EQ(node_of(run, "wf.a").type, NodeType::skipped);
  EXPECT_EQ(node_of(run, "wf.a").phase, NodePhase::error);
  EXPECT_THAT(node_of(run, "wf.a").message,
              HasSubstr("failed to initialize semaphore ns/ConfigMap/c/k with limit"));
}

constexpr std::string_view kComposite = R"({"entrypoint":"main","parallelism":2,"templates":[
    {"name":"main","dag":{"tasks":[{"name":"s","template":"steps"},{"name":"d","template":"dag"},{"name":"r","template":"tries"},
       {"name":"p","template":"sleep"}]}},
    {"name":"steps","synchronization":{"mutexes":[{"name":"m"}]},"steps":[[{"name":"a","template":"work"}],[{"name":"b","template":"work"}]]},
    {"name":"dag","synchronization":{"mutexes":[{"name":"m"}]},"dag":{"tasks":[{"name":"a","template":"work"},{"name":"b","template":"work","depends":"a"}]}},
    {"name":"tries","synchronization":{"mutexes":[{"name":"m"}]},"retryStrategy":{"limit":"2","backoff":{"duration":"5"}},"container":{"image":"b","command":["x"]}},
    {"name":"sleep","synchronization":{"mutexes":[{"name":"m"}]},"suspend":{"duration":"3"}},
    {"name":"work","container":{"image":"b","command":["x"]}}]})";

TEST(TemplateLocks, composite_nodes_hold_theirs_until_all_below_has_ended) {
  auto run = started(kComposite, kNone, [](const Engine& engine, const CreatePod& pod) {
    return Outcome::exits(engine.nodes()[pod.node].name == "wf.r(0)" ? 1 : 0);
  });
  expect_done(run.start());
  EXPECT_EQ(node_of(run, "wf.d").phase, NodePhase::running);
  EXPECT_EQ(node_of(run, "wf.s").type, NodeType::steps);
  EXPECT_EQ(node_of(run, "wf.s").phase, NodePhase::pending);
  EXPECT_EQ(node_of(run, "wf.r").type, NodeType::retry);
  EXPECT_EQ(node_of(run, "wf.p").type, NodeType::suspend);
  std::set<std::string> holders;
  for (;;) {
    const auto held = run.locks().holders("ns/Mutex/m");
    ASSERT_LE(held.size(), 1U);
    holders.insert(held.begin(), held.end());
    // Between its attempts the Retry node keeps the lock.
    if (const auto again = run.engine().nodes().find_name("wf.r(0)");
        again && fulfilled(run.engine().nodes()[*again].phase) &&
        !fulfilled(node_of(run, "wf.r").phase)) {
      EXPECT_THAT(held, ElementsAre("ns/wf/" + id_of(run, "wf.r")));
    }
    const auto happened = run.step();
    ASSERT_TRUE(happened) << happened.error().message;
    if (!*happened) {
      break;
    }
  }
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_EQ(holders.size(), 4U);
  EXPECT_TRUE(run.locks().empty());
}

TEST(TemplateLocks, a_node_that_waits_takes_no_slot_of_the_workflow) {
  auto run = started(R"({"entrypoint":"main","parallelism":1,"templates":[
    {"name":"main","dag":{"tasks":[{"name":"a","template":"locked"},{"name":"b","template":"work"},{"name":"c","template":"work"}]}},
    {"name":"locked","synchronization":{"mutexes":[{"name":"m"}]},"container":{"image":"b","command":["x"]}},
    {"name":"work","container":{"image":"b","command":["x"]}}]})");
  EXPECT_TRUE(run.locks().acquire(other("ns/Mutex/m"))->granted);
  expect_done(run.start());
  EXPECT_EQ(run.live_pods().size(), 1U);
  run.locks().release_run("ns/other");
  expect_done(run.tell_granted());
  EXPECT_EQ(run.live_pods().size(), 1U);
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded);
  EXPECT_EQ(run.most_pods(), 1U);
}

TEST(TemplateLocks, stop_fails_what_waits_and_frees_what_is_held) {
  for (const Event& verb : {Event(Stop{}), Event(Terminate{})}) {
    auto run = started(kTemplateMutex);
    expect_done(run.start());
    PodUpdate running;
    running.node = *run.find("each(0:1)");
    running.phase = PodPhase::running;
    expect_done(run.apply(running));
    expect_done(run.apply(verb));
    finish(run);
    EXPECT_EQ(run.engine().phase(), RunPhase::failed);
    EXPECT_THAT(node_of(run, "wf[0].each(1:2)").message, HasSubstr("Stopped with strategy '"));
    EXPECT_FALSE(node_of(run, "wf[0].each(1:2)").waits_for_lock());
    EXPECT_EQ(run.created().size(), 1U);
    EXPECT_TRUE(run.locks().empty());
  }
}

TEST(TemplateLocks, the_workflows_deadline_and_a_pending_timeout_end_a_wait) {
  for (const auto& [limits, message] :
       {std::pair{R"("activeDeadlineSeconds":5,)", "Step exceeded its deadline"},
        std::pair{R"("templateDefaults":{"pendingTimeout":"7s"},)", "timeout"}}) {
    auto run = started(R"({"entrypoint":"main",)" + std::string(limits) + R"("templates":[
      {"name":"main","dag":{"tasks":[{"name":"a","template":"work"}]}},
      {"name":"work","retryStrategy":{"limit":"1"},"synchronization":{"mutexes":[{"name":"m"}]},"container":{"image":"b","command":["x"]}}]})");
    EXPECT_TRUE(run.locks().acquire(other("ns/Mutex/m"))->granted);
    expect_done(run.start());
    finish(run);
    EXPECT_EQ(run.engine().phase(), RunPhase::failed);
    EXPECT_EQ(node_of(run, "wf.a").message, message);
    run.locks().release_run("ns/other");
    EXPECT_TRUE(run.locks().empty());
  }
}

TEST(TemplateLocks, a_suspended_run_lets_others_pass) {
  auto run = started(kTemplateMutex);
  EXPECT_TRUE(run.locks().acquire(other("ns/Mutex/m"))->granted);
  expect_done(run.start());
  EXPECT_FALSE(run.locks().acquire(other("ns/Mutex/m", "n2", 5'000'000'000))->granted);
  expect_done(run.apply(Suspend{}));
  run.locks().release("ns/other", "");
  EXPECT_THAT(run.locks().holders("ns/Mutex/m"), ElementsAre("ns/other/n2"));
  static_cast<void>(run.locks().take_granted());
  expect_done(run.apply(Resume{}));
  run.locks().release_run("ns/other");
  expect_done(run.tell_granted());
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded);
}

TEST(TemplateLocks, who_wants_what_is_held_around_it_is_told_instead_of_waiting_for_ever) {
  for (const std::string_view around :
       {R"("synchronization":{"mutexes":[{"name":"m"}]},"templates":[{"name":"main",)",
        R"("templates":[{"name":"main","synchronization":{"mutexes":[{"name":"m"}]},)"}) {
    auto run = started(R"({"entrypoint":"main",)" + std::string(around) +
                       R"("steps":[[{"name":"a","template":"work"}]]},
      {"name":"work","synchronization":{"mutexes":[{"name":"m"}]},"container":{"image":"b","command":["x"]}}]})");
    expect_done(run.run());
    EXPECT_EQ(run.engine().phase(), RunPhase::failed);
    EXPECT_EQ(node_of(run, "wf[0].a").phase, NodePhase::error);
    EXPECT_EQ(node_of(run, "wf[0].a").message,
              "ns/Mutex/m lock is held by what this node is a part of, so it would wait for ever");
    EXPECT_TRUE(run.locks().empty());
  }
}

TEST(TemplateLocks, priority_counts_among_runs) {
  auto run = started(R"({"entrypoint":"main","priority":7,"templates":[
    {"name":"main","synchronization":{"mutexes":[{"name":"m"}]},"container":{"image":"b","command":["x"]}}]})");
  EXPECT_TRUE(run.locks().acquire(other("ns/Mutex/m"))->granted);
  EXPECT_FALSE(run.locks().acquire(other("ns/Mutex/m", "n2"))->granted);
  expect_done(run.start());
  run.locks().release("ns/other", "");
  expect_done(run.tell_granted());
  EXPECT_EQ(run.live_pods().size(), 1U);
}

TEST(TemplateLocks, a_run_that_is_retried_gets_its_locks_again_before_it_goes_on) {
  bool broken = true;
  const auto script = [&](const Engine& engine, const CreatePod& pod) {
    return Outcome::exits(broken && engine.nodes()[pod.node].name == "wf[0].in.b" ? 1 : 0);
  };
  auto run = started(R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[{"name":"in","template":"dag"}]]},
    {"name":"dag","synchronization":{"mutexes":[{"name":"m"}]},"dag":{"tasks":[{"name":"a","template":"work"},{"name":"b","template":"work","depends":"a"}]}},
    {"name":"work","container":{"image":"b","command":["x"]}}]})",
                     kNone, script);
  expect_done(run.run());
  ASSERT_EQ(run.engine().phase(), RunPhase::failed);
  const auto retried = retry_workflow(run.engine().workflow(Engine::WithNodes::yes), {});
  ASSERT_TRUE(retried) << retried.error().message;
  LockTable table([](const LockName&) { return std::nullopt; });
  EXPECT_TRUE(table.acquire(other("ns/Mutex/m"))->granted);
  auto engine =
      Engine::restore(retried->workflow, retried->rows, kNone, {.locks = &table}, run.now());
  ASSERT_TRUE(engine) << engine.error().message;
  const auto waiting = engine->apply(Start{}, run.now());
  ASSERT_TRUE(waiting);
  EXPECT_TRUE(waiting->create_pods.empty());
  const NodeIndex dag = *engine->nodes().find_name("wf[0].in");
  EXPECT_EQ(engine->nodes()[dag].message, "Waiting for ns/Mutex/m lock. Lock status: 0/1");
  table.release_run("ns/other");
  ASSERT_EQ(table.take_granted().size(), 1U);
  const auto going_on = engine->apply(LocksFree{dag}, run.now());
  ASSERT_TRUE(going_on);
  ASSERT_EQ(going_on->create_pods.size(), 1U);
  EXPECT_EQ(engine->nodes()[going_on->create_pods[0].node].name, "wf[0].in.b");
  PodUpdate update;
  update.node = going_on->create_pods[0].node;
  update.phase = PodPhase::succeeded;
  ASSERT_TRUE(engine->apply(update, run.now()));
  EXPECT_EQ(engine->phase(), RunPhase::succeeded) << engine->message();
  EXPECT_TRUE(table.empty());
}

TEST(RunLocks, a_run_that_is_retried_gets_its_own_locks_again_before_it_goes_on) {
  auto run =
      started(kRunMutex, kNone, [](const Engine&, const CreatePod&) { return Outcome::exits(1); });
  expect_done(run.run());
  ASSERT_EQ(run.engine().phase(), RunPhase::failed);
  const auto retried = retry_workflow(run.engine().workflow(Engine::WithNodes::yes), {});
  ASSERT_TRUE(retried) << retried.error().message;
  LockTable table([](const LockName&) { return std::nullopt; });
  EXPECT_TRUE(table.acquire(other("ns/Mutex/wf-m"))->granted);
  auto engine =
      Engine::restore(retried->workflow, retried->rows, kNone, {.locks = &table}, run.now());
  ASSERT_TRUE(engine) << engine.error().message;
  EXPECT_TRUE(engine->apply(Start{}, run.now())->create_pods.empty());
  EXPECT_EQ(engine->phase(), RunPhase::pending);
  table.release_run("ns/other");
  ASSERT_EQ(table.take_granted().size(), 1U);
  EXPECT_EQ(engine->apply(LocksFree{}, run.now())->create_pods.size(), 1U);
  EXPECT_EQ(engine->phase(), RunPhase::running);
}

// Caches.

constexpr std::string_view kMemoized = R"({"entrypoint":"main","templates":[
    {"name":"main","dag":{"tasks":[
      {"name":"a","template":"work","arguments":{"parameters":[{"name":"p","value":"x"}]}},
      {"name":"b","template":"work","depends":"a","arguments":{"parameters":[{"name":"p","value":"x"}]}},
      {"name":"c","template":"use","depends":"b","arguments":{"parameters":[{"name":"p","value":"{{tasks.b.outputs.parameters.o}}"}]}}]}},
    {"name":"work","inputs":{"parameters":[{"name":"p"}]},
     "memoize":{"key":"key-{{inputs.parameters.p}}","maxAge":"1h","cache":{"configMap":{"name":"cache"}}},
     "outputs":{"parameters":[{"name":"o","globalName":"g","valueFrom":{"path":"/tmp/o"}}]},
     "container":{"image":"b","command":["x"]}},
    {"name":"use","inputs":{"parameters":[{"name":"p"}]},"container":{"image":"b","command":["x"],"args":["{{inputs.parameters.p}}"]}}]})";

Script with_output(std::string value, std::string* used = nullptr) {
  return [value = std::move(value), used](const Engine& engine, const CreatePod& pod) {
    Outcome out;
    if (engine.nodes()[pod.node].name.ends_with(".c") && used != nullptr) {
      *used = pod.template_json;
    } else {
      out.parameters = {{"o", value}};
    }
    return out;
  };
}

std::string memoization(const ScriptedRun& run, std::string_view name) {
  const doc::Value status = run.engine().node_status(run.engine().nodes().find_name(name).value());
  const doc::Value* memo = doc::find(status, "memoizationStatus");
  return memo == nullptr ? "" : doc::to_json(*memo, {.sort_keys = true});
}

std::string cached(const ScriptedRun& run, std::string_view key) {
  const doc::Value* cache = run.references().current_config_map("cache");
  return cache == nullptr ? "" : std::string(doc::find_string(cache->at("data"), key));
}

TEST(Memoize, the_second_node_with_a_key_takes_the_outputs_of_the_first) {
  std::string used;
  auto run = started(kMemoized, kNone, with_output("seven", &used));
  expect_done(run.run());
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_THAT(run.created(), ElementsAre("wf.a", "wf.c"));
  EXPECT_EQ(memoization(run, "wf.a"), R"({"cacheName":"cache","hit":false,"key":"key-x"})");
  EXPECT_EQ(memoization(run, "wf.b"), R"({"cacheName":"cache","hit":true,"key":"key-x"})");
  EXPECT_EQ(node_of(run, "wf.b").type, NodeType::pod);
  EXPECT_EQ(node_of(run, "wf.b").phase, NodePhase::succeeded);
  EXPECT_THAT(used, HasSubstr(R"("args":["seven"])"));
  EXPECT_EQ(run.engine().progress(), "3/3");
  const auto entry = MemoEntry::parse(cached(run, "key-x"));
  ASSERT_TRUE(entry) << cached(run, "key-x");
  EXPECT_EQ(entry->node_id, id_of(run, "wf.a"));
  EXPECT_EQ(entry->created, entry->last_hit);
  EXPECT_THAT(*entry->outputs, HasSubstr(R"("value":"seven")"));
  const doc::Value* cache = run.references().current_config_map("cache");
  EXPECT_EQ(
      doc::find_string(cache->at("metadata").at("labels"), "workflows.argoproj.io/configmap-type"),
      "Cache");
}

DocumentReferences cache_of(std::string_view key, std::string_view entry) {
  DocumentReferences out;
  out.add(doc::Object{
      {"kind", "ConfigMap"},
      {"metadata",
       doc::Object{{"name", "cache"},
                   {"labels", doc::Object{{"workflows.argoproj.io/configmap-type", "Cache"}}}}},
      {"data", doc::Object{{key, entry}}}});
  return out;
}

TEST(Memoize, old_entries_do_not_count) {
  const DocumentReferences references = cache_of(
      "key-x",
      R"({"nodeID":"n","outputs":{"parameters":[{"name":"o","value":"old"}]},"creationTimestamp":"2023-11-14T21:13:19Z","lastHitTimestamp":"2023-11-14T21:13:19Z"})");
  auto run = started(kMemoized, references, with_output("new"));
  expect_done(run.run());
  EXPECT_THAT(run.created(), ElementsAre("wf.a", "wf.c"));
  EXPECT_THAT(*MemoEntry::parse(cached(run, "key-x"))->outputs, HasSubstr("new"));
}

TEST(Memoize, young_entries_count_and_say_when_they_were_last_used) {
  const DocumentReferences references = cache_of(
      "key-x",
      R"({"nodeID":"n","outputs":{"parameters":[{"name":"o","value":"old","globalName":"g"}]},"creationTimestamp":"2023-11-14T21:13:20Z","lastHitTimestamp":"2023-11-14T21:13:20Z"})");
  auto run = started(kMemoized, references, with_output("new"));
  expect_done(run.run());
  EXPECT_THAT(run.created(), ElementsAre("wf.c"));
  EXPECT_EQ(MemoEntry::parse(cached(run, "key-x"))->last_hit, run.now() - std::chrono::seconds(1));
  EXPECT_THAT(status_of(run, "outputs"), HasSubstr(R"("name":"g")"));
}

TEST(Memoize, what_cannot_be_used_is_an_error_of_the_node) {
  const auto message = [](std::string_view key, std::string_view max_age, std::string_view entry) {
    const DocumentReferences references = cache_of("k", entry);
    auto run = started(
        R"({"entrypoint":"main","templates":[{"name":"main","dag":{"tasks":[{"name":"a","template":"t"}]}},
      {"name":"t","memoize":{"key":")" +
            std::string(key) + R"(","maxAge":")" + std::string(max_age) +
            R"(","cache":{"configMap":{"name":"cache"}}},"container":{"image":"b","command":["x"]}}]})",
        references);
    expect_done(run.run());
    EXPECT_EQ(node_of(run, "wf.a").phase, NodePhase::error);
    EXPECT_EQ(node_of(run, "wf.a").type, NodeType::skipped);
    EXPECT_EQ(run.engine().phase(), RunPhase::error);
    return node_of(run, "wf.a").message;
  };
  EXPECT_THAT(message("a b", "", "{}"), HasSubstr("invalid cache key: a b"));
  EXPECT_THAT(message("k", "zz", "{}"), HasSubstr("invalid maxAge: time: invalid duration"));
  EXPECT_THAT(message("k", "", "nonsense"), HasSubstr("malformed cache entry"));
}

constexpr std::string_view kMemoizedGroups = R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[
      [{"name":"s","template":"steps"},{"name":"d","template":"dag"},{"name":"r","template":"tries"}],
      [{"name":"s","template":"steps"},{"name":"d","template":"dag"},{"name":"r","template":"tries"}],
      [{"name":"end","template":"work"}]]},
    {"name":"steps","memoize":{"key":"s","cache":{"configMap":{"name":"cache"}}},
     "outputs":{"parameters":[{"name":"o","valueFrom":{"parameter":"{{steps.a.outputs.parameters.o}}"}}]},
     "steps":[[{"name":"a","template":"work"}]]},
    {"name":"dag","memoize":{"key":"d","cache":{"configMap":{"name":"cache"}}},
     "synchronization":{"mutexes":[{"name":"m"}]},
     "dag":{"tasks":[{"name":"a","template":"work"}]}},
    {"name":"tries","memoize":{"key":"r","cache":{"configMap":{"name":"cache"}}},"retryStrategy":{"limit":"1"},
     "outputs":{"parameters":[{"name":"o","valueFrom":{"path":"/tmp/o"}}]},"container":{"image":"b","command":["x"]}},
    {"name":"work","outputs":{"parameters":[{"name":"o","valueFrom":{"path":"/tmp/o"}}]},"container":{"image":"b","command":["x"]}}]})";

TEST(Memoize, steps_dags_and_retried_templates_are_remembered) {
  auto run = started(kMemoizedGroups, kNone, with_output("v"));
  expect_done(run.run());
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_EQ(run.created().size(), 4U);
  for (const std::string_view name : {"wf[1].s", "wf[1].d", "wf[1].r"}) {
    const Node& node = node_of(run, name);
    EXPECT_TRUE(node.is_cache_hit()) << name;
    EXPECT_EQ(node.phase, NodePhase::succeeded) << name;
    // What follows hangs on the node itself.
    EXPECT_EQ(node.children,
              std::vector<NodeIndex>{run.engine().nodes().find_name("wf[2]").value()});
  }
  EXPECT_EQ(node_of(run, "wf[1].s").type, NodeType::steps);
  EXPECT_EQ(node_of(run, "wf[1].d").type, NodeType::dag);
  EXPECT_EQ(node_of(run, "wf[1].r").type, NodeType::retry);
  EXPECT_THAT(*node_of(run, "wf[1].s").outputs, HasSubstr(R"("value":"v")"));
  EXPECT_EQ(MemoEntry::parse(cached(run, "r"))->node_id, id_of(run, "wf[0].r(0)"));
  EXPECT_EQ(MemoEntry::parse(cached(run, "d"))->node_id, id_of(run, "wf[0].d"));
  EXPECT_TRUE(run.locks().empty());
}

TEST(Memoize, who_waited_for_a_lock_looks_into_the_cache_when_it_has_it) {
  auto run = started(R"({"entrypoint":"main","templates":[
    {"name":"main","dag":{"tasks":[{"name":"each","template":"work","withItems":[1,2,3]}]}},
    {"name":"work","memoize":{"key":"k","cache":{"configMap":{"name":"cache"}}},"synchronization":{"mutexes":[{"name":"m"}]},
     "container":{"image":"b","command":["x"]}}]})");
  expect_done(run.run());
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded);
  EXPECT_THAT(run.created(), ElementsAre("wf.each(0:1)"));
  EXPECT_TRUE(node_of(run, "wf.each(2:3)").is_cache_hit());
  EXPECT_EQ(node_of(run, "wf.each(2:3)").message, "");
  EXPECT_TRUE(run.locks().empty());
}

TEST(Memoize, failures_are_not_remembered) {
  auto run =
      started(kMemoized, kNone, [](const Engine&, const CreatePod&) { return Outcome::exits(1); });
  expect_done(run.run());
  EXPECT_EQ(run.engine().phase(), RunPhase::failed);
  EXPECT_EQ(run.references().current_config_map("cache"), nullptr);
}

}  // namespace
}  // namespace tiphys::workflows
